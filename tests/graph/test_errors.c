/* Every refusal: its status, its place (part and member), the names and numbers in its sentence, and that the graph is
 * as it was. */
#include <math.h>
#include <stdio.h>

#include "graph/help.h"
#include "support/failing_allocator.h"

#define FAILS(call, want, part, member, words) expect_failure(__LINE__, call, want, part, member, words)

static const double d[64];
static const int64_t ints[64];

/* x has 4, y has 3 scalars, s and t 6 each. */
typedef struct fixture {
    jc_graph *graph;
    int64_t x, y, s, t;
} fixture;

static fixture make(void)
{
    fixture f = {.graph = new_graph()};
    f.x = variable(f.graph, "x", 4);
    f.y = variable(f.graph, "y", 3);
    f.s = variable(f.graph, "s", 6);
    f.t = variable(f.graph, "t", 6);
    return f;
}

static jc_status try_edge(const fixture *f, int64_t of, int64_t wrt, const jc_jacobian *jacobian)
{
    return jc_graph_add_edge(f->graph, of, wrt, jacobian, NULL, 0);
}

static void expect_untouched(const fixture *f)
{
    cr_expect_eq(jc_graph_edge_count(f->graph), 0);
    cr_expect_eq(jc_graph_variable_count(f->graph), 4);
    cr_expect_eq(f->graph->groups.count, 0);
    cr_expect_eq(f->graph->resources.count, 0);
}

static void finish_fixture(fixture *f)
{
    expect_untouched(f);
    jc_graph_destroy(f->graph);
}

Test(errors, fields_of_wrong_shape_name_edge_and_both_shapes)
{
    fixture f = make();
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    j.values = jc_array_2d(JC_F64, 2, 3, d);
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_INPUT, "jacobian/values", -1,
          "edge y <- x|values are 2 x 3, expected 3 x 4");
    j.transpose = 1;
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_INPUT, "jacobian/values", -1, "values are 2 x 3, expected 4 x 3");
    j.values = jc_array_1d(JC_F64, 12, d);
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_INPUT, "jacobian/values", -1, "y <- x|1 axis, expected 2, or 3|1 blocks");
    j.values = array_3d(JC_F64, 2, 3, 4, d);
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_INPUT, "jacobian/values", -1, "batch axis is 2 long, expected 1");

    jc_jacobian diagonal = JC_JACOBIAN_INIT(JC_DIAGONAL);
    diagonal.values = jc_array_1d(JC_F64, 5, d);
    FAILS(try_edge(&f, f.t, f.s, &diagonal), JC_E_INPUT, "jacobian/values", -1, "values are 5 numbers, expected 6");
    FAILS(try_edge(&f, f.y, f.x, &diagonal), JC_E_INPUT, "jacobian", -1, "diagonal needs a square|3 x 4");

    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY), tile = JC_JACOBIAN_INIT(JC_TILE);
    FAILS(try_edge(&f, f.y, f.x, &identity), JC_E_INPUT, "jacobian", -1, "identity needs a square|3 x 4");
    FAILS(try_edge(&f, f.s, f.x, &tile), JC_E_INPUT, "jacobian", -1, "tile|multiple of its 4|not 6");

    jc_jacobian low_rank = JC_JACOBIAN_INIT(JC_LOW_RANK);
    low_rank.u = jc_array_2d(JC_F64, 3, 2, d);
    low_rank.v = jc_array_2d(JC_F64, 4, 3, d);
    FAILS(try_edge(&f, f.y, f.x, &low_rank), JC_E_INPUT, "jacobian/v", -1, "v is 4 x 3, expected 4 x 2");
    low_rank.u = jc_array_2d(JC_F64, 2, 3, d);
    FAILS(try_edge(&f, f.y, f.x, &low_rank), JC_E_INPUT, "jacobian/u", -1, "u is 2 x 3, expected 3 x 3");
    low_rank.u = jc_array_2d(JC_F64, 3, 0, d);
    FAILS(try_edge(&f, f.y, f.x, &low_rank), JC_E_INPUT, "jacobian/u", -1, "u has no columns");

    jc_jacobian select = JC_JACOBIAN_INIT(JC_SELECT), weight = JC_JACOBIAN_INIT(JC_WEIGHT);
    select.indices = jc_array_1d(JC_I64, 4, ints);
    FAILS(try_edge(&f, f.y, f.x, &select), JC_E_INPUT, "jacobian/indices", -1, "indices are 4 numbers, expected 3");
    weight.x = jc_array_2d(JC_F64, 2, 3, d);
    FAILS(try_edge(&f, f.y, f.x, &weight), JC_E_INPUT, "jacobian/x", -1, "x is 2 x 3|weight of 3 x 4");
    weight.x = jc_array_2d(JC_F64, 2, 2, d);
    FAILS(try_edge(&f, f.t, f.x, &weight), JC_E_INPUT, "jacobian/x", -1, "x is 2 x 2|6 x 4");
    weight.x = jc_array_2d(JC_F64, 0, 0, d);
    FAILS(try_edge(&f, f.t, f.x, &weight), JC_E_INPUT, "jacobian/x", -1, "x is 0 x 0");
    weight.x = array_3d(JC_F64, 1, 2, 2, d);
    FAILS(try_edge(&f, f.t, f.x, &weight), JC_E_INPUT, "jacobian/x", -1, "x: the array has 3 axes, expected 2");
    finish_fixture(&f);
}

