/* The formulas of random graphs, as the command prints them: read again and multiplied out they are exactly the paths
 * that are found one by one. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/formula_reader.h"
#include "support/sanitized.h"

static const char *const names[] = {"w", "x1", "layer/h", "y_2", "\xce\xb1", "z%", "q&a", "L"};
enum { MAX_VARIABLES = 8, MAX_EDGES = 64, MAX_PATHS = 300 };

typedef struct net {
    jt_pool pool;
    int n, n_edges;
    int rank[MAX_VARIABLES]; /* edges lead up in it */
    int of[MAX_EDGES], wrt[MAX_EDGES];
} net;

/* How many paths lead up from v, to each variable. */
static void count_up(const net *g, int v, int *count)
{
    for (int i = 0; i < g->n; i++) count[i] = i == v;
    for (int rank = 0; rank < g->n; rank++)
        for (int e = 0; e < g->n_edges; e++)
            if (g->rank[g->wrt[e]] == rank) count[g->of[e]] += count[g->wrt[e]];
}

static bool has_few_paths(const net *g)
{
    int count[MAX_VARIABLES];
    for (int v = 0; v < g->n; v++) {
        count_up(g, v, count);
        for (int i = 0; i < g->n; i++)
            if (count[i] > MAX_PATHS) return false;
    }
    return true;
}

static void net_init(net *g, uint64_t seed)
{
    jt_rng rng = {seed};
    *g = (net){.n = (int)(seed % 8 ? jt_between(&rng, 6, MAX_VARIABLES) : 2)};
    for (int v = 0; v < g->n; v++) {
        int at = (int)jt_below(&rng, v + 1);
        g->rank[v] = g->rank[at], g->rank[at] = v;
    }
    int64_t wanted = jt_between(&rng, 2 * g->n, 5 * g->n);
    for (int64_t i = 0; i < wanted; i++) {
        int a = (int)jt_below(&rng, g->n), b = (int)jt_below(&rng, g->n), e = g->n_edges;
        if (a == b) continue;
        g->of[e] = g->rank[a] > g->rank[b] ? a : b, g->wrt[e] = g->rank[a] > g->rank[b] ? b : a;
        g->n_edges++;
        if (!has_few_paths(g)) g->n_edges--;
    }
}

static char label_of(int edge)
{
    return "aabbb"[edge * edge % 5];
}

/* Structure only. */
static void write_net(const net *g)
{
    FILE *file = fopen("net.json", "w");
    cr_assert(file);
    fprintf(file, "{\"jacchain\": 1, \"variables\": [");
    for (int v = 0; v < g->n; v++)
        fprintf(file, "%s{\"name\": \"%s\", \"size\": %d}", v ? ", " : "", names[v], 1 + v % 3);
    fprintf(file, "], \"edges\": [");
    for (int e = 0; e < g->n_edges; e++)
        fprintf(file,
                "%s{\"of\": \"%s\", \"wrt\": \"%s\", \"label\": \"%c\", \"jacobian\": {\"kind\": "
                "\"dense\"}}",
                e ? ", " : "", names[g->of[e]], names[g->wrt[e]], label_of(e));
    fprintf(file, "]}\n");
    cr_assert_eq(fclose(file), 0);
}

/* ---- paths one by one ----------------------------------------------------------------------------------------------
 */

/* What paths must do, beside leading from wrt to of. Variables are bits, ends are not counted. */
typedef struct filter {
    unsigned avoid, through; /* 0: anything */
    bool match;              /* an edge with label a comes before one with label b */
} filter;

/* What a path has met. */
typedef struct walked {
    unsigned inside; /* variables */
    int matched;     /* 1: a, 2: a and then b */
} walked;

static bool is_kept(const walked *w, const filter *f)
{
    return !(w->inside & f->avoid) && (!f->through || (w->inside & f->through)) && (!f->match || w->matched == 2);
}

static const char *edge_text(const net *g, int e, char text[64])
{
    int parallel = 0;
    for (int k = 0; k < g->n_edges; k++) parallel += g->of[k] == g->of[e] && g->wrt[k] == g->wrt[e];
    if (parallel > 1)
        snprintf(text, 64, "D[%s,%s;%d]", names[g->of[e]], names[g->wrt[e]], e);
    else
        snprintf(text, 64, "D[%s,%s]", names[g->of[e]], names[g->wrt[e]]);
    return text;
}

