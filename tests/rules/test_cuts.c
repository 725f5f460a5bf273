/* The gradient of a spiking network cut in three ways, each of which is a learning algorithm, on the numbers of another
 * program (examples/lsnn.expected.safetensors); and approximate e-prop from its two factors. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rules/network.h"
#include "support/compute.h"
#include "support/expected.h"

enum { STEPS = 6, MAX_AT = 2 * STEPS };

/* v1, a1, v2, .. for "va": one variable of each letter a step. */
static int64_t find_steps(const jc_graph *graph, const char *letters, int64_t at[MAX_AT])
{
    int64_t n = 0;
    for (int step = 1; step <= STEPS; step++)
        for (const char *letter = letters; *letter; letter++) {
            char name[8];
            snprintf(name, sizeof name, "%c%d", *letter, step);
            at[n] = jc_graph_find_variable(graph, name);
            cr_assert_geq(at[n++], 0, "%s", name);
        }
    return n;
}

/* rule: NULL or one; all are borrowed. */
static jc_query query_of(const int64_t *of, const int64_t *wrt, const jc_rule *rule)
{
    jc_query q = JC_QUERY_INIT;
    q.of = of, q.n_of = 1, q.wrt = wrt, q.n_wrt = 1;
    q.rules = rule, q.n_rules = rule ? 1 : 0;
    return q;
}

/* ---- the terms, path by path ------------------------------------------------------------------------------------- */

/* What `how` of keeps_cut says beside the variable. */
enum { LAST = 1000, STATES = 2000 };

/* The first or the last spike (state: v or a) of the path is the variable. */
static bool keeps_cut(const jt_net_edge *const *edge, int64_t n, int64_t how)
{
    int64_t met = -1;
    for (int64_t i = 0; i < n; i++)
        if (strchr(how / STATES ? "va" : "z", edge[i]->to[0]) && (met < 0 || how / LAST % 2)) met = edge[i]->of;
    return met == how % LAST;
}

static void check_term(const jt_network *net, const jc_split_term *term, int64_t how, double *sum)
{
    jt_pool pool = {0};
    int64_t count;
    const jc_result *r = &term->result;
    const long double *by_paths = jt_network_total(&pool, net, r->of, r->wrt, keeps_cut, how + term->variable, &count);
    cr_assert(term->variable >= 0, "every path from a parameter goes through the network");
    cr_assert_gt(count, 0);
    for (int64_t j = 0; j < r->cols; j++) {
        double x = ((const double *)r->data)[j];
        cr_assert_leq(fabsl(x - by_paths[j]), 1e-13, "%s: entry %lld is %.17g, not %.17Lg", net->name[term->variable],
                      (long long)j, x, by_paths[j]);
        sum[j] += x;
    }
    jt_pool_free(&pool);
}

/* The terms of the split each by itself, and together what another program says. */
static void check_split(const char *letters, int last, const char *wrt, int64_t n_terms)
{
    jt_pool pool = {0};
    jt_network net;
    jt_network_read(&net, "lsnn");
    jc_graph *graph = jt_network_load("lsnn");
    int64_t at[MAX_AT], n_at = find_steps(graph, letters, at);
    double sum[16] = {0};
    int64_t of = jc_graph_find_variable(graph, "E"), w = jc_graph_find_variable(graph, wrt);
    jc_query query = query_of(&of, &w, NULL);
    jc_split *split;
    jc_split_info info = {.struct_size = sizeof info};
    jt_ok(jc_split_create(graph, &query, at, n_at, last, NULL, &split), "split");
    jt_ok(jc_split_get_info(split, &info), "its info");
    cr_assert_eq(info.n_terms, n_terms, "%s of %s: %lld terms", letters, wrt, (long long)info.n_terms);
    cr_assert_eq(info.verdict, JC_PASSED);
    for (int64_t i = 0; i < info.n_terms; i++) {
        jc_split_term term;
        jt_ok(jc_split_get_term(split, i, &term), "a term");
        check_term(&net, &term, (last ? LAST : 0) + (strcmp(letters, "z") ? STATES : 0), sum);
    }
    double rest = jt_network_difference(&pool, "bptt", wrt, sum, jc_graph_variable_size(graph, w));
    cr_assert_leq(rest, 1e-13, "%s of %s", letters, wrt);
    jc_split_destroy(split);
    jc_graph_destroy(graph);
    jt_network_fini(&net);
    jt_pool_free(&pool);
}

