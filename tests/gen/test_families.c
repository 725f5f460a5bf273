/* What the families are: their structure by formulas of their own, their Jacobians, and their known totals. */
#include <math.h>
#include <stdlib.h>

#include "gen/help.h"

/* All numbers of edge e as doubles, rows x cols row-major; the caller frees. */
static double *edge_numbers(jc_gen_numbers *numbers, int64_t g, int64_t member)
{
    const jc_gen_group *group = jc_gen_group_at(numbers->gen, g);
    int64_t n = group->rows * group->cols;
    double *d = malloc((size_t)n * sizeof *d);
    if (numbers->gen->dtype == JC_F64) {
        jc_gen_rows(numbers, g, member * group->rows, group->rows, d);
        return d;
    }
    float *f = malloc((size_t)n * sizeof *f);
    jc_gen_rows(numbers, g, member * group->rows, group->rows, f);
    for (int64_t i = 0; i < n; i++) d[i] = f[i];
    free(f);
    return d;
}

/* ---- structure --------------------------------------------------------------------------------------------- */

static void expect_counts(const char *family, const jc_gen_options *options, int64_t variables, int64_t edges,
                          int64_t sources, int64_t targets)
{
    jc_gen *gen = gen_make(family, options);
    int64_t n_in = 0, n_out = 0;
    cr_expect_eq(gen->sizes.count, variables, "%s: %ld variables", family, (long)gen->sizes.count);
    cr_expect_eq(gen->of.count, edges, "%s: %ld edges", family, (long)gen->of.count);
    cr_expect_eq(gen->sources.count, sources, "%s", family);
    cr_expect_eq(gen->targets.count, targets, "%s", family);
    int64_t *in = calloc((size_t)variables, sizeof *in), *out = calloc((size_t)variables, sizeof *out);
    for (int64_t e = 0; e < edges; e++) {
        cr_assert_lt(jc_gen_wrt(gen, e), jc_gen_of(gen, e), "%s: edge %ld", family, (long)e);
        in[jc_gen_of(gen, e)]++;
        out[jc_gen_wrt(gen, e)]++;
    }
    for (int64_t v = 0; v < variables; v++) {
        bool source = v >= gen->sources.first && v < gen->sources.first + gen->sources.count;
        n_in += source == (in[v] > 0);
        bool target = v >= gen->targets.first && v < gen->targets.first + gen->targets.count;
        n_out += target && out[v] > 0;
    }
    cr_expect_eq(n_in, 0, "%s: sources are the variables without incoming edges", family);
    cr_expect_eq(n_out, 0, "%s: nothing reads a target", family);
    free(in);
    free(out);
    jc_gen_destroy(gen);
}

Test(gen_families, counts_are_those_of_the_formulas)
{
    jc_gen_options o = gen_defaults();
    o.value[JC_GEN_DEPTH] = 37;
    expect_counts("chain", &o, 38, 37, 1, 1);
    expect_counts("ladder", &o, 2 * 38, 4 * 37, 2, 2);
    o = gen_defaults();
    o.value[JC_GEN_LEVELS] = 7, o.value[JC_GEN_WIDTH] = 15, o.value[JC_GEN_FAN_IN] = 5;
    expect_counts("layered", &o, 8 * 15 + 1, 7 * 15 * 5 + 15, 15, 1);
    o = gen_defaults();
    o.value[JC_GEN_DEPTH] = 4, o.value[JC_GEN_FAN_IN] = 3;
    expect_counts("tree", &o, 1 + 3 + 9 + 27 + 81, 3 + 9 + 27 + 81, 81, 1);
    o.value[JC_GEN_FAN_IN] = 1;
    expect_counts("tree", &o, 5, 4, 1, 1);
    o = gen_defaults();
    o.value[JC_GEN_BLOCKS] = 3, o.value[JC_GEN_LAYERS] = 5;
    expect_counts("densenet", &o, 1 + 3 * 6, 3 * (1 + 2 + 3 + 4 + 5 + 6), 1, 1);
    o = gen_defaults();
    o.value[JC_GEN_VARIABLES] = 50, o.value[JC_GEN_SOURCES] = 6, o.value[JC_GEN_FAN_IN] = 4, o.value[JC_GEN_SPAN] = 9;
    expect_counts("random", &o, 50, 44 * 4, 6, 1);
    o = gen_defaults();
    o.value[JC_GEN_TIME] = 11;
    expect_counts("rnn", &o, 6 + 2 * 11 + 2, 5 * 11 + 4, 6, 1);
}