Test(errors, batch_and_inner_must_divide_the_sizes)
{
    fixture f = make();
    jc_jacobian j = JC_JACOBIAN_INIT(JC_IDENTITY);
    j.batch = 4;
    FAILS(try_edge(&f, f.t, f.s, &j), JC_E_INPUT, "jacobian/batch", -1, "edge t <- s|6 and 6|batch 4 x inner 1");
    j.batch = 2;
    j.inner = 2;
    FAILS(try_edge(&f, f.t, f.s, &j), JC_E_INPUT, "jacobian/batch", -1, "batch 2 x inner 2");
    j.batch = 0;
    j.inner = 5;
    FAILS(try_edge(&f, f.t, f.s, &j), JC_E_INPUT, "jacobian/inner", -1, "batch 1 x inner 5");
    j.inner = -1;
    FAILS(try_edge(&f, f.t, f.s, &j), JC_E_INPUT, "jacobian/inner", -1, "inner is -1");
    j.batch = -2;
    FAILS(try_edge(&f, f.t, f.s, &j), JC_E_INPUT, "jacobian/batch", -1, "batch is -2");
    j.batch = j.inner = INT64_C(1) << 32;
    FAILS(try_edge(&f, f.t, f.s, &j), JC_E_INPUT, "jacobian/batch", -1, "batch 4294967296 x inner 4294967296");
    jc_jacobian op = JC_JACOBIAN_INIT(JC_OPERATOR);
    op.batch = 3;
    FAILS(try_edge(&f, f.t, f.s, &op), JC_E_INPUT, "jacobian/batch", -1, "operator has no batch and inner|3");
    op.batch = 1;
    op.inner = 2;
    FAILS(try_edge(&f, f.t, f.s, &op), JC_E_INPUT, "jacobian/inner", -1, "operator has no batch and inner|2");
    finish_fixture(&f);
}

Test(errors, fields_are_given_all_or_none_and_only_those_of_the_kind)
{
    fixture f = make();
    jc_jacobian csr = JC_JACOBIAN_INIT(JC_CSR);
    csr.indptr = jc_array_1d(JC_I64, 4, ints);
    csr.values = jc_array_1d(JC_F64, 1, d);
    FAILS(try_edge(&f, f.y, f.x, &csr), JC_E_INPUT, "jacobian/indices", -1, "y <- x|csr needs indices");
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    dense.u = jc_array_2d(JC_F64, 3, 4, d);
    FAILS(try_edge(&f, f.y, f.x, &dense), JC_E_INPUT, "jacobian/u", -1, "dense has no field u");
    dense.u = (jc_array){0};
    dense.scale = 2;
    FAILS(try_edge(&f, f.y, f.x, &dense), JC_E_INPUT, "jacobian/scale", -1, "dense has no scale (2)");
    dense.scale = 1;
    dense.scales = d;
    FAILS(try_edge(&f, f.y, f.x, &dense), JC_E_INPUT, "jacobian/scale", -1, "dense has no scale");
    finish_fixture(&f);
}

