/* Costs, terms and bytes of every kind against numbers worked out by hand; the rules of fields and shapes. */
#include "graph/help.h"

/* One Jacobian and what SPEC "Cost" gives for it. */
typedef struct unit_cost {
    const char *what;
    int64_t rows, cols;
    jc_jacobian jacobian;
    int64_t tangent, adjoint, tangent_terms, adjoint_terms, bytes;
} unit_cost;

static const double numbers[1000];
static const int64_t rows_3[4] = {0, 2, 2, 5}, columns_5[5] = {0, 3, 0, 1, 3};
static const int32_t picks[6] = {3, 0, 3, 1, 1, 2};

static int no_apply(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx, void *y,
                    int64_t ldy, int accumulate)
{
    (void)user, (void)direction, (void)dtype, (void)k, (void)x, (void)ldx, (void)y, (void)ldy, (void)accumulate;
    return 0;
}

#define BASE(KIND) .struct_size = sizeof(jc_jacobian), .kind = (KIND)
#define VALUES_34                                                                                                      \
    {                                                                                                                  \
        JC_F64, 2, {3, 4}, numbers, JC_BORROW, 0                                                                       \
    }
#define VALUES_F32_34                                                                                                  \
    {                                                                                                                  \
        JC_F32, 2, {3, 4}, numbers, JC_BORROW, 0                                                                       \
    }
#define VALUES_B2_34                                                                                                   \
    {                                                                                                                  \
        JC_F64, 3, {2, 3, 4}, numbers, JC_BORROW, 0                                                                    \
    }
#define CSR_34                                                                                                         \
    .indptr = {JC_I64, 1, {4}, rows_3, JC_BORROW, 0}, .indices = {JC_I64, 1, {5}, columns_5, JC_BORROW, 0},            \
    .values = {JC_F64, 1, {5}, numbers, JC_BORROW, 0}
#define LOW_RANK_34 .u = {JC_F64, 2, {3, 2}, numbers, JC_BORROW, 0}, .v = {JC_F32, 2, {4, 2}, numbers, JC_BORROW, 0}
#define PICKS_3                                                                                                        \
    {                                                                                                                  \
        JC_I32, 1, {3}, picks, JC_BORROW, 0                                                                            \
    }
#define X_23                                                                                                           \
    {                                                                                                                  \
        JC_F64, 2, {2, 3}, numbers, JC_BORROW, 0                                                                       \
    }
#define TRACE_83                                                                                                       \
    {                                                                                                                  \
        JC_F64, 2, {8, 3}, numbers, JC_BORROW, 0                                                                       \
    }
#define TRACE_B2_83                                                                                                    \
    {                                                                                                                  \
        JC_F64, 3, {2, 8, 3}, numbers, JC_BORROW, 0                                                                    \
    }
#define OPERATOR_7_9                                                                                                   \
    {                                                                                                                  \
        .apply = no_apply, .tangent_cost = 7, .adjoint_cost = 9                                                        \
    }

