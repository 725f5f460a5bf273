/* What a graph answers once built: names, edges, groups, labels, ownership, order. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/dtype.h"
#include "graph/help.h"
#include "support/failing_allocator.h"

static const jc_group *group_of(const jc_graph *graph, int64_t e, int64_t *member)
{
    const jc_group *group = jc_graph_group(graph, e);
    *member = e - group->first_edge;
    return group;
}

/* Element i of field f of edge e. */
static double number(const jc_graph *graph, int64_t e, int f, int64_t i)
{
    int64_t member;
    const jc_group *group = group_of(graph, e, &member);
    jc_jac jac = jc_group_member(group, member, NULL);
    return jc_load_float(jac.dtype[f], jac.data[f], i);
}

Test(builder, names_sizes_and_edges_are_given_back)
{
    jc_graph *graph = new_graph();
    static const char *const names[] = {"w", "x y", "\xC3\xA9t\xC3\xA9", "dL/dw", "\xF0\x9F\x98\x80", "v07"};
    for (int i = 0; i < 6; i++) cr_expect_eq(variable(graph, names[i], 1 + i), i);
    char text[64];
    for (int i = 0; i < 6; i++) {
        cr_expect_eq(jc_graph_find_variable(graph, names[i]), i);
        cr_expect_eq(jc_graph_variable_size(graph, i), 1 + i);
        cr_expect_eq(jc_graph_variable_name(graph, i, text, sizeof text), strlen(names[i]));
        cr_expect_str_eq(text, names[i]);
    }
    cr_expect_eq(jc_graph_variable_name(graph, 1, text, 3), 3u);
    cr_expect_str_eq(text, "x ");
    cr_expect_eq(jc_graph_variable_name(graph, 3, NULL, 0), 5u);
    cr_expect_eq(jc_graph_variable_name(graph, 6, text, sizeof text), 0u);
    cr_expect_eq(jc_graph_variable_size(graph, -1), 0);
    cr_expect_eq(jc_graph_find_variable(graph, "W"), -1);
    cr_expect_eq(jc_graph_find_variable(graph, ""), -1);
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    edge(graph, 3, 1, &dense);
    edge(graph, 3, 1, &dense);
    int64_t of, wrt;
    jc_graph_edge(graph, 1, &of, &wrt);
    cr_expect(of == 3 && wrt == 1);
    jc_graph_edge(graph, 2, &of, &wrt);
    cr_expect(of == -1 && wrt == -1);
    cr_expect_str_eq(jc_graph_edge_text(graph, 3, 1, text, sizeof text), "dL/dw <- x y");
    cr_expect_eq(jc_graph_variable_count(graph), 6);
    cr_expect_eq(jc_graph_edge_count(graph), 2);
    jc_graph_destroy(graph);
    jc_graph_destroy(NULL);
}

Test(builder, prefixed_names_are_found_only_in_canonical_decimal)
{
    jc_graph *graph = new_graph();
    int32_t sizes[12];
    for (int i = 0; i < 12; i++) sizes[i] = i + 1;
    jc_array array = jc_array_1d(JC_I32, 12, sizes);
    cr_assert_eq(jc_graph_add_variables(graph, "v", &array), JC_OK, "%s", jc_last_error());
    sizes[3] = 100; /* copied: no matter */
    char text[16];
    cr_expect_eq(jc_graph_variable_name(graph, 11, text, sizeof text), 3u);
    cr_expect_str_eq(text, "v11");
    cr_expect_eq(jc_graph_variable_size(graph, 3), 4);
    static const struct {
        const char *name;
        int64_t variable;
    } cases[] = {{"v0", 0},   {"v11", 11}, {"v12", -1}, {"v00", -1}, {"v01", -1}, {"v", -1},
                 {"v-1", -1}, {"v1 ", -1}, {"v+1", -1}, {"1", -1},   {"V1", -1},  {"v99999999999999999999999", -1},
                 {"v1x", -1}, {"vv1", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(jc_graph_find_variable(graph, cases[i].name), cases[i].variable, "%s", cases[i].name);
    cr_expect_eq(variable(graph, "v12", 1), 12);
    cr_expect_eq(variable(graph, "v01", 1), 13);
    cr_expect_eq(jc_graph_find_variable(graph, "v12"), 12);
    cr_expect_eq(jc_graph_find_variable(graph, "v01"), 13);
    cr_expect_eq(jc_graph_add_variable(graph, "v5", 1, NULL), JC_E_INPUT);
    jc_graph_destroy(graph);
}

Test(builder, an_empty_prefix_names_by_number)
{
    jc_graph *graph = new_graph();
    int64_t sizes[3] = {1, 2, 3};
    jc_array array = jc_array_1d(JC_I64, 3, sizes);
    cr_assert_eq(jc_graph_add_variables(graph, "", &array), JC_OK);
    cr_expect_eq(jc_graph_find_variable(graph, "2"), 2);
    cr_expect_eq(jc_graph_find_variable(graph, ""), -1);
    jc_graph_destroy(graph);
}

Test(builder, many_names_are_all_found_again)
{
    jc_graph *graph = new_graph();
    char name[32];
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "layer%d/h%d", i % 7, i);
        cr_assert_eq(variable(graph, name, 1), i);
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "layer%d/h%d", i % 7, i);
        cr_assert_eq(jc_graph_find_variable(graph, name), i);
    }
    jc_graph_destroy(graph);
}