Test(errors, element_types_are_checked)
{
    fixture f = make();
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE), select = JC_JACOBIAN_INIT(JC_SELECT);
    dense.values = jc_array_2d(JC_I64, 3, 4, d);
    FAILS(try_edge(&f, f.y, f.x, &dense), JC_E_INPUT, "jacobian/values", -1, "values must be a floating type, not I64");
    dense.values.dtype = (jc_dtype)17;
    FAILS(try_edge(&f, f.y, f.x, &dense), JC_E_USAGE, "jacobian/values", -1, "no element type 17");
    dense.values.dtype = JC_F64;
    dense.values.ownership = 5;
    FAILS(try_edge(&f, f.y, f.x, &dense), JC_E_USAGE, "jacobian/values", -1, "no ownership 5");
    select.indices = jc_array_1d(JC_F32, 3, d);
    FAILS(try_edge(&f, f.y, f.x, &select), JC_E_INPUT, "jacobian/indices", -1, "indices must be I64 or I32, not F32");
    finish_fixture(&f);
}

Test(errors, lengths_that_cannot_be_counted_or_have_no_data_are_refused)
{
    fixture f = make();
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    j.values = jc_array_2d(JC_F64, INT64_C(1) << 40, INT64_C(1) << 40, d);
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_INPUT, "jacobian/values", -1, "more bytes than can be addressed");
    j.values = jc_array_2d(JC_F64, INT64_C(1) << 31, INT64_C(1) << 31, d);
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_INPUT, "jacobian/values", -1, "more bytes than can be addressed");
    j.values = jc_array_2d(JC_F64, -3, -4, d);
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_USAGE, "jacobian/values", -1, "negative length");
    j.values = jc_array_2d(JC_F64, 3, 4, NULL);
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_USAGE, "jacobian/values", -1, "without data");
    j.values = jc_array_2d(JC_F64, 3, 4, d);
    j.values.rank = 9;
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_INPUT, "jacobian/values", -1, "9 axes");
    j.values.rank = -1;
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_INPUT, "jacobian/values", -1, "-1 axes");
    j.values.rank = 0;
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_INPUT, "jacobian/values", -1, "0 axes");
    finish_fixture(&f);
}

static void csr_fails(int line, const int64_t *indptr, const int64_t *indices, const char *part, const char *words)
{
    fixture f = make();
    jc_jacobian csr = JC_JACOBIAN_INIT(JC_CSR);
    csr.indptr = jc_array_1d(JC_I64, 4, indptr);
    csr.indices = jc_array_1d(JC_I64, 4, indices);
    csr.values = jc_array_1d(JC_F64, 4, d);
    expect_failure(line, try_edge(&f, f.y, f.x, &csr), JC_E_INPUT, part, -1, words);
    finish_fixture(&f);
}

