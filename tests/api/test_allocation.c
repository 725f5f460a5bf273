/* Every allocation of every stage made to fail once: a clean error each time, nothing leaked, outputs as they were.
 * What a stage needs from the stages before it is made beforehand, without failures. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "io/results.h"
#include "io/seed.h"
#include "run/norm.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/failing_jansson.h"
#include "support/random_graph.h"
#include "support/random_query.h"

/* What an output holds before a call; still afterwards where the call fails. */
static char untouched_byte;
#define UNTOUCHED ((void *)&untouched_byte)

static jc_status checked(jc_status status, const void *out)
{
    if (status) cr_assert_eq(out, UNTOUCHED, "an output was written by a call that failed: %s", jc_last_error());
    return status;
}

static void ok(jc_status status)
{
    cr_assert_eq(status, JC_OK, "%s: %s", jc_status_name(status), jc_last_error());
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

static const double numbers[64] = {1, 2, 3};
static const int64_t indices[] = {0, 1, 2, 0, 1, 2};

static jc_status add_variables(jc_graph *graph)
{
    static const int64_t sizes[3] = {3, 3, 3};
    jc_array array = jc_array_1d(JC_I64, 3, sizes);
    jc_status status = jc_graph_add_variables(graph, "v", &array);
    char name[32];
    for (int i = 0; i < 20 && !status; i++) {
        int64_t variable = -7;
        snprintf(name, sizeof name, "variable number %d", i);
        status = jc_graph_add_variable(graph, name, 3, &variable);
        cr_assert_eq(variable, status ? -7 : 3 + i);
        cr_assert_eq(jc_graph_find_variable(graph, name), status ? -1 : 3 + i);
    }
    return status;
}

static jc_status add_edges(jc_graph *graph)
{
    static const char *const labels[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    static const int64_t of[2] = {1, 2}, wrt[2] = {0, 1};
    static const double scales[2] = {1, 2};
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE), select = JC_JACOBIAN_INIT(JC_SELECT);
    jc_array ofs = jc_array_1d(JC_I64, 2, of), wrts = jc_array_1d(JC_I64, 2, wrt);
    dense.values = jc_array_2d(JC_F64, 3, 3, numbers);
    dense.values.ownership = JC_COPY;
    select.indices = jc_array_2d(JC_I64, 2, 3, indices);
    select.indices.ownership = JC_COPY;
    select.scales = scales;
    jc_status status = jc_graph_add_edges(graph, 2, &ofs, &wrts, &select, labels, 3);
    for (int i = 0; i < 12 && !status; i++) {
        int64_t before = jc_graph_edge_count(graph), kept = graph->resources.count;
        status = jc_graph_add_edge(graph, 3 + i, 2, &dense, labels + i % 10, 1 + (i % 10 < 9));
        if (!status) continue;
        cr_assert_eq(jc_graph_edge_count(graph), before);
        cr_assert_eq(graph->resources.count, kept);
        cr_assert_eq(graph->groups.count, before ? before - 1 : 0);
    }
    return status;
}

/* Four edges of two shapes, everything copied. */
static jc_status add_ragged(jc_graph *graph)
{
    static const int64_t of[4] = {20, 21, 22, 23}, wrt[4] = {0, 1, 2, 0}, offsets[5] = {0, 3, 6, 9, 10};
    static const int64_t picks[10] = {0, 1, 2, 2, 1, 0, 0, 0, 0, 0};
    static const double scales[4] = {1, 2, 3, 4};
    static const char *const label = "ragged";
    jc_array ofs = jc_array_1d(JC_I64, 4, of), wrts = jc_array_1d(JC_I64, 4, wrt);
    jc_jacobian select = JC_JACOBIAN_INIT(JC_SELECT);
    select.indices = jc_array_1d(JC_I64, 10, picks);
    select.indices.ownership = JC_COPY;
    select.scales = scales;
    select.indices_offsets = jc_array_1d(JC_I64, 5, offsets);
    int64_t edges = jc_graph_edge_count(graph), groups = graph->groups.count, kept = graph->resources.count;
    jc_status status = jc_graph_add_edges(graph, 4, &ofs, &wrts, &select, &label, 1);
    cr_assert_eq(jc_graph_edge_count(graph), edges + (status ? 0 : 4));
    cr_assert_eq(graph->groups.count, groups + (status ? 0 : 2));
    cr_assert_eq(graph->resources.count, kept + (status ? 0 : 2));
    return status;
}

static jc_status build_body(void *ctx)
{
    jc_graph_options options = {.struct_size = sizeof options, .allocator = ctx};
    jc_graph *graph = UNTOUCHED;
    jc_status status = checked(jc_graph_create(&options, &graph), graph);
    if (status) return status;
    status = add_variables(graph);
    if (!status) status = add_edges(graph);
    if (!status) status = jc_graph_add_variable(graph, "one", 1, NULL);
    if (!status) status = add_ragged(graph);
    if (!status) status = jc_graph_finish(graph);
    jc_graph_destroy(graph);
    return status;
}

Test(allocation, building_a_graph)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    int64_t n = failing_allocator_sweep(&memory, "building", build_body, &allocator);
    cr_expect_gt(n, 30, "only %lld allocations were seen", (long long)n);
    cr_expect_eq(memory.live_blocks, 0);
}