static const unit_cost unit_costs[] = {
    {"dense", 3, 4, {BASE(JC_DENSE), .scale = 1, .values = VALUES_34}, 12, 12, 4, 3, 96},
    {"dense f32", 3, 4, {BASE(JC_DENSE), .scale = 1, .values = VALUES_F32_34}, 12, 12, 4, 3, 48},
    {"dense transposed", 4, 3, {BASE(JC_DENSE), .scale = 1, .transpose = 1, .values = VALUES_34}, 12, 12, 3, 4, 96},
    {"dense, shared by a batch of 2, inner 5",
     30,
     40,
     {BASE(JC_DENSE), .scale = 1, .batch = 2, .inner = 5, .values = VALUES_34},
     120,
     120,
     4,
     3,
     96},
    {"dense per block", 6, 8, {BASE(JC_DENSE), .scale = 1, .batch = 2, .values = VALUES_B2_34}, 24, 24, 4, 3, 192},
    {"dense, structure only", 3, 4, {BASE(JC_DENSE), .scale = 1}, 12, 12, 4, 3, 96},
    {"diagonal", 5, 5, {BASE(JC_DIAGONAL), .scale = 1, .values = {JC_F64, 1, {5}, numbers, 0, 0}}, 5, 5, 1, 1, 40},
    {"diagonal, structure only", 5, 5, {BASE(JC_DIAGONAL), .scale = 1}, 25, 25, 5, 5, 200},
    {"identity", 5, 5, {BASE(JC_IDENTITY), .scale = 1}, 0, 0, 1, 1, 0},
    {"identity at scale 2", 5, 5, {BASE(JC_IDENTITY), .scale = 2}, 5, 5, 1, 1, 0},
    {"identity at scale -1, batch", 30, 30, {BASE(JC_IDENTITY), .scale = -1, .batch = 2, .inner = 3}, 30, 30, 1, 1, 0},
    {"csr", 3, 4, {BASE(JC_CSR), .scale = 1, CSR_34}, 5, 5, 4, 3, 4 * 8 + 5 * 8 + 5 * 8},
    {"csr transposed, batch 2",
     8,
     6,
     {BASE(JC_CSR), .scale = 1, .transpose = 1, .batch = 2, CSR_34},
     10,
     10,
     3,
     4,
     112},
    {"csr, structure only", 3, 4, {BASE(JC_CSR), .scale = 1}, 12, 12, 4, 3, 96},
    {"low_rank", 3, 4, {BASE(JC_LOW_RANK), .scale = 1, LOW_RANK_34}, 14, 14, 4 + 2, 3 + 2, 3 * 2 * 8 + 4 * 2 * 4},
    {"low_rank transposed", 4, 3, {BASE(JC_LOW_RANK), .scale = 1, .transpose = 1, LOW_RANK_34}, 14, 14, 5, 6, 80},
    {"select", 3, 4, {BASE(JC_SELECT), .scale = 1, .indices = PICKS_3}, 0, 0, 1, 3, 12},
    {"select at scale 0.5", 3, 4, {BASE(JC_SELECT), .scale = 0.5, .indices = PICKS_3}, 3, 3, 1, 3, 12},
    {"scatter", 4, 3, {BASE(JC_SELECT), .scale = 1, .transpose = 1, .indices = PICKS_3}, 0, 0, 3, 1, 12},
    {"weight, h = 4", 8, 12, {BASE(JC_WEIGHT), .scale = 1, .x = X_23}, 24, 24, 3, 2, 48},
    {"weight transposed", 12, 8, {BASE(JC_WEIGHT), .scale = 1, .transpose = 1, .x = X_23}, 24, 24, 2, 3, 48},
    {"tile", 12, 3, {BASE(JC_TILE), .scale = 1}, 0, 0, 1, 4, 0},
    {"tile at scale 3", 12, 3, {BASE(JC_TILE), .scale = 3}, 12, 12, 1, 4, 0},
    {"tile transposed", 3, 12, {BASE(JC_TILE), .scale = 1, .transpose = 1}, 0, 0, 4, 1, 0},
    {"trace, h = 4", 8, 12, {BASE(JC_TRACE), .scale = 1, .values = TRACE_83}, 24, 24, 3, 2, 192},
    {"trace transposed", 12, 8, {BASE(JC_TRACE), .scale = 1, .transpose = 1, .values = TRACE_83}, 24, 24, 2, 3, 192},
    {"trace per block", 16, 24, {BASE(JC_TRACE), .scale = 1, .batch = 2, .values = TRACE_B2_83}, 48, 48, 3, 2, 384},
    {"operator", 3, 4, {BASE(JC_OPERATOR), .scale = 1, .op = OPERATOR_7_9}, 7, 9, 4, 3, 0},
    {"operator transposed", 4, 3, {BASE(JC_OPERATOR), .scale = 1, .transpose = 1, .op = OPERATOR_7_9}, 9, 7, 3, 4, 0},
    {"operator without callbacks",
     3,
     4,
     {BASE(JC_OPERATOR), .scale = 1, .op = {.tangent_cost = 5, .adjoint_cost = 6}},
     5,
     6,
     4,
     3,
     0},
};

Test(kinds, unit_costs_terms_and_bytes_are_those_worked_out_by_hand)
{
    for (size_t i = 0; i < sizeof unit_costs / sizeof unit_costs[0]; i++) {
        const unit_cost *c = &unit_costs[i];
        jc_graph *graph = new_graph();
        int64_t wrt = variable(graph, "x", c->cols), of = variable(graph, "y", c->rows);
        const jc_group *group = jc_graph_group(graph, edge(graph, of, wrt, &c->jacobian));
        cr_expect_eq(jc_group_cost(group, 0, JC_TANGENT), c->tangent, "%s", c->what);
        cr_expect_eq(jc_group_cost(group, 0, JC_ADJOINT), c->adjoint, "%s", c->what);
        cr_expect_eq(jc_group_terms(group, JC_TANGENT), c->tangent_terms, "%s", c->what);
        cr_expect_eq(jc_group_terms(group, JC_ADJOINT), c->adjoint_terms, "%s", c->what);
        cr_expect_eq(jc_group_member_bytes(group), c->bytes, "%s: %lld", c->what,
                     (long long)jc_group_member_bytes(group));
        cr_expect_eq(group->shape.rows, c->rows);
        cr_expect_eq(group->shape.cols, c->cols);
        jc_graph_destroy(graph);
    }
}