Test(errors, csr_patterns_are_checked)
{
    static const int64_t good_ptr[] = {0, 2, 2, 4}, good[] = {0, 3, 1, 2};
    static const int64_t ptr1[] = {1, 2, 2, 4}, ptr2[] = {0, 2, 1, 4}, ptr3[] = {0, 2, 2, 3}, ptr4[] = {0, 2, 2, 5},
                         ptr5[] = {0, -1, 2, 4};
    static const int64_t idx1[] = {0, 4, 1, 2}, idx2[] = {0, 3, -1, 2}, idx3[] = {0, 0, 1, 2}, idx4[] = {0, 3, 2, 1};
    csr_fails(__LINE__, ptr1, good, "jacobian/indptr", "edge y <- x|indptr[0] is 1, expected 0");
    csr_fails(__LINE__, ptr2, good, "jacobian/indptr", "indptr[2] is 1, expected 2 to 4");
    csr_fails(__LINE__, ptr3, good, "jacobian/indptr", "indptr[3] is 3, expected 4");
    csr_fails(__LINE__, ptr4, good, "jacobian/indptr", "indptr[3] is 5, expected 2 to 4");
    csr_fails(__LINE__, ptr5, good, "jacobian/indptr", "indptr[1] is -1, expected 0 to 4");
    csr_fails(__LINE__, good_ptr, idx1, "jacobian/indices", "indices[1] is 4, expected 0 to 3");
    csr_fails(__LINE__, good_ptr, idx2, "jacobian/indices", "indices[2] is -1, expected 0 to 3");
    csr_fails(__LINE__, good_ptr, idx3, "jacobian/indices", "indices[1] is 0 after 0|increase strictly in row 0");
    csr_fails(__LINE__, good_ptr, idx4, "jacobian/indices", "indices[3] is 1 after 2|row 2");
    fixture f = make();
    jc_jacobian csr = JC_JACOBIAN_INIT(JC_CSR);
    csr.indptr = jc_array_1d(JC_I64, 3, good_ptr);
    csr.indices = jc_array_1d(JC_I64, 4, good);
    csr.values = jc_array_1d(JC_F64, 4, d);
    FAILS(try_edge(&f, f.y, f.x, &csr), JC_E_INPUT, "jacobian/indptr", -1, "3 numbers, expected one more than 3 rows");
    csr.indptr = jc_array_1d(JC_I64, 4, good_ptr);
    csr.values = jc_array_1d(JC_F64, 3, d);
    FAILS(try_edge(&f, f.y, f.x, &csr), JC_E_INPUT, "jacobian/values", -1, "values are 3 numbers, expected 4");
    finish_fixture(&f);
}

Test(errors, a_group_names_the_member_and_its_edge)
{
    fixture f = make();
    int64_t of[3] = {f.y, f.s, f.y}, wrt[3] = {f.x, f.t, f.x}, same[3] = {f.y, f.y, f.y}, x3[3] = {f.x, f.x, f.x};
    jc_array ofs = jc_array_1d(JC_I64, 3, of), wrts = jc_array_1d(JC_I64, 3, wrt);
    jc_array same_of = jc_array_1d(JC_I64, 3, same), x_wrt = jc_array_1d(JC_I64, 3, x3);
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE), select = JC_JACOBIAN_INIT(JC_SELECT);
    jc_graph *g = f.graph;
    FAILS(jc_graph_add_edges(g, 3, &ofs, &wrts, &dense, NULL, 0), JC_E_INPUT, "of", 1, "s has size 6, expected 3");
    FAILS(jc_graph_add_edges(g, 3, &same_of, &wrts, &dense, NULL, 0), JC_E_INPUT, "wrt", 1, "t has size 6, expected 4");
    wrt[1] = 4;
    FAILS(jc_graph_add_edges(g, 3, &same_of, &wrts, &dense, NULL, 0), JC_E_INPUT, "wrt", 1, "number 4|has 4 variables");
    of[0] = -1;
    FAILS(jc_graph_add_edges(g, 3, &ofs, &x_wrt, &dense, NULL, 0), JC_E_INPUT, "of", 0, "number -1|has 4 variables");
    FAILS(jc_graph_add_edges(g, 3, &x_wrt, &x_wrt, &dense, NULL, 0), JC_E_INPUT, "", 0, "edge x <- x|depend on itself");

    int64_t picks[9] = {0, 1, 2, 3, 3, 3, 0, 4, 0};
    select.indices = jc_array_2d(JC_I64, 3, 3, picks);
    FAILS(jc_graph_add_edges(g, 3, &same_of, &x_wrt, &select, NULL, 0), JC_E_INPUT, "jacobian/indices", 2,
          "edge y <- x|indices[1] is 4, expected 0 to 3");
    select.indices = jc_array_2d(JC_I64, 2, 3, picks);
    FAILS(jc_graph_add_edges(g, 3, &same_of, &x_wrt, &select, NULL, 0), JC_E_INPUT, "jacobian/indices", -1,
          "first axis is 2 long, expected the 3 edges");
    select.indices = jc_array_1d(JC_I64, 9, picks);
    FAILS(jc_graph_add_edges(g, 3, &same_of, &x_wrt, &select, NULL, 0), JC_E_INPUT, "jacobian/indices", -1,
          "1 axis, expected 2 (edges of the group first), or 3|second");
    dense.values = array_3d(JC_F64, 3, 4, 3, d);
    FAILS(jc_graph_add_edges(g, 3, &same_of, &x_wrt, &dense, NULL, 0), JC_E_INPUT, "jacobian/values", -1,
          "values are 4 x 3, expected 3 x 4");
    FAILS(jc_graph_add_edges(g, 0, &same_of, &x_wrt, &dense, NULL, 0), JC_E_INPUT, "count", -1, "count is 0");
    FAILS(jc_graph_add_edges(g, 2, &same_of, &x_wrt, &dense, NULL, 0), JC_E_INPUT, "of", -1, "3 numbers|1 axis of 2");
    jc_array table = same_of;
    table.rank = 2, table.dims[1] = 1;
    FAILS(jc_graph_add_edges(g, 3, &table, &x_wrt, &dense, NULL, 0), JC_E_INPUT, "of", -1,
          "of has 2 axes, expected 1 axis of 3");
    same_of.dtype = JC_F64;
    FAILS(jc_graph_add_edges(g, 3, &same_of, &x_wrt, &dense, NULL, 0), JC_E_INPUT, "of", -1, "of must be I64 or I32");
    FAILS(jc_graph_add_edges(g, 3, NULL, &x_wrt, &dense, NULL, 0), JC_E_USAGE, "of", -1, "of is not given");
    finish_fixture(&f);
}