/* ---- three cuts of one sum --------------------------------------------------------------------------------------- */

/* dE/dW = sum over t of dE/dh_t [dh_t/dW]local: W enters v_t only, so that the local factor is its partial. */
Test(cuts, cut_at_the_states_it_is_backpropagation_through_time)
{
    check_split("va", 0, "W_in", STEPS);
    check_split("va", 0, "W_rec", STEPS);
}

/* dE/dW = sum over t of dE/dz_t [dz_t/dW]local: learning signal by eligibility trace. */
Test(cuts, cut_at_the_first_spike_it_is_exact_eprop)
{
    check_split("z", 0, "W_in", STEPS);
    check_split("z", 0, "W_rec", STEPS);
}

/* dE/dW = sum over t of [dE/dz_t]local dz_t/dW: errors of now by traces of everything before. */
Test(cuts, cut_at_the_last_spike_or_state_it_is_real_time_recurrent_learning)
{
    check_split("z", 1, "W_in", STEPS);
    check_split("z", 1, "W_rec", STEPS);
    check_split("va", 1, "W_in", 2 * STEPS - 1); /* no path goes through a1 */
    check_split("va", 1, "W_rec", 2 * STEPS - 1);
}

/* ---- approximate e-prop, from its two factors -------------------------------------------------------------------- */

/* The row L_t [dz_t/dW]local is added to sum, with L_t = [dE/dz_t] over the paths that the rule keeps. */
static void add_term(jt_pool *pool, const jc_graph *graph, const jt_backend *backend, int64_t z, const char *wrt,
                     const jc_rule *signal_rule, const jc_rule *local, double *sum)
{
    int64_t of = jc_graph_find_variable(graph, "E"), w = jc_graph_find_variable(graph, wrt);
    jc_query signal = query_of(&of, &z, signal_rule), trace = query_of(&z, &w, local);
    jt_results learning = jt_compute(pool, graph, &signal, backend, NULL);
    trace.seed = JC_SEED_ROWS, trace.seed_width = 1;
    jt_results term = jt_compute(pool, graph, &trace, backend, learning.result[0].real);
    for (int64_t i = 0; i < term.result[0].cols; i++) sum[i] += term.result[0].real[i];
}

static void check_factors(const jc_graph *graph, const jt_backend *backend, const char *wrt, const char *signal,
                          const char *known)
{
    jt_pool pool = {0};
    int64_t at[MAX_AT], n = find_steps(graph, "z", at);
    jc_rule local = {.kind = JC_RULE_AVOID, .variables = at, .n_variables = n};
    jc_rule match = {.kind = JC_RULE_MATCH, .expression = signal};
    double sum[16] = {0};
    for (int64_t t = 0; t < n; t++) add_term(&pool, graph, backend, at[t], wrt, &match, &local, sum);
    int64_t size = jc_graph_variable_size(graph, jc_graph_find_variable(graph, wrt));
    double most = jt_network_difference(&pool, known, wrt, sum, size);
    cr_assert_leq(most, 1e-13, "%s, %s, %s: %g", backend->name, known, wrt, most);
    most = jt_network_difference(&pool, !strcmp(known, "bptt") ? "eprop" : "bptt", wrt, sum, size);
    cr_assert_geq(most, 1e-3, "%s, %s, %s", backend->name, known, wrt);
    jt_pool_free(&pool);
}

/* The same traces under the learning signal as it is, and under what a readout tells a spike directly. */
Test(cuts, approximate_eprop_has_the_traces_of_exact_eprop_and_only_the_direct_learning_signal)
{
    jc_graph *graph = jt_network_load("lsnn");
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    for (int b = 0; b < n; b++) {
        if (jt_is_exact(&backends[b]) || backends[b].precision != JC_PRECISION_F64) continue;
        check_factors(graph, &backends[b], "W_in", ".*", "bptt");
        check_factors(graph, &backends[b], "W_rec", ".*", "bptt");
        check_factors(graph, &backends[b], "W_in", "readout filter* loss", "eprop");
        check_factors(graph, &backends[b], "W_rec", "readout filter* loss", "eprop");
    }
    jc_graph_destroy(graph);
}