/* Three dense Jacobians, batch 2 with a block each, as a group and one by one. */
Test(builder, members_of_a_group_are_the_edges_one_by_one)
{
    double values[3 * 2 * 2 * 3];
    for (int i = 0; i < 36; i++) values[i] = i + 0.5;
    int64_t sizes[4] = {6, 4, 6, 4};
    int32_t of[3] = {1, 3, 1}, wrt[3] = {0, 2, 2};
    jc_array size_array = jc_array_1d(JC_I64, 4, sizes), ofs = jc_array_1d(JC_I32, 3, of);
    jc_array wrts = jc_array_1d(JC_I32, 3, wrt);
    jc_jacobian all = JC_JACOBIAN_INIT(JC_DENSE);
    all.batch = 2;
    all.values = array_4d(JC_F64, 3, 2, 2, 3, values);
    jc_graph *grouped = new_graph(), *single = new_graph();
    cr_assert_eq(jc_graph_add_variables(grouped, "v", &size_array), JC_OK);
    cr_assert_eq(jc_graph_add_variables(single, "v", &size_array), JC_OK);
    cr_assert_eq(jc_graph_add_edges(grouped, 3, &ofs, &wrts, &all, NULL, 0), JC_OK, "%s", jc_last_error());
    for (int i = 0; i < 3; i++) {
        jc_jacobian one = JC_JACOBIAN_INIT(JC_DENSE);
        one.batch = 2;
        one.values = array_3d(JC_F64, 2, 2, 3, values + 12 * i);
        edge(single, of[i], wrt[i], &one);
    }
    for (int e = 0; e < 3; e++) {
        int64_t a, b, member;
        jc_graph_edge(grouped, e, &a, &b);
        cr_expect(a == of[e] && b == wrt[e]);
        const jc_group *group = group_of(grouped, e, &member);
        cr_expect_eq(member, e);
        cr_expect_eq(group->field[0].elements, 12);
        cr_expect(group->field[0].batched);
        cr_expect(group->shape.p == 2 && group->shape.q == 3);
        for (int i = 0; i < 12; i++) {
            cr_expect_eq(number(grouped, e, 0, i), 12 * e + i + 0.5);
            cr_expect_eq(number(single, e, 0, i), 12 * e + i + 0.5);
        }
        cr_expect_eq(jc_group_cost(group, member, JC_TANGENT), jc_group_cost(jc_graph_group(single, e), 0, JC_TANGENT));
    }
    jc_graph_destroy(grouped);
    jc_graph_destroy(single);
}