Test(errors, ends_of_an_edge_are_variables)
{
    fixture f = make();
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    FAILS(try_edge(&f, 4, f.x, &dense), JC_E_INPUT, "of", -1, "of is variable number 4|has 4 variables");
    FAILS(try_edge(&f, f.x, -1, &dense), JC_E_INPUT, "wrt", -1, "wrt is variable number -1");
    FAILS(try_edge(&f, f.x, f.x, &dense), JC_E_INPUT, "", -1, "edge x <- x|depend on itself");
    finish_fixture(&f);
}

Test(errors, operators_are_checked)
{
    fixture f = make();
    jc_jacobian op = JC_JACOBIAN_INIT(JC_OPERATOR);
    op.op.tangent_cost = -1;
    FAILS(try_edge(&f, f.y, f.x, &op), JC_E_INPUT, "jacobian/tangent_cost", -1, "tangent_cost is -1");
    op.op.tangent_cost = 0;
    op.op.adjoint_cost = -2;
    FAILS(try_edge(&f, f.y, f.x, &op), JC_E_INPUT, "jacobian/adjoint_cost", -1, "adjoint_cost is -2");
    op.op.adjoint_cost = 0;
    op.op.edges = -3;
    FAILS(try_edge(&f, f.y, f.x, &op), JC_E_INPUT, "jacobian/edges", -1, "edges is -3");
    finish_fixture(&f);
}

static void name_fails(int line, const char *name, const char *words)
{
    fixture f = make();
    expect_failure(line, jc_graph_add_variable(f.graph, name, 1, NULL), JC_E_INPUT, "name", -1, words);
    finish_fixture(&f);
}

Test(errors, names_are_clean_text_and_unique)
{
    name_fails(__LINE__, "", "name of variable 4 is empty");
    name_fails(__LINE__, "a,b", "\"a,b\" has a comma");
    name_fails(__LINE__, "a\nb", "control character (U+000A) at byte 1");
    name_fails(__LINE__, "\x7F", "control character (U+007F)");
    name_fails(__LINE__, "ab\xC2\x85", "control character (U+0085) at byte 2");
    name_fails(__LINE__, "x\x80", "not valid UTF-8 at byte 1");
    name_fails(__LINE__, "\xC0\xAF", "not valid UTF-8");         /* overlong */
    name_fails(__LINE__, "\xE0\x80\xAF", "not valid UTF-8");     /* overlong */
    name_fails(__LINE__, "\xF0\x80\x80\xAF", "not valid UTF-8"); /* overlong */
    name_fails(__LINE__, "\xED\xA0\x80", "not valid UTF-8");     /* surrogate */
    name_fails(__LINE__, "\xF4\x90\x80\x80", "not valid UTF-8"); /* beyond U+10FFFF */
    name_fails(__LINE__, "\xF8\x88\x80\x80\x80", "not valid UTF-8");
    name_fails(__LINE__, "\xE2\x82", "not valid UTF-8"); /* cut */
    name_fails(__LINE__, "\xFF", "not valid UTF-8");
    name_fails(__LINE__, "y", "variables 1 and 4 are both named y");
}