/* The order's memory runs out, and finishing again with enough succeeds. */
Test(allocation, a_graph_can_be_finished_after_memory_ran_out)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator};
    jc_graph *graph;
    ok(jc_graph_create(&options, &graph));
    ok(add_variables(graph));
    ok(add_edges(graph));
    for (int64_t n = 0; n < 6; n++) {
        memory.calls = 0;
        memory.fail_at = n;
        cr_expect_eq(jc_graph_finish(graph), JC_E_MEMORY);
    }
    memory.fail_at = -1;
    ok(jc_graph_finish(graph));
    jc_graph_destroy(graph);
    cr_expect_eq(memory.live_blocks, 0);
    cr_expect_eq(memory.defects, 0);
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

typedef struct load {
    const char *path;
    const jc_allocator *allocator;
    uint64_t digest;
} load;

static uint64_t mix(uint64_t digest, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) digest = (digest ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
    return digest;
}

static uint64_t mix_edge(uint64_t d, const jc_graph *g, int64_t e)
{
    const jc_group *group = jc_graph_group(g, e);
    jc_jac jac = jc_group_member(group, e - group->first_edge, NULL);
    int64_t ends[2];
    jc_graph_edge(g, e, &ends[0], &ends[1]);
    d = mix(d, ends, sizeof ends);
    d = mix(d, &jac.scale, sizeof jac.scale);
    for (int f = 0; f < jc_kinds[group->shape.kind].n_fields; f++)
        d = mix(d, jac.data[f],
                (size_t)(group->field[f].elements * ((jac.dtype[f] == JC_F64 || jac.dtype[f] == JC_I64) ? 8 : 4)));
    const jc_label_set *set = (const jc_label_set *)g->label_sets.data + group->label_set;
    for (int64_t i = 0; i < set->count; i++) {
        const char *label = ((char *const *)g->label_names.data)[((const int64_t *)g->set_labels.data)[set->first + i]];
        d = mix(d, label, strlen(label));
    }
    return d;
}

/* All that a graph holds in one number. */
static uint64_t graph_digest(const jc_graph *g)
{
    uint64_t d = 1;
    char name[256];
    for (int64_t v = 0; v < jc_graph_variable_count(g); v++) {
        int64_t size = jc_graph_variable_size(g, v);
        d = mix(d, name, jc_graph_variable_name(g, v, name, sizeof name));
        d = mix(d, &size, sizeof size);
    }
    for (int64_t e = 0; e < jc_graph_edge_count(g); e++) d = mix_edge(d, g, e);
    return d;
}

static jc_status load_body(void *ctx)
{
    load *l = ctx;
    jc_graph_options options = {.struct_size = sizeof options, .allocator = l->allocator};
    jc_graph *graph = UNTOUCHED;
    jc_status status = checked(jc_graph_load(l->path, &options, &graph), graph);
    if (status) return status;
    uint64_t digest = graph_digest(graph);
    if (!l->digest) l->digest = digest;
    cr_assert_eq(digest, l->digest, "%s was read as another graph", l->path);
    jc_graph_destroy(graph);
    return JC_OK;
}