Test(gen_families, layered_variables_have_fan_in_producers_and_as_many_consumers)
{
    jc_gen_options o = gen_defaults();
    o.value[JC_GEN_LEVELS] = 5, o.value[JC_GEN_WIDTH] = 12, o.value[JC_GEN_FAN_IN] = 4;
    jc_gen *gen = gen_make("layered", &o);
    int64_t in[73] = {0}, out[73] = {0}, neighbours = 0;
    for (int64_t e = 0; e < gen->of.count; e++) {
        int64_t of = jc_gen_of(gen, e), wrt = jc_gen_wrt(gen, e);
        in[of]++, out[wrt]++;
        cr_expect_eq(of / 12, wrt / 12 + 1, "an edge leads from a level to the next");
        neighbours += of == wrt + 12;
    }
    for (int64_t v = 0; v < 72; v++) {
        cr_expect_eq(in[v], v < 12 ? 0 : 4);
        cr_expect_eq(out[v], v < 60 ? 4 : 1);
    }
    cr_expect_eq(in[72], 12);
    cr_expect_lt(neighbours, 60, "the producers are in a random order");
    jc_gen_destroy(gen);
}

Test(gen_families, random_edges_stay_in_the_span_and_use_all_of_it)
{
    jc_gen_options o = gen_defaults();
    o.value[JC_GEN_VARIABLES] = 2000, o.value[JC_GEN_SPAN] = 7;
    jc_gen *gen = gen_make("random", &o);
    int64_t seen[8] = {0};
    for (int64_t e = 0; e < gen->of.count; e++) {
        int64_t back = jc_gen_of(gen, e) - jc_gen_wrt(gen, e);
        cr_assert(back >= 1 && back <= 7);
        seen[back]++;
    }
    for (int i = 1; i <= 7; i++) { /* 5988 edges: 855 expected, 27 the standard deviation */
        cr_expect(seen[i] > 700 && seen[i] < 1010, "%ld edges reach back %d", (long)seen[i], i);
    }
    jc_gen_destroy(gen);
}

Test(gen_families, sizes_fill_the_range_with_at_most_eight_values)
{
    static const int64_t ranges[][3] = {{5, 5, 1}, {3, 6, 4}, {1, 8, 8}, {2, 100, 8}, {1, 9, 8}};
    for (int i = 0; i < 5; i++) {
        jc_gen_options o = gen_defaults();
        o.size_low = ranges[i][0], o.size_high = ranges[i][1];
        o.value[JC_GEN_DEPTH] = 500;
        jc_gen *gen = gen_make("chain", &o);
        int64_t seen[101] = {0}, distinct = 0;
        for (int64_t v = 0; v <= 500; v++) {
            int64_t size = jc_gen_size(gen, v);
            cr_assert(size >= o.size_low && size <= o.size_high);
            distinct += !seen[size]++;
        }
        cr_expect_eq(distinct, ranges[i][2]);
        cr_expect(seen[o.size_low] && seen[o.size_high]);
        cr_expect(gen->groups.count <= distinct * distinct);
        jc_gen_destroy(gen);
    }
}

/* ---- Jacobians --------------------------------------------------------------------------------------------- */

/* The largest entry of |D D^T - s^2 I|, or of D^T D where D is tall, over s^2. */
static double orthogonality_error(const double *d, int64_t p, int64_t q, double s)
{
    int64_t n = p < q ? p : q, length = p < q ? q : p, step = p < q ? q : 1, along = p < q ? 1 : q;
    double worst = 0.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (int64_t k = 0; k < length; k++) sum += d[i * step + k * along] * d[j * step + k * along];
            worst = fmax(worst, fabs(sum / (s * s) - (i == j)));
        }
    return worst;
}