Test(errors, the_rarest_valid_names_are_taken)
{
    jc_graph *graph = new_graph();
    static const char *const names[] = {"\xC2\xA0", "\xED\x9F\xBF", "\xEE\x80\x80",     "\xF4\x8F\xBF\xBF",
                                        "\xDF\xBF", "\xE0\xA0\x80", "\xF0\x90\x80\x80", " ",
                                        "~"};
    for (int i = 0; i < 9; i++) cr_expect_eq(variable(graph, names[i], 1), i);
    jc_graph_destroy(graph);
}

Test(errors, sizes_are_positive)
{
    fixture f = make();
    FAILS(jc_graph_add_variable(f.graph, "n", 0, NULL), JC_E_INPUT, "size", -1, "variable n|0, expected at least 1");
    FAILS(jc_graph_add_variable(f.graph, "n", -7, NULL), JC_E_INPUT, "size", -1, "variable n|-7");
    finish_fixture(&f);
}

Test(errors, prefixed_variables_come_first_and_are_checked)
{
    fixture f = make();
    int64_t sizes[3] = {1, 0, 2};
    jc_array array = jc_array_1d(JC_I64, 3, sizes), list = jc_array_2d(JC_I64, 1, 3, sizes);
    FAILS(jc_graph_add_variables(f.graph, "v", &array), JC_E_USAGE, "", -1, "first of a graph, which has 4");
    finish_fixture(&f);
    jc_graph *graph = new_graph();
    FAILS(jc_graph_add_variables(graph, "v", &array), JC_E_INPUT, "sizes", 1, "variable v1|0");
    FAILS(jc_graph_add_variables(graph, "v,", &array), JC_E_INPUT, "prefix", -1, "comma");
    FAILS(jc_graph_add_variables(graph, "v\xFF", &array), JC_E_INPUT, "prefix", -1, "UTF-8");
    FAILS(jc_graph_add_variables(graph, NULL, &array), JC_E_USAGE, "", -1, "no prefix");
    FAILS(jc_graph_add_variables(graph, "v", NULL), JC_E_USAGE, "", -1, "no sizes");
    FAILS(jc_graph_add_variables(graph, "v", &list), JC_E_INPUT, "sizes", -1, "2 axes");
    array.dtype = JC_F64;
    FAILS(jc_graph_add_variables(graph, "v", &array), JC_E_INPUT, "sizes", -1, "I64 or I32");
    cr_expect_eq(jc_graph_variable_count(graph), 0);
    jc_graph_destroy(graph);
}

static void label_fails(int line, const char *label, jc_status status, const char *part, const char *words)
{
    fixture f = make();
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    const char *const labels[] = {"fine", label};
    expect_failure(line, jc_graph_add_edge(f.graph, f.y, f.x, &dense, labels, 2), status, part, -1, words);
    finish_fixture(&f);
}

Test(errors, labels_are_words)
{
    label_fails(__LINE__, "", JC_E_INPUT, "label", "edge y <- x|label is empty");
    label_fails(__LINE__, "two words", JC_E_INPUT, "label", "\"two words\" is not a word");
    label_fails(__LINE__, "a*", JC_E_INPUT, "label", "\"a*\"");
    label_fails(__LINE__, "\xC3\xA9", JC_E_INPUT, "label", "is not a word");
    label_fails(__LINE__, NULL, JC_E_USAGE, "", "label is NULL");
    fixture f = make();
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    FAILS(jc_graph_add_edge(f.graph, f.y, f.x, &dense, NULL, 1), JC_E_USAGE, "", -1, "1 labels");
    FAILS(jc_graph_add_edge(f.graph, f.y, f.x, &dense, NULL, -1), JC_E_USAGE, "", -1, "-1 labels");
    finish_fixture(&f);
}