static void sweep_load(const char *path)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    failing_jansson_route(&allocator);
    load l = {path, &allocator, 0};
    ok(load_body(&l));
    failing_allocator_sweep(&memory, path, load_body, &l);
    cr_expect_eq(memory.live_blocks, 0);
}

Test(allocation, loading_a_small_document)
{
    sweep_load(JC_EXAMPLES "/post.json");
}

Test(allocation, loading_a_document_with_a_side_file)
{
    sweep_load(JC_EXAMPLES "/digits_rnn.json");
}

/* Names, labels and numbers longer than any buffer that a parser begins with, and an integer beyond 64 bits, for which
 * the text is read a second time: a character that gets lost where memory runs out makes another graph. */
static const char long_document[] =
    "{\"jacchain\": 1, \"metadata\": {\"a long key that is not looked at\": [[[1, 2.5e10]], {\"deep\": null}]},"
    " \"variables\": [{\"name\": \"a name that is longer than sixteen and than thirty-two bytes \xC3\xA9\\u00e9\", "
    "\"size\": 2},"
    " {\"name\": \"another name of more than sixteen bytes\", \"size\": 2, \"metadata\": true}],"
    " \"edges\": [{\"of\": \"another name of more than sixteen bytes\","
    " \"wrt\": \"a name that is longer than sixteen and than thirty-two bytes \xC3\xA9\\u00e9\","
    " \"label\": [\"label:of/more-than_sixteen_bytes\", \"b\"], \"jacobian\": {\"kind\": \"dense\", \"values\":"
    " [[0.123456789012345678901234567890123456789, 12345678901234567890123456789], [1e-300, "
    "-0.000000000000000000012345]]}}]}";

Test(allocation, loading_a_document_of_long_words)
{
    char path[] = "/tmp/jacchain-allocation-XXXXXX";
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, long_document, sizeof long_document - 1), (ssize_t)sizeof long_document - 1);
    close(file);
    sweep_load(path);
    unlink(path);
}

/* ---- planning, lowering, running --------------------------------------------------------------------------------- */

/* A random graph of all kinds whose memory fails, and a query to it. */
typedef struct stage {
    failing_allocator memory;
    jc_allocator allocator;
    jt_graph random;
    const jc_graph *graph;
    jt_query query;
    jc_program_options options;
    jc_plan *plan;
    jc_program *program;
    double *seed;
} stage;

static void stage_init(stage *s, uint64_t seed)
{
    jt_rng rng = {seed};
    s->allocator = failing_allocator_init(&s->memory, -1);
    jt_graph_options options = {.seed = seed, .n_variables = 7, .max_paths = 100, .allocator = &s->allocator};
    jt_graph_random(&options, &s->random);
    s->graph = s->random.graph;
    s->options = (jc_program_options)JC_PROGRAM_OPTIONS_INIT;
    s->options.threads = 2;
    jt_query_totals(&rng, &s->random, &s->query);
    s->query.query.search_seconds = 1e-6; /* each of a thousand times */
}

static void stage_fini(stage *s)
{
    jt_graph_fini(&s->random);
    cr_expect_eq(s->memory.live_blocks, 0);
    cr_expect_eq(s->memory.live_bytes, 0);
    cr_expect_eq(s->memory.defects, 0);
}

static jc_status plan_body(void *ctx)
{
    stage *s = ctx;
    jc_plan *plan = UNTOUCHED;
    jc_status status = checked(jt_plan_create(s->graph, &s->query.query, 0, &plan), plan);
    if (!status) jc_plan_destroy(plan);
    return status;
}

static jc_status program_body(void *ctx)
{
    stage *s = ctx;
    jc_program *program = UNTOUCHED;
    jc_status status = checked(jc_program_create(s->plan, &s->options, &program), program);
    if (!status) jc_program_destroy(program);
    return status;
}

/* The first used field of floating numbers of the graph is bound to itself. */
static jc_status bind_body(const stage *s, jc_run *run)
{
    for (int64_t e = 0; e < jc_graph_edge_count(s->graph); e++) {
        const jc_group *group = jc_graph_group(s->graph, e);
        const jc_kind_info *info = &jc_kinds[group->shape.kind];
        for (int f = 0; f < info->n_fields; f++)
            if (!info->field[f].is_index)
                return jc_run_bind_jacobian(run, e, info->field[f].name, group->field[f].dtype, group->field[f].data);
    }
    return JC_OK;
}