static int64_t expect_orthogonal(const char *family, const jc_gen_options *o, double tolerance)
{
    jc_gen *gen = gen_make(family, o);
    jc_gen_numbers numbers;
    int64_t checked = 0, symmetric = 0;
    cr_assert_eq(jc_gen_numbers_init(gen, &numbers), JC_OK);
    for (int64_t g = 0; g < gen->groups.count; g++) {
        const jc_gen_group *group = jc_gen_group_at(gen, g);
        for (int64_t m = 0; group->fill == JC_GEN_ROTATION && m < jc_gen_members(group); m++, checked++) {
            double *d = edge_numbers(&numbers, g, m);
            double s = jc_gen_weight(gen, group->first_edge + m);
            double error = orthogonality_error(d, group->rows, group->cols, s);
            cr_expect(error <= tolerance, "%s: %ld x %ld, %g", family, (long)group->rows, (long)group->cols, error);
            if (group->rows == group->cols && group->rows > 2) symmetric += fabs(d[1] - d[group->cols]) < 1e-9;
            free(d);
        }
    }
    cr_expect_eq(symmetric, 0, "%s: a transposed Jacobian must not go unseen", family);
    jc_gen_numbers_fini(&numbers);
    jc_gen_destroy(gen);
    return checked;
}

Test(gen_families, jacobians_are_orthogonal_up_to_their_weight)
{
    static const int64_t sizes[][2] = {{16, 16}, {1, 1}, {2, 2}, {3, 20}, {1, 5}, {64, 64}};
    for (const jc_gen_family *f = jc_gen_families; f->name; f++)
        for (int i = 0; i < 6; i++) {
            jc_gen_options o = gen_defaults();
            if (f->size) o.size_low = sizes[i][0], o.size_high = sizes[i][1];
            o.seed = (uint64_t)i;
            o.dtype = JC_F64;
            cr_expect_gt(expect_orthogonal(f->name, &o, 1e-14), 0);
            o.dtype = JC_F32;
            expect_orthogonal(f->name, &o, 1e-6);
        }
}

Test(gen_families, rnn_numbers_are_signs_and_independent_of_unit_variance)
{
    jc_gen_options o = gen_defaults();
    jc_gen *gen = gen_make("rnn", &o);
    jc_gen_numbers numbers;
    cr_assert_eq(jc_gen_numbers_init(gen, &numbers), JC_OK);
    for (int64_t g = 0; g < gen->groups.count; g++) {
        const jc_gen_group *group = jc_gen_group_at(gen, g);
        if (group->fill != JC_GEN_SIGNS && group->fill != JC_GEN_NORMAL) continue;
        double sum = 0.0, square = 0.0, n = (double)(group->rows * group->cols);
        double *d = edge_numbers(&numbers, g, group->n_edges - 1);
        for (int64_t i = 0; i < group->rows * group->cols; i++) {
            if (group->fill == JC_GEN_SIGNS) cr_assert(d[i] == 1.0 || d[i] == -1.0);
            sum += d[i];
            square += d[i] * d[i];
        }
        cr_expect_lt(fabs(sum), 5.0 * sqrt(n)); /* five standard deviations */
        cr_expect_lt(fabs(square - n), 5.0 * sqrt(2.0 * n));
        free(d);
    }
    jc_gen_numbers_fini(&numbers);
    jc_gen_destroy(gen);
}

/* ---- totals ------------------------------------------------------------------------------------------------ */

/* Edges with the largest `of` first; the caller frees. */
static int64_t *reverse_order(const jc_gen *gen)
{
    int64_t n = gen->of.count, *start = calloc((size_t)gen->sizes.count + 1, sizeof *start);
    int64_t *order = malloc((size_t)n * sizeof *order);
    for (int64_t e = 0; e < n; e++) start[jc_gen_of(gen, e) + 1]++;
    for (int64_t v = 0; v < gen->sizes.count; v++) start[v + 1] += start[v];
    for (int64_t e = 0; e < n; e++) order[n - 1 - start[jc_gen_of(gen, e)]++] = e;
    free(start);
    return order;
}