/* All paths from v up to `of`; before: the product up to v. */
static void find_paths(net *g, int of, int v, const char *before, walked met, const filter *f, words *w)
{
    char text[64], *product = malloc(strlen(before) + 80);
    if (v == of && is_kept(&met, f)) words_add(&g->pool, w, before);
    for (int e = 0; e < g->n_edges; e++) {
        walked next = met;
        if (g->wrt[e] != v) continue;
        if (g->of[e] != of) next.inside |= 1u << g->of[e];
        if (next.matched < 2 && label_of(e) == "ab"[next.matched]) next.matched++;
        sprintf(product, "%s%s%s", edge_text(g, e, text), *before ? " " : "", before);
        find_paths(g, of, g->of[e], product, next, f, w);
    }
    free(product);
}

static words paths_of(net *g, int of, int wrt, const filter *f)
{
    words w = {0};
    find_paths(g, of, wrt, "", (walked){0}, f, &w);
    return w;
}

/* ---- forms ------------------------------------------------------------------------------------------------------- */

typedef struct met {
    int64_t pairs, terms, parallel, states, grouped;
} met;

static void check_form(net *g, json_t *total, const char *form, words *expected, met *m)
{
    char path[64];
    words sums[2];
    int n;
    snprintf(path, sizeof path, "forms/%s/text", form);
    const char *text = json_string_value(json_at(total, path));
    cr_assert(text, "no %s", path);
    formula_read(&g->pool, text, NULL, sums, &n);
    cr_assert_geq(n, 1);
    for (int i = 0; i < n; i++) cr_assert(words_same(&sums[i], expected), "line %d of %s:\n%s", i, form, text);
    m->grouped += n > 1 && strchr(text, '(');
    m->states += strchr(text, '|') != NULL;
    m->parallel += strchr(text, ';') != NULL;
}

static void check_total(net *g, json_t *total, int of, int wrt, const filter *f, met *m)
{
    char count[32];
    words expected = paths_of(g, of, wrt, f);
    snprintf(count, sizeof count, "%lld", (long long)expected.n);
    cr_assert_str_eq(json_string_value(json_at(total, "of")), names[of]);
    cr_assert_str_eq(json_string_value(json_at(total, "wrt")), names[wrt]);
    cr_assert_str_eq(json_string_value(json_at(total, "count")), count);
    check_form(g, total, "paths", &expected, m);
    check_form(g, total, "reverse", &expected, m);
    check_form(g, total, "forward", &expected, m);
    check_form(g, total, "cheapest", &expected, m);
    m->pairs++, m->terms += expected.n;
}

/* All names, or those of a set of bits, with commas between. */
static const char *list(const net *g, unsigned bits, char text[128])
{
    text[0] = '\0';
    for (int v = 0; v < g->n; v++)
        if (bits >> v & 1) strcat(strcat(text, text[0] ? "," : ""), names[v]);
    return text;
}

/* rule: NULL, "--avoid", "--through" or "--match". */
static void check_net(uint64_t seed, const char *rule, met *m)
{
    net g;
    char all[128], some[128];
    filter f = {0};
    net_init(&g, seed);
    unsigned every = (1u << g.n) - 1, chosen = every & (9u << seed % 5);
    if (!chosen) chosen = 1;
    if (rule && strcmp(rule, "--avoid") == 0) f.avoid = chosen;
    if (rule && strcmp(rule, "--through") == 0) f.through = chosen;
    f.match = rule && !f.avoid && !f.through;
    const char *value = f.match ? ".* a .* b .*" : list(&g, chosen, some);
    write_net(&g);
    list(&g, every, all);
    json_t *root = rule ? expect_json(0, "factor", "net.json", "--of", all, "--wrt", all, "--json", rule, value, NULL)
                        : expect_json(0, "factor", "net.json", "--of", all, "--wrt", all, "--json", NULL);
    json_t *totals = json_at(root, "totals");
    cr_assert_eq((int)json_array_size(totals), g.n * g.n);
    for (int i = 0; i < g.n * g.n; i++) check_total(&g, json_array_get(totals, (size_t)i), i / g.n, i % g.n, &f, m);
    json_decref(root);
    jt_pool_free(&g.pool);
}

Test(cli_factor_random, every_form_multiplied_out_is_the_set_of_paths)
{
    met m = {0};
    folder_enter();
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(16); seed++) check_net(seed, NULL, &m);
    folder_leave();
    cr_expect(m.pairs >= jt_cases(16) * 4 && m.terms > m.pairs, "%d pairs, %d terms", (int)m.pairs, (int)m.terms);
    cr_expect(m.parallel > jt_cases(100) && m.grouped > jt_cases(100), "%d, %d", (int)m.parallel, (int)m.grouped);
    cr_expect_eq(m.states, 0);
}