Test(errors, structures_of_another_size_and_missing_arguments_are_refused)
{
    fixture f = make();
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    j.struct_size = 0;
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_USAGE, "", -1, "struct_size is 0");
    j.struct_size = sizeof j - 1;
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_USAGE, "", -1, "struct_size");
    j.struct_size = sizeof j;
    j.kind = JC_KIND_COUNT;
    FAILS(try_edge(&f, f.y, f.x, &j), JC_E_USAGE, "", -1, "no kind 10");
    FAILS(try_edge(&f, f.y, f.x, NULL), JC_E_USAGE, "", -1, "needs a jc_jacobian");
    FAILS(jc_graph_add_edge(NULL, 0, 1, &j, NULL, 0), JC_E_USAGE, "", -1, "no graph");
    FAILS(jc_graph_add_variable(f.graph, NULL, 1, NULL), JC_E_USAGE, "", -1, "no name");
    FAILS(jc_graph_create(NULL, NULL), JC_E_USAGE, "", -1, "nowhere");
    jc_graph *graph = NULL;
    jc_graph_options options = {0};
    FAILS(jc_graph_create(&options, &graph), JC_E_USAGE, "", -1, "struct_size is 0");
    cr_expect_null(graph);
    finish_fixture(&f);
}

Test(errors, nothing_is_added_to_a_finished_graph)
{
    fixture f = make();
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    cr_assert_eq(jc_graph_finish(f.graph), JC_OK);
    FAILS(try_edge(&f, f.y, f.x, &dense), JC_E_USAGE, "", -1, "finished");
    FAILS(jc_graph_add_variable(f.graph, "n", 1, NULL), JC_E_USAGE, "", -1, "finished");
    FAILS(jc_graph_finish(f.graph), JC_E_USAGE, "", -1, "finished");
    finish_fixture(&f);
}

static jc_graph *ring(int n)
{
    jc_graph *graph = new_graph();
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    char name[16];
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "r%d", i);
        variable(graph, name, 1);
    }
    for (int i = 0; i < n; i++) edge(graph, (i + 1) % n, i, &identity);
    return graph;
}

Test(errors, cycles_are_written_out)
{
    jc_graph *graph = ring(3);
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    int64_t before = variable(graph, "before", 1), after = variable(graph, "after", 1);
    edge(graph, 0, before, &identity);
    edge(graph, after, 2, &identity);
    FAILS(jc_graph_finish(graph), JC_E_INPUT, "edges", -1, "cycle of 3 variables: r0 <- r2 <- r1 <- r0");
    cr_expect_null(graph->topological);
    FAILS(jc_graph_finish(graph), JC_E_INPUT, "edges", -1, "cycle of 3 variables: r0 <- r2 <- r1 <- r0");
    jc_graph_destroy(graph);

    graph = ring(8);
    FAILS(jc_graph_finish(graph), JC_E_INPUT, "edges", -1, "r0 <- r7 <- r6 <- r5 <- r4 <- r3 <- r2 <- r1 <- r0");
    jc_graph_destroy(graph);
    graph = ring(2000);
    FAILS(jc_graph_finish(graph), JC_E_INPUT, "edges", -1, "cycle of 2000 variables: r0 <- r1999|r1993 <- ...");
    cr_expect_null(strstr(jc_last_error(), "r1992"));
    jc_graph_destroy(graph);
}

/* A cycle is found from a variable that only lies behind it. */
Test(errors, a_cycle_is_named_without_what_hangs_on_it)
{
    jc_graph *graph = new_graph();
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    int64_t tail = variable(graph, "tail", 1), a = variable(graph, "a", 1), b = variable(graph, "b", 1);
    edge(graph, tail, a, &identity);
    edge(graph, a, b, &identity);
    edge(graph, b, a, &identity);
    FAILS(jc_graph_finish(graph), JC_E_INPUT, "edges", -1, "cycle of 2 variables: a <- b <- a");
    cr_expect_null(strstr(jc_last_error(), "tail"));
    jc_graph_destroy(graph);
}