static jc_status run_body(void *ctx)
{
    stage *s = ctx;
    jc_run *run = UNTOUCHED;
    jc_status status = checked(jc_run_create(s->program, &run), run);
    if (status) return status;
    if (s->query.query.seed != JC_SEED_NONE) status = jc_run_bind_seed(run, JC_F64, s->seed);
    if (!status) status = bind_body(s, run);
    int64_t calls = s->memory.calls;
    for (int i = 0; i < 2 && !status; i++) {
        status = jc_run_execute(run);
        cr_assert_eq(status, JC_OK, "executing: %s", jc_last_error());
    }
    jc_result result;
    for (int64_t i = 0; i < jc_run_result_count(run) && !status; i++) status = jc_run_result(run, i, &result);
    cr_assert_eq(s->memory.calls, calls, "executing allocated");
    jc_run_destroy(run);
    return status;
}

static jc_status evaluate_body(void *ctx)
{
    stage *s = ctx;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = s->options};
    const jc_query *q = &s->query.query;
    bool rows = q->seed == JC_SEED_ROWS;
    if (q->seed != JC_SEED_NONE) {
        int64_t size = jc_graph_variable_size(s->graph, rows ? q->of[0] : q->wrt[0]);
        options.seed = jc_array_2d(JC_F64, rows ? q->seed_width : size, rows ? size : q->seed_width, s->seed);
    }
    jc_results *results = UNTOUCHED;
    jc_status status = checked(jc_evaluate(s->graph, q, &options, &results), results);
    if (!status) jc_results_destroy(results);
    return status;
}

static jc_status check_body(void *ctx)
{
    stage *s = ctx;
    jc_check_report *report = UNTOUCHED;
    jc_status status = checked(jc_check(s->graph, &s->query.query, &s->options, &report), report);
    if (!status) jc_check_destroy(report);
    return status;
}

/* Plan, program and run of the stage's query on every backend; the sweeps name the backend. */
static void sweep_backends(stage *s)
{
    char what[64];
    for (int i = 0; jc_backend_name(i); i++) {
        if (jc_backend_available(jc_backend_name(i))) continue;
        s->options.backend = jc_backend_name(i);
        ok(jt_plan_create(s->graph, &s->query.query, 0, &s->plan));
        snprintf(what, sizeof what, "a program on %s", s->options.backend);
        failing_allocator_sweep(&s->memory, what, program_body, s);
        ok(jc_program_create(s->plan, &s->options, &s->program));
        snprintf(what, sizeof what, "a run on %s", s->options.backend);
        failing_allocator_sweep(&s->memory, what, run_body, s);
        jc_program_destroy(s->program);
        jc_plan_destroy(s->plan);
        snprintf(what, sizeof what, "evaluating on %s", s->options.backend);
        failing_allocator_sweep(&s->memory, what, evaluate_body, s);
    }
    s->options.backend = NULL;
}

enum { N_GRAPHS = 12 };

Test(allocation, planning)
{
    for (uint64_t seed = 1; seed <= N_GRAPHS; seed++) {
        stage s = {0};
        stage_init(&s, seed);
        for (int order = JC_ORDER_AUTO; order <= JC_ORDER_ELIMINATION; order++) {
            s.query.query.order = (jc_order)order;
            failing_allocator_sweep(&s.memory, "planning", plan_body, &s);
        }
        stage_fini(&s);
    }
}

Test(allocation, totals_on_every_backend)
{
    for (uint64_t seed = 1; seed <= N_GRAPHS; seed++) {
        stage s = {0};
        stage_init(&s, seed);
        s.query.query.order = (jc_order)(JC_ORDER_REVERSE + seed % 3);
        sweep_backends(&s);
        stage_fini(&s);
    }
}

Test(allocation, products_with_seeds_on_every_backend)
{
    for (uint64_t seed = 1; seed <= N_GRAPHS; seed++) {
        stage s = {0};
        stage_init(&s, seed);
        jt_rng rng = {seed};
        jt_query_seeded(&rng, &s.random, seed % 2 ? JC_SEED_ROWS : JC_SEED_COLUMNS, &s.query);
        s.seed = calloc(10000, sizeof *s.seed);
        sweep_backends(&s);
        free(s.seed);
        stage_fini(&s);
    }
}