Test(builder, bases_replace_the_graph_s_numbers)
{
    float values[8] = {0, 1, 2, 3, 4, 5, 6, 7}, others[8] = {10, 11, 12, 13, 14, 15, 16, 17};
    int64_t sizes[3] = {4, 4, 4}, of[2] = {1, 2}, wrt[2] = {0, 1};
    jc_array size_array = jc_array_1d(JC_I64, 3, sizes), ofs = jc_array_1d(JC_I64, 2, of);
    jc_array wrts = jc_array_1d(JC_I64, 2, wrt);
    jc_jacobian diagonal = JC_JACOBIAN_INIT(JC_DIAGONAL);
    diagonal.values = jc_array_2d(JC_F32, 2, 4, values);
    jc_graph *graph = new_graph();
    cr_assert_eq(jc_graph_add_variables(graph, "v", &size_array), JC_OK);
    cr_assert_eq(jc_graph_add_edges(graph, 2, &ofs, &wrts, &diagonal, NULL, 0), JC_OK, "%s", jc_last_error());
    const unsigned char *bases[JC_MAX_FIELDS] = {(const unsigned char *)others};
    jc_jac jac = jc_group_member(jc_graph_group(graph, 1), 1, bases);
    cr_expect_eq(jc_load_float(jac.dtype[0], jac.data[0], 2), 16);
    cr_expect_eq(number(graph, 1, 0, 2), 6);
    jc_graph_destroy(graph);
}

Test(builder, borrowed_arrays_follow_the_caller_and_copied_ones_do_not)
{
    double d[2] = {1, 2};
    int64_t picks[2] = {1, 0};
    jc_graph *graph = new_graph();
    int64_t x = variable(graph, "x", 2), y = variable(graph, "y", 2);
    jc_jacobian jacobian = JC_JACOBIAN_INIT(JC_DIAGONAL), select = JC_JACOBIAN_INIT(JC_SELECT);
    jacobian.values = jc_array_1d(JC_F64, 2, d);
    edge(graph, y, x, &jacobian);
    jacobian.values.ownership = JC_COPY;
    edge(graph, y, x, &jacobian);
    select.indices = jc_array_1d(JC_I64, 2, picks);
    select.indices.ownership = JC_COPY;
    edge(graph, y, x, &select);
    d[1] = 20;
    picks[0] = 77;
    cr_expect_eq(number(graph, 0, 0, 1), 20);
    cr_expect_eq(number(graph, 1, 0, 1), 2);
    jc_jac jac = jc_group_member(jc_graph_group(graph, 2), 0, NULL);
    cr_expect_eq(jc_load_index(jac.dtype[0], jac.data[0], 0), 1);
    jc_graph_destroy(graph);
}

/* Every array at an odd address; the sanitizers watch. */
Test(builder, arrays_may_lie_at_any_byte)
{
    unsigned char bytes[6][64];
    double values[2] = {1.25, -3};
    int64_t indptr[3] = {0, 1, 2}, ends[2] = {1, 0}, sizes[2] = {2, 2};
    int32_t indices[2] = {1, 0};
    memcpy(bytes[0] + 1, values, sizeof values);
    memcpy(bytes[1] + 3, indptr, sizeof indptr);
    memcpy(bytes[2] + 5, indices, sizeof indices);
    memcpy(bytes[3] + 7, ends, sizeof ends);
    memcpy(bytes[4] + 1, sizes, sizeof sizes);
    jc_array size_array = jc_array_1d(JC_I64, 2, bytes[4] + 1);
    jc_array of = jc_array_1d(JC_I64, 1, bytes[3] + 7), wrt = jc_array_1d(JC_I64, 1, bytes[3] + 15);
    jc_jacobian csr = JC_JACOBIAN_INIT(JC_CSR);
    csr.values = jc_array_2d(JC_F64, 1, 2, bytes[0] + 1);
    csr.indptr = jc_array_2d(JC_I64, 1, 3, bytes[1] + 3);
    csr.indices = jc_array_2d(JC_I32, 1, 2, bytes[2] + 5);
    csr.indices.ownership = JC_COPY;
    jc_graph *graph = new_graph();
    cr_assert_eq(jc_graph_add_variables(graph, "v", &size_array), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_graph_add_edges(graph, 1, &of, &wrt, &csr, NULL, 0), JC_OK, "%s", jc_last_error());
    cr_expect_eq(number(graph, 0, 2, 1), -3);
    cr_expect_eq(jc_graph_variable_size(graph, 1), 2);
    jc_graph_destroy(graph);
}