/* What a path has met so far is a state: then a variable has several nodes, which formulas tell apart. */
Test(cli_factor_random, forms_of_restricted_totals_are_the_paths_that_are_kept)
{
    met m = {0};
    folder_enter();
    for (uint64_t seed = 100; seed < 100 + (uint64_t)jt_cases(8); seed++) {
        check_net(seed, "--avoid", &m);
        check_net(seed, "--through", &m);
        check_net(seed, "--match", &m);
    }
    folder_leave();
    cr_expect(m.terms > jt_cases(1000) && m.states > jt_cases(20), "%d, %d", (int)m.terms, (int)m.states);
}

/* ---- splits ------------------------------------------------------------------------------------------------------ */

typedef struct split_names {
    net *g;
    unsigned at;
} split_names;

static int variable_at(const char **text, const char *ends)
{
    size_t n = strcspn(*text, ends);
    for (int v = 0; v < MAX_VARIABLES; v++)
        if (strlen(names[v]) == n && strncmp(names[v], *text, n) == 0) return *text += n, v;
    cr_assert_fail("no variable at %s", *text);
    return -1;
}

/* dA/dB or [dA/dB]local; a name has a slash too: layer/h. */
static bool find_named(void *ctx, const char *name, words *w)
{
    split_names *s = ctx;
    bool local = *name == '[';
    const char *at = name + 1 + local, *middle = strstr(at, "/d");
    char of[32] = "";
    strncat(of, at, (size_t)(middle - at));
    const char *of_text = of, *wrt_text = middle + 2;
    int a = variable_at(&of_text, ""), b = variable_at(&wrt_text, "]");
    if (local) cr_assert_str_eq(wrt_text, "]local");
    *w = paths_of(s->g, a, b, &(filter){.avoid = local ? s->at : 0});
    return true;
}

/* Its terms without the left side, split at " + ". */
static void check_terms(json_t *total, int of, int wrt, unsigned at, bool last, int64_t *n_terms)
{
    json_t *terms = json_at(total, "forms/at/terms"), *term;
    size_t i;
    int64_t cut = 0;
    json_array_foreach(terms, i, term)
    {
        const char *variable = json_string_value(json_object_get(term, "variable"));
        const char *text = json_string_value(json_object_get(term, "text"));
        cr_expect(of == wrt || json_is_null(json_object_get(term, "norm")));
        cr_expect(of == wrt || json_is_null(json_object_get(term, "share")));
        if (!variable) continue;
        char expected[64];
        const char *name = variable;
        int z = variable_at(&name, "");
        cr_assert(at >> z & 1 && z != of && z != wrt);
        snprintf(expected, sizeof expected, last ? "d%s/d%s" : "d%s/d%s ", last ? variable : names[of],
                 last ? names[wrt] : variable);
        const char *found = strstr(text, expected);
        cr_assert(found && (last ? found != text && !found[strlen(expected)] : found == text), "%s in %s", expected,
                  text);
        cut++;
    }
    *n_terms += cut;
}

static void check_split(uint64_t seed, bool last, int64_t *n_terms, int64_t *n_local)
{
    net g;
    char all[128], some[128];
    words sums[2];
    int n;
    net_init(&g, seed);
    unsigned every = (1u << g.n) - 1, at = (unsigned)(seed * 7 + 3) & every;
    if (!at) at = every;
    split_names s = {&g, at};
    words_source source = {find_named, &s};
    write_net(&g);
    list(&g, every, all);
    json_t *root = expect_json(0, "factor", "net.json", "--of", all, "--wrt", all, last ? "--at-last" : "--at",
                               list(&g, at, some), "--json", NULL);
    for (int i = 0; i < g.n * g.n; i++) {
        json_t *total = json_array_get(json_at(root, "totals"), (size_t)i);
        const char *text = json_string_value(json_at(total, "forms/at/text"));
        words expected = paths_of(&g, i / g.n, i % g.n, &(filter){0});
        cr_assert(text);
        formula_read(&g.pool, text, &source, sums, &n);
        cr_assert_eq(n, 1);
        cr_assert(words_same(&sums[0], &expected), "at %s: %s", some, text);
        check_terms(total, i / g.n, i % g.n, at, last, n_terms);
        *n_local += strstr(text, "local") != NULL;
    }
    json_decref(root);
    jt_pool_free(&g.pool);
}

Test(cli_factor_random, splits_multiplied_out_are_the_set_of_paths)
{
    int64_t n_terms = 0, n_local = 0;
    folder_enter();
    for (uint64_t seed = 200; seed < 200 + (uint64_t)jt_cases(10); seed++) {
        check_split(seed, false, &n_terms, &n_local);
        check_split(seed, true, &n_terms, &n_local);
    }
    folder_leave();
    cr_expect(n_terms > jt_cases(100) && n_local > jt_cases(100), "%d, %d", (int)n_terms, (int)n_local);
}