/* The one call that may get along with less memory: windows of the seed. */
Test(allocation, evaluating_under_a_memory_limit)
{
    for (uint64_t seed = 1; seed <= N_GRAPHS; seed++) {
        stage s = {0};
        stage_init(&s, seed);
        s.query.query.n_of = 1;
        s.query.query.order = JC_ORDER_REVERSE;
        s.options.backend = "reference";
        jc_plan *plan = NULL;
        jc_program *program = NULL;
        ok(jc_plan_create(s.graph, &s.query.query, &plan));
        ok(jc_program_create(plan, &s.options, &program));
        s.options.memory_limit = program->peak_bytes - 1;
        jc_program_destroy(program);
        jc_plan_destroy(plan);
        jc_status status = s.options.memory_limit > 0 ? evaluate_body(&s) : JC_E_LIMIT;
        if (status == JC_OK) failing_allocator_sweep(&s.memory, "windows", evaluate_body, &s);
        stage_fini(&s);
    }
}

Test(allocation, checking)
{
    for (uint64_t seed = 1; seed <= N_GRAPHS; seed++) {
        stage s = {0};
        stage_init(&s, seed);
        for (int i = 0; jc_backend_name(i); i++) {
            if (jc_backend_available(jc_backend_name(i))) continue;
            s.options.backend = jc_backend_name(i);
            failing_allocator_sweep(&s.memory, "checking", check_body, &s);
        }
        stage_fini(&s);
    }
}

/* Only every second edge counts. */
Test(allocation, totals_over_chosen_edges)
{
    for (uint64_t seed = 1; seed <= N_GRAPHS; seed++) {
        stage s = {0};
        int64_t edges[256], n = 0;
        stage_init(&s, seed);
        for (int64_t e = 0; e < jc_graph_edge_count(s.graph) && n < 256; e += 2) edges[n++] = e;
        s.query.query.edges = edges, s.query.query.n_edges = n;
        failing_allocator_sweep(&s.memory, "planning chosen edges", plan_body, &s);
        failing_allocator_sweep(&s.memory, "evaluating chosen edges", evaluate_body, &s);
        failing_allocator_sweep(&s.memory, "checking chosen edges", check_body, &s);
        stage_fini(&s);
    }
}

static jc_status partial_body(void *ctx)
{
    stage *s = ctx;
    int64_t of, wrt;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = s->options};
    jc_results *results = UNTOUCHED;
    jc_graph_edge(s->graph, 0, &of, &wrt);
    jc_status status = checked(jc_evaluate_partial(s->graph, of, wrt, JC_ORDER_AUTO, &options, &results), results);
    if (!status) jc_results_destroy(results);
    return status;
}

Test(allocation, partials)
{
    for (uint64_t seed = 1; seed <= N_GRAPHS; seed++) {
        stage s = {0};
        stage_init(&s, seed);
        failing_allocator_sweep(&s.memory, "a partial", partial_body, &s);
        stage_fini(&s);
    }
}

static jc_status magnitude_body(void *ctx)
{
    stage *s = ctx;
    double norm = -1;
    jc_status status = jc_magnitude_norm(s->graph, &s->query.query, 0, JC_NORM_FROBENIUS, &norm);
    cr_assert(status ? norm == -1 : norm >= 0);
    return status;
}

Test(allocation, sums_over_absolute_values)
{
    for (uint64_t seed = 1; seed <= N_GRAPHS; seed++) {
        stage s = {0};
        stage_init(&s, seed);
        s.query.query.n_of = 1;
        s.query.query.wrt = s.query.wrt, s.query.query.n_wrt = 1;
        s.query.wrt[0] = s.random.topological[0];
        failing_allocator_sweep(&s.memory, "absolute values", magnitude_body, &s);
        stage_fini(&s);
    }
}

/* ---- the trained network ----------------------------------------------------------------------------------------- */

typedef struct network {
    failing_allocator memory;
    jc_allocator allocator;
    jc_graph *graph;
    jc_results *results;
    jc_result *items; /* [n] */
    int64_t n;
    jc_results_file *expected;
    char path[256];
    uint64_t digest; /* of the file written without failures */
} network;