/* c [variables] = the totals of `target` in the graph of the weights. */
static double *scalar_totals(const jc_gen *gen, int64_t target)
{
    double *c = calloc((size_t)gen->sizes.count, sizeof *c);
    int64_t *order = reverse_order(gen);
    c[target] = 1.0;
    for (int64_t i = 0; i < gen->of.count; i++) {
        int64_t e = order[i];
        c[jc_gen_wrt(gen, e)] += c[jc_gen_of(gen, e)] * jc_gen_weight(gen, e);
    }
    free(order);
    return c;
}

/* Entry (i, j) of H of a frame. */
static double frame_entry(const double *u, double s, int64_t i, int64_t j)
{
    return s * ((i == j) - 2.0 * u[i] * u[j]);
}

enum { MAX_SIZE = 16 };

/* Entry (i, j) of c H_T J H_S. */
static double known_total(const jc_gen *gen, int64_t t, int64_t s, double c, int64_t i, int64_t j)
{
    double u[MAX_SIZE], w[MAX_SIZE], sum = 0.0;
    int64_t p = jc_gen_size(gen, t), q = jc_gen_size(gen, s);
    double su = jc_gen_frame(gen, t, p, u), sw = jc_gen_frame(gen, s, q, w);
    for (int64_t k = 0; k < p && k < q; k++) sum += frame_entry(u, su, i, k) * frame_entry(w, sw, k, j);
    return c * sum;
}

static void expect_known_totals(const char *family, jc_order order, const char *backend, jc_dtype dtype,
                                double tolerance)
{
    jc_gen_options o = gen_defaults();
    o.dtype = dtype;
    o.seed = 5;
    jc_gen *gen = gen_make(family, &o);
    jc_graph *graph = NULL;
    cr_assert_eq(jc_gen_graph(gen, NULL, &graph), JC_OK, "%s", jc_last_error());
    int64_t target = gen->targets.first;
    jc_query query = JC_QUERY_INIT;
    query.of = &target, query.n_of = 1, query.order = order;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    options.program.backend = backend;
    jc_results *results = NULL;
    cr_assert_eq(jc_evaluate(graph, &query, &options, &results), JC_OK, "%s", jc_last_error());
    double *c = scalar_totals(gen, target);
    cr_expect_eq(jc_results_count(results), gen->sources.count);
    for (int64_t k = 0; k < jc_results_count(results); k++) {
        jc_result r;
        jc_results_get(results, k, &r);
        double worst = 0.0;
        for (int64_t i = 0; i < r.rows; i++)
            for (int64_t j = 0; j < r.cols; j++) {
                int64_t at = i * r.row_stride + j * r.col_stride;
                double value = r.dtype == JC_F64 ? ((const double *)r.data)[at] : ((const float *)r.data)[at];
                worst = fmax(worst, fabs(value - known_total(gen, target, r.wrt, c[r.wrt], i, j)));
            }
        cr_expect_leq(worst, tolerance, "%s: source %ld differs by %g", family, (long)r.wrt, worst);
    }
    free(c);
    jc_results_destroy(results);
    jc_graph_destroy(graph);
    jc_gen_destroy(gen);
}

Test(gen_families, totals_are_the_known_ones_on_every_backend_and_order)
{
    static const char *const families[] = {"chain", "ladder", "layered", "tree", "densenet", "random"};
    for (int f = 0; f < 6; f++)
        for (int b = 0; jc_backend_name(b); b++)
            for (jc_order order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++) {
                if (jc_backend_available(jc_backend_name(b))) continue;
                expect_known_totals(families[f], order, jc_backend_name(b), JC_F64, 1e-12);
                expect_known_totals(families[f], order, jc_backend_name(b), JC_F32, 1e-5);
            }
}

/* ---- depth ------------------------------------------------------------------------------------------------- */

/* A += rows x D of one edge, in doubles; A of a variable is k x size. */
static void pull_edge(jc_gen_numbers *numbers, int64_t g, int64_t e, int64_t k, double *const *adjoint)
{
    const jc_gen_group *group = jc_gen_group_at(numbers->gen, g);
    const double *of = adjoint[jc_gen_of(numbers->gen, e)];
    double *wrt = adjoint[jc_gen_wrt(numbers->gen, e)];
    double *d = edge_numbers(numbers, g, e - group->first_edge);
    for (int64_t r = 0; r < k; r++)
        for (int64_t i = 0; i < group->rows; i++)
            for (int64_t j = 0; j < group->cols; j++)
                wrt[r * group->cols + j] += of[r * group->rows + i] * d[i * group->cols + j];
    free(d);
}