Test(builder, an_empty_csr_is_a_matrix_of_zeros)
{
    int64_t indptr[4] = {0, 0, 0, 0};
    jc_jacobian csr = JC_JACOBIAN_INIT(JC_CSR);
    csr.indptr = jc_array_1d(JC_I64, 4, indptr);
    csr.indices = jc_array_1d(JC_I64, 0, NULL);
    csr.values = jc_array_1d(JC_F64, 0, NULL);
    csr.values.ownership = JC_COPY;
    jc_graph *graph = new_graph();
    int64_t x = variable(graph, "x", 2), y = variable(graph, "y", 3);
    const jc_group *group = jc_graph_group(graph, edge(graph, y, x, &csr));
    cr_expect(group->has_numbers);
    cr_expect_eq(jc_group_cost(group, 0, JC_TANGENT), 0);
    jc_graph_destroy(graph);
}

static int64_t label_set(jc_graph *graph, int64_t of, int64_t wrt, const char *const *labels, int64_t n)
{
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    cr_assert_eq(jc_graph_add_edge(graph, of, wrt, &dense, labels, n), JC_OK, "%s", jc_last_error());
    return jc_graph_group(graph, jc_graph_edge_count(graph) - 1)->label_set;
}

Test(builder, equal_label_sets_are_kept_once_in_the_order_given)
{
    jc_graph *graph = new_graph();
    int64_t x = variable(graph, "x", 2), y = variable(graph, "y", 3);
    const char *const ab[] = {"a", "b:1/2-c_", "a"}, *const b[] = {"b:1/2-c_"};
    cr_expect_eq(label_set(graph, y, x, NULL, 0), 0);
    int64_t first = label_set(graph, y, x, ab, 2);
    cr_expect_eq(label_set(graph, y, x, ab, 3), first);
    int64_t second = label_set(graph, y, x, b, 1);
    cr_expect_neq(second, first);
    cr_expect_eq(label_set(graph, y, x, b, 1), second);
    cr_expect_eq(graph->label_names.count, 2);
    const jc_label_set *set = (const jc_label_set *)graph->label_sets.data + first;
    cr_expect_eq(set->count, 2);
    const int64_t *ids = (const int64_t *)graph->set_labels.data + set->first;
    cr_expect_str_eq(((char *const *)graph->label_names.data)[ids[0]], "a");
    cr_expect_str_eq(((char *const *)graph->label_names.data)[ids[1]], "b:1/2-c_");
    jc_graph_destroy(graph);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* The order has every variable once, each after all that it depends on; adjacency lists every edge at both its ends. */
static void expect_ordered(const jc_graph *g)
{
    int64_t n = jc_graph_variable_count(g), n_edges = jc_graph_edge_count(g);
    int64_t *place = malloc((size_t)n * sizeof *place);
    for (int64_t v = 0; v < n; v++) place[v] = -1;
    for (int64_t i = 0; i < n; i++) {
        cr_assert(g->topological[i] >= 0 && g->topological[i] < n);
        cr_assert_eq(place[g->topological[i]], -1);
        place[g->topological[i]] = i;
    }
    for (int64_t e = 0; e < n_edges; e++) cr_assert_lt(place[jc_graph_wrt(g, e)], place[jc_graph_of(g, e)]);
    cr_assert_eq(g->in_start[0], 0);
    cr_assert_eq(g->in_start[n], n_edges);
    cr_assert_eq(g->out_start[n], n_edges);
    for (int64_t v = 0; v < n; v++) {
        for (int64_t k = g->in_start[v]; k < g->in_start[v + 1]; k++) {
            cr_assert_eq(jc_graph_of(g, g->in_edges[k]), v);
            if (k > g->in_start[v]) cr_assert_lt(g->in_edges[k - 1], g->in_edges[k]);
        }
        for (int64_t k = g->out_start[v]; k < g->out_start[v + 1]; k++) {
            cr_assert_eq(jc_graph_wrt(g, g->out_edges[k]), v);
            if (k > g->out_start[v]) cr_assert_lt(g->out_edges[k - 1], g->out_edges[k]);
        }
    }
    free(place);
}

Test(builder, random_acyclic_graphs_are_ordered)
{
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t state = seed;
        int64_t n = 1 + (int64_t)(next_random(&state) % 40), rank[40];
        jc_graph *graph = new_graph();
        char name[16];
        for (int64_t v = 0; v < n; v++) {
            snprintf(name, sizeof name, "n%d", (int)v);
            variable(graph, name, 1);
            rank[v] = (int64_t)next_random(&state);
        }
        for (int64_t k = 0; k < 3 * n; k++) {
            int64_t a = (int64_t)(next_random(&state) % (uint64_t)n), b = (int64_t)(next_random(&state) % (uint64_t)n);
            if (rank[a] != rank[b]) edge(graph, rank[a] > rank[b] ? a : b, rank[a] > rank[b] ? b : a, &dense);
        }
        cr_assert_eq(jc_graph_finish(graph), JC_OK, "%s", jc_last_error());
        expect_ordered(graph);
        jc_graph_destroy(graph);
    }
}