static void network_init(network *w)
{
    w->allocator = failing_allocator_init(&w->memory, -1);
    failing_jansson_route(&w->allocator);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &w->allocator};
    ok(jc_graph_load(JC_EXAMPLES "/digits_rnn.json", &options, &w->graph));
    static int64_t of, wrt[2];
    of = jc_graph_find_variable(w->graph, "L");
    wrt[0] = jc_graph_find_variable(w->graph, "W_rec");
    wrt[1] = jc_graph_find_variable(w->graph, "b");
    jc_query query = JC_QUERY_INIT;
    query.of = &of, query.n_of = 1;
    query.wrt = wrt, query.n_wrt = 2;
    jc_evaluate_options evaluate = {.struct_size = sizeof evaluate, .program = JC_PROGRAM_OPTIONS_INIT};
    evaluate.program.threads = 2;
    ok(jc_evaluate(w->graph, &query, &evaluate, &w->results));
    w->n = jc_results_count(w->results);
    w->items = calloc((size_t)w->n, sizeof *w->items);
    for (int64_t i = 0; i < w->n; i++) ok(jc_results_get(w->results, i, &w->items[i]));
}

static void network_fini(network *w)
{
    free(w->items);
    jc_results_destroy(w->results);
    jc_graph_destroy(w->graph);
    cr_expect_eq(w->memory.live_blocks, 0);
    cr_expect_eq(w->memory.defects, 0);
}

/* The only file of `folder` is `name`; its digest. */
static uint64_t only_file(const char *folder, const char *name)
{
    char path[512], buffer[4096];
    uint64_t digest = 1;
    DIR *d = opendir(folder);
    cr_assert_not_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') cr_assert_str_eq(e->d_name, name, "%s is left in the folder", e->d_name);
    closedir(d);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file));) digest = mix(digest, buffer, n);
    fclose(file);
    return digest;
}

static const char what_was_there[] = "what was there";

static jc_status write_body(void *ctx)
{
    network *w = ctx;
    char folder[256];
    snprintf(folder, sizeof folder, "%s", w->path);
    *strrchr(folder, '/') = '\0';
    FILE *file = fopen(w->path, "wb");
    cr_assert_not_null(file);
    fputs(what_was_there, file);
    fclose(file);
    jc_status status = jc_results_write(w->graph, w->items, w->n, w->path);
    uint64_t digest = only_file(folder, "results.safetensors");
    if (status) cr_assert_eq(digest, mix(1, what_was_there, strlen(what_was_there)), "the old file was written over");
    if (!status && !w->digest) w->digest = digest;
    if (!status) cr_assert_eq(digest, w->digest, "another file was written");
    return status;
}

Test(allocation, writing_results_leaves_the_old_file_or_the_whole_new_one)
{
    network w = {0};
    char folder[] = "/tmp/jacchain-allocation-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    network_init(&w);
    snprintf(w.path, sizeof w.path, "%s/results.safetensors", folder);
    ok(write_body(&w));
    int64_t n = failing_allocator_sweep(&w.memory, "writing", write_body, &w);
    cr_expect_gt(n, 10);
    unlink(w.path);
    rmdir(folder);
    network_fini(&w);
}

static jc_status read_body(void *ctx)
{
    network *w = ctx;
    jc_results_file *file = UNTOUCHED;
    jc_status status =
        checked(jc_results_file_open(JC_EXAMPLES "/digits_rnn.expected.safetensors", w->graph, &file), file);
    if (!status) jc_results_file_close(file);
    return status;
}

static jc_status against_body(void *ctx)
{
    network *w = ctx;
    jc_check_report *report = UNTOUCHED;
    const jc_results_file *e = w->expected;
    jc_status status =
        checked(jc_check_against(w->graph, e->n, e->of, e->wrt, e->values, JC_PRECISION_F64, &report), report);
    if (!status) jc_check_destroy(report);
    return status;
}

Test(allocation, reading_and_judging_results_computed_elsewhere)
{
    network w = {0};
    network_init(&w);
    failing_allocator_sweep(&w.memory, "reading results", read_body, &w);
    ok(jc_results_file_open(JC_EXAMPLES "/digits_rnn.expected.safetensors", w.graph, &w.expected));
    failing_allocator_sweep(&w.memory, "judging results", against_body, &w);
    jc_results_file_close(w.expected);
    network_fini(&w);
}