static double norm(const double *x, int64_t n)
{
    double square = 0.0;
    for (int64_t i = 0; i < n; i++) square += x[i] * x[i];
    return sqrt(square);
}

/* norms [sources] = |d target / d source|, by a reverse sweep in double with the identity as seed. */
static void source_norms(const jc_gen *gen, int64_t target, double *norms)
{
    int64_t n = gen->sizes.count, k = jc_gen_size(gen, target), *order = reverse_order(gen);
    int64_t *group_of = malloc((size_t)gen->of.count * sizeof *group_of);
    double **adjoint = malloc((size_t)n * sizeof *adjoint);
    jc_gen_numbers numbers;
    cr_assert_eq(jc_gen_numbers_init(gen, &numbers), JC_OK);
    for (int64_t g = 0; g < gen->groups.count; g++)
        for (int64_t m = 0; m < jc_gen_group_at(gen, g)->n_edges; m++)
            group_of[jc_gen_group_at(gen, g)->first_edge + m] = g;
    for (int64_t v = 0; v < n; v++) adjoint[v] = calloc((size_t)(k * jc_gen_size(gen, v)), sizeof(double));
    for (int64_t i = 0; i < k; i++) adjoint[target][i * k + i] = 1.0;
    for (int64_t i = 0; i < gen->of.count; i++) pull_edge(&numbers, group_of[order[i]], order[i], k, adjoint);
    for (int64_t s = 0; s < gen->sources.count; s++) {
        int64_t v = gen->sources.first + s;
        norms[s] = norm(adjoint[v], k * jc_gen_size(gen, v));
    }
    for (int64_t v = 0; v < n; v++) free(adjoint[v]);
    jc_gen_numbers_fini(&numbers);
    free(adjoint);
    free(group_of);
    free(order);
}

/* Sizes 2 to 5, and whether the squares (or the norms themselves) over the sources are as the family promises: the two
 * leading coordinates keep theirs, the others never gain. */
static void expect_deep(const char *family, const jc_gen_options *options, bool squares, double low, double high)
{
    jc_gen *gen = gen_make(family, options);
    double norms[8], sum = 0.0;
    source_norms(gen, gen->targets.first, norms);
    for (int64_t s = 0; s < gen->sources.count; s++) sum += squares ? norms[s] * norms[s] : norms[s];
    double slack = options->dtype == JC_F64 ? 1e-9 : 1e-2;
    cr_expect(sum >= low * (1 - slack) && sum <= high * (1 + slack), "%s: %g not in %g .. %g", family, sum, low, high);
    jc_gen_destroy(gen);
}

Test(gen_families, products_neither_vanish_nor_grow_at_depth_100000, .timeout = 300)
{
    for (int t = 0; t < 2; t++) {
        jc_gen_options o = {.seed = 3, .dtype = t ? JC_F64 : JC_F32, .size_low = 2, .size_high = 5};
        o.value[JC_GEN_DEPTH] = 100000;
        expect_deep("chain", &o, true, 2.0, 5.0);
        expect_deep("ladder", &o, true, 2.0, 5.0);
        o.value[JC_GEN_FAN_IN] = 1;
        expect_deep("tree", &o, true, 2.0, 5.0);
        o.value[JC_GEN_DEPTH] = o.value[JC_GEN_FAN_IN] = 0;
        o.value[JC_GEN_BLOCKS] = 10000, o.value[JC_GEN_LAYERS] = 9;
        expect_deep("densenet", &o, true, 2.0, 5.0);
        o.value[JC_GEN_BLOCKS] = o.value[JC_GEN_LAYERS] = 0;
        o.value[JC_GEN_LEVELS] = 25000, o.value[JC_GEN_WIDTH] = 4, o.value[JC_GEN_FAN_IN] = 2;
        expect_deep("layered", &o, true, 1.0, 1.0);
        o.value[JC_GEN_LEVELS] = o.value[JC_GEN_WIDTH] = o.value[JC_GEN_FAN_IN] = 0;
        o.value[JC_GEN_VARIABLES] = 100000, o.value[JC_GEN_SPAN] = 3;
        expect_deep("random", &o, false, sqrt(2.0), sqrt(5.0));
    }
}