Test(kinds, numbers_are_missing_only_where_fields_or_callbacks_are)
{
    for (size_t i = 0; i < sizeof unit_costs / sizeof unit_costs[0]; i++) {
        const unit_cost *c = &unit_costs[i];
        jc_graph *graph = new_graph();
        int64_t wrt = variable(graph, "x", c->cols), of = variable(graph, "y", c->rows);
        const jc_group *group = jc_graph_group(graph, edge(graph, of, wrt, &c->jacobian));
        bool missing = strstr(c->what, "structure only") || strstr(c->what, "without callbacks");
        cr_expect_eq(group->has_numbers, !missing, "%s", c->what);
        jc_graph_destroy(graph);
    }
}

Test(kinds, costs_saturate_instead_of_wrapping)
{
    jc_graph *graph = new_graph();
    int64_t huge = INT64_C(1) << 40;
    int64_t x = variable(graph, "x", huge), y = variable(graph, "y", huge);
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE), identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    const jc_group *group = jc_graph_group(graph, edge(graph, y, x, &dense));
    cr_expect_eq(jc_group_cost(group, 0, JC_TANGENT), INT64_MAX);
    cr_expect_eq(jc_group_member_bytes(group), INT64_MAX);
    cr_expect_eq(jc_group_terms(group, JC_TANGENT), huge);
    group = jc_graph_group(graph, edge(graph, y, x, &identity));
    cr_expect_eq(jc_group_cost(group, 0, JC_TANGENT), 0);
    jc_graph_destroy(graph);
}

Test(kinds, costs_in_a_group_follow_each_member_s_scale)
{
    jc_graph *graph = new_graph();
    int64_t sizes[4] = {5, 5, 5, 5}, of[3] = {1, 2, 3}, wrt[3] = {0, 1, 2};
    double scales[3] = {1, 2, 1};
    jc_array size_array = jc_array_1d(JC_I64, 4, sizes), ofs = jc_array_1d(JC_I64, 3, of);
    jc_array wrts = jc_array_1d(JC_I64, 3, wrt);
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    identity.scales = scales;
    cr_assert_eq(jc_graph_add_variables(graph, "v", &size_array), JC_OK);
    cr_assert_eq(jc_graph_add_edges(graph, 3, &ofs, &wrts, &identity, NULL, 0), JC_OK, "%s", jc_last_error());
    scales[0] = scales[2] = 7; /* copied: no matter */
    const jc_group *group = jc_graph_group(graph, 0);
    cr_expect_eq(jc_group_cost(group, 0, JC_ADJOINT), 0);
    cr_expect_eq(jc_group_cost(group, 1, JC_ADJOINT), 5);
    cr_expect_eq(jc_group_cost(group, 2, JC_ADJOINT), 0);
    cr_expect_eq(jc_group_member(group, 1, NULL).scale, 2);
    jc_graph_destroy(graph);
}

Test(kinds, names_and_fields_are_those_of_the_file_format)
{
    static const char *const names[] = {"dense",  "diagonal", "identity", "csr",   "low_rank",
                                        "select", "weight",   "tile",     "trace", "operator"};
    static const char *const fields[][4] = {{"values"}, {"values"},  {NULL}, {"indptr", "indices", "values"},
                                            {"u", "v"}, {"indices"}, {"x"},  {NULL},
                                            {"values"}, {NULL}};
    cr_assert_eq(sizeof names / sizeof names[0], JC_KIND_COUNT);
    for (int k = 0; k < JC_KIND_COUNT; k++) {
        cr_expect_str_eq(jc_kind_name((jc_kind)k), names[k]);
        cr_expect_eq(jc_kind_find(names[k]), (jc_kind)k);
        int n = 0;
        while (n < 3 && fields[k][n]) n++;
        cr_expect_eq(jc_kinds[k].n_fields, n, "%s", names[k]);
        for (int f = 0; f < n; f++) cr_expect_eq(jc_kind_field((jc_kind)k, fields[k][f]), f);
        cr_expect_eq(jc_kind_field((jc_kind)k, "nothing"), -1);
    }
    cr_expect_eq(jc_kind_find("Dense"), JC_KIND_COUNT);
    cr_expect_eq(jc_kind_find(""), JC_KIND_COUNT);
}