/* A chain of 10^6, numbered against its direction: nothing recurses, and the graph stays under 64 bytes an edge. */
Test(builder, a_chain_of_a_million_is_ordered_in_64_bytes_an_edge)
{
    int64_t n = 1000001;
    int64_t *sizes = malloc((size_t)n * sizeof *sizes), *ends = malloc((size_t)n * sizeof *ends);
    for (int64_t i = 0; i < n; i++) {
        sizes[i] = 1;
        ends[i] = n - 1 - i;
    }
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator};
    jc_graph *graph = NULL;
    cr_assert_eq(jc_graph_create(&options, &graph), JC_OK);
    jc_array size_array = jc_array_1d(JC_I64, n, sizes);
    jc_array of = jc_array_1d(JC_I64, n - 1, ends + 1), wrt = jc_array_1d(JC_I64, n - 1, ends);
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    cr_assert_eq(jc_graph_add_variables(graph, "v", &size_array), JC_OK);
    int64_t before = memory.live_bytes;
    cr_assert_eq(jc_graph_add_edges(graph, n - 1, &of, &wrt, &identity, NULL, 0), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_graph_finish(graph), JC_OK);
    int64_t per_edge = (memory.live_bytes - before) / (n - 1);
    cr_expect_leq(per_edge, 64, "%lld bytes an edge, of which 24 for its variable", (long long)per_edge);
    expect_ordered(graph);
    jc_graph_destroy(graph);
    cr_expect_eq(memory.live_blocks, 0);
    cr_expect_eq(memory.live_bytes, 0);
    cr_expect_eq(memory.defects, 0);
    free(ends);
    free(sizes);
}

static int released;
static void count_release(void *ctx, const jc_allocator *allocator)
{
    (void)allocator;
    released = 10 * released + *(int *)ctx;
}

Test(builder, what_is_kept_is_released_with_the_graph_the_latest_first)
{
    static int one = 1, two = 2;
    jc_graph *graph = new_graph();
    cr_assert_eq(jc_graph_keep(graph, count_release, &one), JC_OK);
    cr_assert_eq(jc_graph_keep(graph, count_release, &two), JC_OK);
    cr_expect_eq(released, 0);
    jc_graph_destroy(graph);
    cr_expect_eq(released, 21);
}

/* As many labels as a hostile document may give one edge: each is kept once, in time that grows with their number. */
Test(builder, an_edge_may_have_labels_by_the_hundred_thousand)
{
    enum { N = 100000 };
    char(*text)[12] = malloc(N * sizeof *text);
    const char **labels = malloc(2 * N * sizeof *labels);
    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "label%d", i);
        labels[i] = labels[N + i] = text[i];
    }
    jc_graph *graph = new_graph();
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    cr_assert_eq(jc_graph_add_variable(graph, "x", 1, NULL), JC_OK);
    cr_assert_eq(jc_graph_add_variable(graph, "y", 1, NULL), JC_OK);
    clock_t start = clock();
    for (int i = 0; i < 3; i++) cr_assert_eq(jc_graph_add_edge(graph, 1, 0, &identity, labels, 2 * N), JC_OK);
    cr_expect_lt((double)(clock() - start) / CLOCKS_PER_SEC, 5.0);
    const jc_label_set *set = (const jc_label_set *)graph->label_sets.data + 1;
    cr_expect_eq(graph->label_sets.count, 2);
    cr_expect_eq(set->count, N);
    jc_graph_destroy(graph);
    free(labels);
    free(text);
}