Test(gen_families, rnn_gradient_of_the_first_state_has_norm_one_and_parameters_grow_slowly)
{
    jc_gen_options o = gen_defaults();
    o.value[JC_GEN_TIME] = 2000, o.value[JC_GEN_HIDDEN] = 6, o.value[JC_GEN_BATCH] = 3;
    o.value[JC_GEN_INPUTS] = 2, o.value[JC_GEN_OUTPUTS] = 4;
    jc_gen *gen = gen_make("rnn", &o);
    jc_graph *graph = NULL;
    cr_assert_eq(jc_gen_graph(gen, NULL, &graph), JC_OK, "%s", jc_last_error());
    int64_t loss = jc_graph_find_variable(graph, "L"), first = jc_graph_find_variable(graph, "h0");
    jc_query query = JC_QUERY_INIT;
    query.of = &loss, query.n_of = 1;
    jc_results *results = NULL;
    cr_assert_eq(jc_evaluate(graph, &query, NULL, &results), JC_OK, "%s", jc_last_error());
    cr_expect_eq(jc_results_count(results), 6);
    for (int64_t k = 0; k < jc_results_count(results); k++) {
        jc_result r;
        jc_results_get(results, k, &r);
        double size = norm(r.data, r.cols);
        if (r.wrt == first) cr_expect_float_eq(size, 1.0, 1e-10);
        cr_expect(size > 0.1 && size < 10.0 * sqrt(2000.0), "variable %ld: %g", (long)r.wrt, size);
    }
    jc_results_destroy(results);
    jc_graph_destroy(graph);
    jc_gen_destroy(gen);
}

/* ---- errors ------------------------------------------------------------------------------------------------ */

static void expect_refused(const char *family, jc_gen_parameter parameter, int64_t value, const char *word)
{
    jc_gen_options o = gen_defaults();
    jc_gen *gen = NULL;
    o.value[parameter] = value;
    cr_expect_eq(jc_gen_create(NULL, jc_gen_family_find(family), &o, &gen), JC_E_USAGE, "%s", family);
    cr_expect_null(gen);
    cr_expect_not_null(strstr(jc_last_error(), word), "'%s' does not say %s", jc_last_error(), word);
}

Test(gen_families, wrong_options_are_refused_with_their_name)
{
    expect_refused("chain", JC_GEN_WIDTH, 3, "--width");
    expect_refused("layered", JC_GEN_DEPTH, 3, "--depth");
    expect_refused("layered", JC_GEN_WIDTH, 21, "--fan-in");
    expect_refused("random", JC_GEN_SOURCES, 100, "--sources");
    expect_refused("chain", JC_GEN_DEPTH, INT64_MAX, "64 bits");
    expect_refused("tree", JC_GEN_DEPTH, 63, "64 bits");
    expect_refused("layered", JC_GEN_LEVELS, INT64_C(1) << 61, "64 bits");
    expect_refused("densenet", JC_GEN_LAYERS, INT64_C(1) << 33, "64 bits");
    expect_refused("rnn", JC_GEN_HIDDEN, INT64_C(1) << 32, "64 bits");
    jc_gen_options o = gen_defaults();
    jc_gen *gen = NULL;
    o.size_low = 5, o.size_high = 4;
    cr_expect_eq(jc_gen_create(NULL, jc_gen_family_find("chain"), &o, &gen), JC_E_USAGE);
    o.size_high = INT64_C(1) << 40, o.size_low = o.size_high;
    cr_expect_eq(jc_gen_create(NULL, jc_gen_family_find("chain"), &o, &gen), JC_E_USAGE);
    cr_expect_eq(jc_gen_create(NULL, jc_gen_family_find("rnn"), &o, &gen), JC_E_USAGE);
    cr_expect_null(gen);
    cr_expect_null(jc_gen_family_find("chains"));
}
