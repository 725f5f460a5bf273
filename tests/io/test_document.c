/* Documents that are right: what the graph then holds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "core/dtype.h"
#include "graph/graph.h"
#include "io/io_files.h"

static jc_graph *load(const char *path)
{
    jc_graph *graph = NULL;
    jc_status status = jc_graph_load(path, NULL, &graph);
    cr_assert_eq(status, JC_OK, "%s", jc_last_error());
    return graph;
}

static jc_graph *load_text(const io_folder *folder, const char *text)
{
    return load(io_write_text(folder, "graph.json", text));
}

/* Field `name` of the edge holds these numbers. */
static void expect_field(const jc_graph *g, int64_t edge, const char *name, int64_t n, const double *expected)
{
    const jc_group *group = jc_graph_group(g, edge);
    int f = jc_kind_field(group->shape.kind, name);
    cr_assert(f >= 0, "%s", name);
    const jc_field *field = &group->field[f];
    const unsigned char *data = field->data + (edge - group->first_edge) * field->stride;
    cr_assert_eq(field->elements, n, "edge %d %s: %d elements", (int)edge, name, (int)field->elements);
    for (int64_t i = 0; i < n; i++) {
        double value = jc_dtype_is_float(field->dtype) ? jc_load_float(field->dtype, data, i)
                                                       : (double)jc_load_index(field->dtype, data, i);
        cr_assert(value == expected[i] && signbit(value) == signbit(expected[i]), "edge %d %s[%d] is %g, not %g",
                  (int)edge, name, (int)i, value, expected[i]);
    }
}

#define EXPECT(g, edge, name, ...)                                                                                     \
    expect_field(g, edge, name, sizeof((double[]){__VA_ARGS__}) / sizeof(double), (double[]){__VA_ARGS__})

#define EDGE(of_size, wrt_size, jacobian)                                                                              \
    "{'jacchain':1,'variables':[{'name':'s','size':" #wrt_size "},{'name':'t','size':" #of_size                        \
    "}],'edges':[{'of':'t','wrt':'s','jacobian':" jacobian "}]}"

Test(document, every_kind_inline)
{
    io_folder folder = io_folder_make();
    jc_graph *g = load_text(&folder, EDGE(2, 3, "{'kind':'dense','values':[[1,2.5,-3e2],[4,5,6]]}"));
    EXPECT(g, 0, "values", 1, 2.5, -300, 4, 5, 6);
    cr_assert_eq(jc_graph_group(g, 0)->field[0].dtype, JC_F64);
    cr_assert(jc_graph_group(g, 0)->field[0].literal);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(3, 2, "{'kind':'dense','transpose':true,'values':[[1,2,3],[4,5,6]]}"));
    cr_assert(jc_graph_group(g, 0)->shape.transpose);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(8, 12,
                                "{'kind':'dense','batch':2,'inner':2,'transpose':false,"
                                "'values':[[[1,2,3],[4,5,6]],[[7,8,9],[10,11,12]]]}"));
    EXPECT(g, 0, "values", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    cr_assert(jc_graph_group(g, 0)->field[0].batched);
    cr_assert_eq(jc_graph_group(g, 0)->shape.batch, 2);
    cr_assert_eq(jc_graph_group(g, 0)->shape.inner, 2);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(2, 2, "{'kind':'diagonal','values':[7,8]}"));
    EXPECT(g, 0, "values", 7, 8);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(2, 2, "{'kind':'identity','scale':-0.5}"));
    cr_assert_eq(jc_graph_group(g, 0)->scale, -0.5);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(2, 2, "{'kind':'identity'}"));
    cr_assert_eq(jc_graph_group(g, 0)->scale, 1);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(3, 4, "{'kind':'csr','indptr':[0,2,2,3],'indices':[0,3,1],'values':[1,2,3]}"));
    EXPECT(g, 0, "indptr", 0, 2, 2, 3);
    EXPECT(g, 0, "indices", 0, 3, 1);
    EXPECT(g, 0, "values", 1, 2, 3);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(2, 4, "{'kind':'csr','indptr':[0,0,0],'indices':[],'values':[]}"));
    cr_assert_eq(jc_graph_group(g, 0)->shape.m, 0);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(2, 3, "{'kind':'low_rank','u':[[1],[2]],'v':[[3],[4],[5]]}"));
    EXPECT(g, 0, "u", 1, 2);
    EXPECT(g, 0, "v", 3, 4, 5);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(3, 2, "{'kind':'select','indices':[1,0,1],'scale':2}"));
    EXPECT(g, 0, "indices", 1, 0, 1);
    cr_assert_eq(jc_graph_group(g, 0)->scale, 2);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(4, 6, "{'kind':'weight','x':[[1,2,3],[4,5,6]]}"));
    EXPECT(g, 0, "x", 1, 2, 3, 4, 5, 6);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(4, 4, "{'kind':'trace','values':[[1,2],[3,4],[5,6],[7,8]]}"));
    EXPECT(g, 0, "values", 1, 2, 3, 4, 5, 6, 7, 8);
    cr_assert_eq(jc_graph_group(g, 0)->shape.m, 2);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(6, 2, "{'kind':'tile','scale':3}"));
    cr_assert_eq(jc_graph_group(g, 0)->shape.m, 3);
    jc_graph_destroy(g);
    g = load_text(&folder, EDGE(6, 2, "{'kind':'operator','tangent_cost':7,'adjoint_cost':0,'edges':9}"));
    cr_assert_eq(jc_graph_group(g, 0)->op.tangent_cost, 7);
    cr_assert_eq(jc_graph_group(g, 0)->op.adjoint_cost, 0);
    cr_assert_eq(jc_graph_group(g, 0)->op.edges, 9);
    cr_assert_not(jc_graph_group(g, 0)->has_numbers);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

Test(document, a_jacobian_without_its_numbers_is_structure)
{
    io_folder folder = io_folder_make();
    static const char *const kinds[] = {"dense", "csr", "low_rank", "select"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char text[400];
        snprintf(text, sizeof text, EDGE(2, 3, "{'kind':'%s'}"), kinds[i]);
        jc_graph *g = load_text(&folder, text);
        cr_assert_not(jc_graph_group(g, 0)->has_numbers, "%s", kinds[i]);
        jc_graph_destroy(g);
    }
    io_folder_remove(&folder);
}

Test(document, numbers_are_doubles_however_they_are_written)
{
    io_folder folder = io_folder_make();
    jc_graph *g = load_text(
        &folder, EDGE(1, 11,
                      "{'kind':'dense','values':[[9223372036854775807, 9223372036854775808,-9223372036854775809 ,"
                      "123456789012345678901234567890,1e-400,-0.0,1E3,0.1,12345678901234567890.5,"
                      "1e-99999999999999999999,1E+00000000000000000001]]}"));
    EXPECT(g, 0, "values", 9223372036854775807.0, 9223372036854775808.0, -9223372036854775809.0,
           123456789012345678901234567890.0, 0, -0.0, 1000, 0.1, 12345678901234567890.5, 0, 10);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

Test(document, text_around_the_lists_may_be_in_any_order_and_spelling)
{
    io_folder folder = io_folder_make();
    static const char *const texts[] = {
        " \n\t{ 'edges' :\r\n[ {'wrt':'a', 'of':'b', 'jacobian':{'kind':'identity'}} ] ,'variables': "
        "[{'size':2,'name':'a'},"
        "{'name':'b','size':2}],'metadata':{'edges':[1,2],'x':'[\\\"],\\\\'},'jacchain':1} \n",
        "{'jacchain':1,'v\\u0061riables':[{'name':'a','size':2},{'name':'b','size':2}],"
        "'\\u0065dges':[{'wrt':'a','of':'b','jacobian':{'kind':'identity'}}]}",
        "{'metadata':'edges','jacchain':1,'variables':[{'name':'a','size':2,'metadata':['\\u0000',null,{}]},"
        "{'name':'\\u0062','size':2}],'edges':[{'metadata':{'of':1},'wrt':'a','of':'b','jacobian':{'kind':'identity'}}]"
        "}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        jc_graph *g = load_text(&folder, texts[i]);
        int64_t of, wrt;
        jc_graph_edge(g, 0, &of, &wrt);
        cr_assert_eq(jc_graph_variable_count(g), 2);
        cr_assert_eq(jc_graph_edge_count(g), 1);
        cr_assert_eq(of, jc_graph_find_variable(g, "b"));
        cr_assert_eq(wrt, jc_graph_find_variable(g, "a"));
        jc_graph_destroy(g);
    }
    io_folder_remove(&folder);
}

Test(document, labels_are_one_text_or_several)
{
    io_folder folder = io_folder_make();
    jc_graph *g = load_text(&folder, "{'jacchain':1,'variables':[{'name':'a','size':1},{'name':'b','size':1}],'edges':["
                                     "{'of':'b','wrt':'a','label':'x','jacobian':{'kind':'identity'}},"
                                     "{'of':'b','wrt':'a','label':['y:1','x'],'jacobian':{'kind':'identity'}},"
                                     "{'of':'b','wrt':'a','label':[],'jacobian':{'kind':'identity'}},"
                                     "{'of':'b','wrt':'a','jacobian':{'kind':'identity'}}]}");
    const jc_label_set *sets = g->label_sets.data;
    char **names = g->label_names.data;
    const int64_t *ids = g->set_labels.data;
    jc_label_set first = sets[jc_graph_group(g, 0)->label_set], second = sets[jc_graph_group(g, 1)->label_set];
    cr_assert_eq(first.count, 1);
    cr_assert_str_eq(names[ids[first.first]], "x");
    cr_assert_eq(second.count, 2);
    cr_assert_str_eq(names[ids[second.first]], "y:1");
    cr_assert_str_eq(names[ids[second.first + 1]], "x");
    cr_assert_eq(jc_graph_group(g, 2)->label_set, 0);
    cr_assert_eq(jc_graph_group(g, 3)->label_set, 0);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

static const double w_data[6] = {1, 2, 3, 4, 5, NAN};
static const float f_data[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, INFINITY};
static const int32_t i_data[2] = {1, 0};
static const int64_t l_data[3] = {0, 1, 2};

static const io_tensor some_tensors[] = {
    {"w", "F64", "[2,3]", w_data, sizeof w_data},
    {"odd", "U8", "[3]", "abc", 3},
    {"f", "F32", "[2,2,3]", f_data, sizeof f_data},
    {"i", "I32", "[2]", i_data, sizeof i_data},
    {"l", "I64", "[3]", l_data, sizeof l_data},
    {"empty", "F64", "[0]", "", 0},
    {"none", "I32", "[0]", "", 0},
};
enum { N_TENSORS = sizeof some_tensors / sizeof some_tensors[0] };

Test(document, tensors_are_used_in_place_at_any_alignment)
{
    io_folder folder = io_folder_make();
    for (int shift = 0; shift < 8; shift++) {
        io_write_list(&folder, "t.safetensors", some_tensors, N_TENSORS, shift);
        jc_graph *g = load_text(
            &folder, "{'jacchain':1,'tensors':'t.safetensors','variables':[{'name':'a','size':3},{'name':'b','size':2},"
                     "{'name':'c','size':2}],'edges':["
                     "{'of':'b','wrt':'a','jacobian':{'kind':'dense','values':{'tensor':'w'}}},"
                     "{'of':'c','wrt':'a','jacobian':{'kind':'dense','values':{'tensor':'w'}}},"
                     "{'of':'b','wrt':'a','jacobian':{'kind':'dense','values':{'tensor':'f','index':1}}},"
                     "{'of':'c','wrt':'b','jacobian':{'kind':'select','indices':{'tensor':'i'}}},"
                     "{'of':'b','wrt':'a','jacobian':{'kind':'csr','indptr':{'tensor':'l'},'indices':{'tensor':'i'},"
                     "'values':[5,6]}},"
                     "{'of':'b','wrt':'a','jacobian':{'kind':'csr','indptr':[0,0,0],'indices':{'tensor':'none'},"
                     "'values':{'tensor':'empty'}}}]}");
        const jc_field *first = &jc_graph_group(g, 0)->field[0], *second = &jc_graph_group(g, 1)->field[0];
        cr_assert_eq(memcmp(first->data, w_data, sizeof w_data), 0);
        cr_assert_eq(first->data, second->data);
        cr_assert_not(first->literal);
        cr_assert_eq(memcmp(jc_graph_group(g, 2)->field[0].data, f_data + 6, 6 * sizeof(float)), 0);
        cr_assert_eq(jc_graph_group(g, 2)->field[0].dtype, JC_F32);
        EXPECT(g, 3, "indices", 1, 0);
        EXPECT(g, 4, "indptr", 0, 1, 2);
        EXPECT(g, 4, "values", 5, 6);
        jc_graph_destroy(g);
    }
    io_folder_remove(&folder);
}

Test(document, a_slice_is_a_step_along_the_first_axis)
{
    io_folder folder = io_folder_make();
    static const double v[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const int32_t p[6] = {0, 1, 1, 0, 1, 1};
    const io_tensor tensors[] = {{"v", "F64", "[6,1,2]", v, sizeof v},
                                 {"d", "F64", "[6,2]", v, sizeof v},
                                 {"n", "F64", "[2,6]", v, sizeof v},
                                 {"p", "I32", "[3,2]", p, sizeof p}};
    io_write_list(&folder, "t.safetensors", tensors, 4, 0);
    jc_graph *g = load_text(
        &folder, "{'jacchain':1,'tensors':'t.safetensors','variables':[{'name':'a','size':2},{'name':'b','size':2},"
                 "{'name':'c','size':1},{'name':'d','size':6},{'name':'e','size':6}],'edges':["
                 "{'of':'c','wrt':'a','jacobian':{'kind':'dense','values':{'tensor':'v','index':5}}},"
                 "{'of':'b','wrt':'a','jacobian':{'kind':'diagonal','values':{'tensor':'d','index':2}}},"
                 "{'of':'e','wrt':'d','jacobian':{'kind':'diagonal','values':{'tensor':'n','index':1}}},"
                 "{'of':'b','wrt':'a','jacobian':{'kind':'select','indices':{'tensor':'p','index':1}}}]}");
    EXPECT(g, 0, "values", 10, 11);
    EXPECT(g, 1, "values", 4, 5);
    EXPECT(g, 2, "values", 6, 7, 8, 9, 10, 11);
    EXPECT(g, 3, "indices", 1, 0);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

Test(document, groups_stand_for_their_edges_in_order)
{
    io_folder folder = io_folder_make();
    static const int32_t of[3] = {1, 2, 2}, sizes[3] = {2, 2, 2}, picks[6] = {0, 1, 1, 0, 1, 1};
    static const int64_t wrt[3] = {0, 0, 1};
    static const float values[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, scales[3] = {0.5f, 2, -4};
    const io_tensor tensors[] = {
        {"of", "I32", "[3]", of, sizeof of},          {"wrt", "I64", "[3]", wrt, sizeof wrt},
        {"sizes", "I32", "[3]", sizes, sizeof sizes}, {"v", "F32", "[3,2,2]", values, sizeof values},
        {"s", "F32", "[3]", scales, sizeof scales},   {"p", "I32", "[3,2]", picks, sizeof picks}};
    io_write_list(&folder, "t.safetensors", tensors, 6, 0);
    jc_graph *g = load_text(
        &folder,
        "{'jacchain':1,'tensors':'t.safetensors','variables':{'sizes':{'tensor':'sizes'},'prefix':'v'},'edges':["
        "{'of':'v1','wrt':'v0','jacobian':{'kind':'identity'}},"
        "{'of':{'tensor':'of'},'wrt':{'tensor':'wrt'},'count':3,'label':'g','metadata':0,"
        "'jacobian':{'kind':'dense','values':{'tensor':'v'}}},"
        "{'of':{'tensor':'of'},'wrt':{'tensor':'wrt'},'count':3,'jacobian':{'kind':'identity','scale':[1,2,3e0]}},"
        "{'of':{'tensor':'of'},'wrt':{'tensor':'wrt'},'count':3,'jacobian':{'kind':'select','scale':{'tensor':'s'},"
        "'indices':{'tensor':'p'}}},"
        "{'of':{'tensor':'of'},'wrt':{'tensor':'wrt'},'count':3,'jacobian':{'kind':'diagonal','batch':2,"
        "'values':[[[1],[2]],[[3],[4]],[[5],[6]]]}}]}");
    cr_assert_eq(jc_graph_edge_count(g), 13);
    char name[8];
    cr_assert_eq(jc_graph_variable_name(g, 2, name, sizeof name), 2);
    cr_assert_str_eq(name, "v2");
    for (int64_t e = 0; e < 3; e++) {
        int64_t o, w;
        jc_graph_edge(g, 1 + e, &o, &w);
        cr_assert_eq(o, of[e]);
        cr_assert_eq(w, wrt[e]);
        cr_assert_eq(jc_graph_group(g, 4 + e)->scales[e], (double)(e + 1));
        cr_assert_eq(jc_graph_group(g, 7 + e)->scales[e], (double)scales[e]);
    }
    EXPECT(g, 2, "values", 5, 6, 7, 8);
    EXPECT(g, 8, "indices", 1, 0);
    EXPECT(g, 12, "values", 5, 6);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

Test(document, edges_of_a_group_may_differ_in_shape)
{
    io_folder folder = io_folder_make();
    static const int32_t of[3] = {2, 1, 2}, wrt[3] = {0, 0, 1}, dense_ends[4] = {0, 3, 5, 11};
    static const int64_t sizes[3] = {1, 2, 3}, pointer_ends[4] = {0, 4, 7, 11}, entry_ends[4] = {0, 2, 3, 6},
                         pick_ends[4] = {0, 3, 5, 8};
    static const double values[11] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const int32_t pointers[11] = {0, 1, 1, 2, 0, 0, 1, 0, 1, 3, 3}, columns[6] = {0, 0, 0, 1, 0, 1};
    const io_tensor tensors[] = {{"of", "I32", "[3]", of, sizeof of},
                                 {"wrt", "I32", "[3]", wrt, sizeof wrt},
                                 {"sizes", "I64", "[3]", sizes, sizeof sizes},
                                 {"v", "F64", "[11]", values, sizeof values},
                                 {"o", "I32", "[4]", dense_ends, sizeof dense_ends},
                                 {"po", "I64", "[4]", pointer_ends, sizeof pointer_ends},
                                 {"eo", "I64", "[4]", entry_ends, sizeof entry_ends},
                                 {"so", "I64", "[4]", pick_ends, sizeof pick_ends},
                                 {"p", "I32", "[11]", pointers, sizeof pointers},
                                 {"c", "I32", "[6]", columns, sizeof columns}};
    io_write_list(&folder, "t.safetensors", tensors, 10, 3);
    jc_graph *g = load_text(
        &folder,
        "{'jacchain':1,'tensors':'t.safetensors','variables':{'sizes':{'tensor':'sizes'},'prefix':'v'},'edges':["
        "{'of':{'tensor':'of'},'wrt':{'tensor':'wrt'},'count':3,'label':'g','jacobian':{'kind':'dense',"
        "'values':{'tensor':'v'},'offsets':{'values':{'tensor':'o'}}}},"
        "{'of':{'tensor':'of'},'wrt':{'tensor':'wrt'},'count':3,'jacobian':{'kind':'csr','indptr':{'tensor':'p'},"
        "'indices':{'tensor':'c'},'values':[1,2,3,4,5,6],'offsets':{'values':{'tensor':'eo'},"
        "'indptr':{'tensor':'po'},'indices':{'tensor':'eo'}}}},"
        "{'of':{'tensor':'of'},'wrt':{'tensor':'wrt'},'count':3,'jacobian':{'kind':'select','scale':[1,2,-3],"
        "'indices':[0,0,0,0,0,1,0,1],'offsets':{'indices':{'tensor':'so'}}}},"
        "{'of':'v1','wrt':'v0','jacobian':{'kind':'dense','values':[[7],[8]]}}]}");
    cr_assert_eq(jc_graph_edge_count(g), 10);
    EXPECT(g, 0, "values", 1, 2, 3);
    EXPECT(g, 1, "values", 4, 5);
    EXPECT(g, 2, "values", 6, 7, 8, 9, 10, 11);
    EXPECT(g, 3, "indptr", 0, 1, 1, 2);
    EXPECT(g, 4, "values", 3);
    EXPECT(g, 5, "indptr", 0, 1, 3, 3);
    EXPECT(g, 5, "indices", 1, 0, 1);
    EXPECT(g, 5, "values", 4, 5, 6);
    EXPECT(g, 7, "indices", 0, 0);
    EXPECT(g, 8, "indices", 1, 0, 1);
    EXPECT(g, 9, "values", 7, 8);
    cr_assert_eq(*jc_graph_group(g, 8)->scales, -3.0);
    cr_assert(jc_graph_group(g, 5)->shape.p == 3 && jc_graph_group(g, 5)->shape.q == 2);
    int64_t o, w;
    jc_graph_edge(g, 7, &o, &w);
    cr_assert(o == 1 && w == 0);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

/* Long enough for many pieces; strings full of what a reader of pieces could trip over. */
Test(document, long_lists_are_read_whole)
{
    enum { N = 6000 };
    io_folder folder = io_folder_make();
    char *text = malloc(N * 300), *end = text;
    end += sprintf(end, "{'jacchain':1,'edges':[");
    for (int i = 0; i < N; i++)
        end += sprintf(end,
                       "%s{'of':'n%d','metadata':'],[}{\\',\\u005d%.*s','wrt':'n%d','jacobian':{'kind':'dense',"
                       "'values':[[%d.25]]}}",
                       i ? " ,\n" : "", i + 1, i % 10 * 2, "\\\\\\\\\\\\\\\\\\\\\\\\", i, i);
    end += sprintf(end, "],'variables':[");
    for (int i = 0; i <= N; i++) end += sprintf(end, "%s{'name':'n%d','size':1}", i ? "," : "", i);
    sprintf(end, "]}");
    jc_graph *g = load_text(&folder, text);
    cr_assert_eq(jc_graph_variable_count(g), N + 1);
    cr_assert_eq(jc_graph_edge_count(g), N);
    for (int i = 0; i < N; i++) {
        int64_t of, wrt;
        jc_graph_edge(g, i, &of, &wrt);
        cr_assert(of == i + 1 && wrt == i);
        EXPECT(g, i, "values", i + 0.25);
    }
    jc_graph_destroy(g);
    free(text);
    io_folder_remove(&folder);
}

Test(document, examples_load)
{
    static const double first[12] = {2, 3, 3, 0, 3, 3, 3, -3, 0, 1, -2, -1};
    jc_graph *g = load(JC_EXAMPLES "/post.json");
    cr_assert_eq(jc_graph_variable_count(g), 5);
    cr_assert_eq(jc_graph_edge_count(g), 8);
    expect_field(g, 0, "values", 12, first);
    jc_graph_destroy(g);
    g = load(JC_EXAMPLES "/digits_rnn.json");
    cr_assert_eq(jc_graph_variable_count(g), 24);
    cr_assert_eq(jc_graph_edge_count(g), 44);
    cr_assert_eq(jc_graph_variable_size(g, jc_graph_find_variable(g, "h8")), 2048);
    cr_assert_eq(jc_graph_group(g, 3)->shape.batch, 64);
    jc_graph_destroy(g);
}

Test(document, every_failed_allocation_is_a_clean_error)
{
    io_folder folder = io_folder_make();
    io_write_list(&folder, "t.safetensors", some_tensors, N_TENSORS, 0);
    const char *path = io_write_text(
        &folder, "graph.json",
        "{'jacchain':1,'tensors':'t.safetensors','variables':[{'name':'a','size':3},{'name':'b','size':2},"
        "{'name':'c','size':3}],'edges':[{'of':'b','wrt':'a','label':['x','y'],"
        "'jacobian':{'kind':'dense','values':{'tensor':'w'}}},"
        "{'of':'c','wrt':'a','jacobian':{'kind':'csr','indptr':[0,0,1,1],'indices':[1],"
        "'values':[12345678901234567890]}}]}");
    io_counter counter = {0};
    jc_allocator allocator = io_counting_allocator(&counter);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator};
    jc_status status = JC_E_MEMORY;
    int failures = 0;
    for (int64_t at = 0; status != JC_OK; at++) {
        jc_graph *g = NULL;
        counter = (io_counter){.fail_at = at};
        status = jc_graph_load(path, &options, &g);
        if (status) {
            cr_assert_eq(status, JC_E_MEMORY, "allocation %d: %s", (int)at, jc_last_error());
            cr_assert_null(g);
            failures++;
        } else {
            jc_graph_destroy(g);
        }
        cr_assert_eq(counter.bytes_out, 0, "allocation %d leaks %d bytes", (int)at, (int)counter.bytes_out);
    }
    cr_assert(failures > 20);
    io_folder_remove(&folder);
}

/* jansson has its own allocator; it takes a failure while reading a string for a syntax error. */
static int64_t json_calls, json_fail_at, json_out;

static void *json_alloc(size_t bytes)
{
    if (json_calls++ == json_fail_at) return NULL;
    json_out++;
    return malloc(bytes);
}

static void json_free_one(void *ptr)
{
    if (ptr) json_out--;
    free(ptr);
}

Test(document, memory_that_jansson_does_not_get_is_a_clean_error)
{
    io_folder folder = io_folder_make();
    io_write_list(&folder, "t.safetensors", some_tensors, N_TENSORS, 0);
    const char *path = io_write_text(&folder, "graph.json", EDGE(2, 3, "{'kind':'dense','values':[[1,2,3],[4,5,6]]}"));
    json_set_alloc_funcs(json_alloc, json_free_one);
    jc_status status = JC_E_MEMORY;
    for (json_fail_at = 0; status != JC_OK; json_fail_at++) {
        jc_graph *g = NULL;
        json_calls = 0;
        status = jc_graph_load(path, NULL, &g);
        cr_assert(status == JC_OK || status == JC_E_MEMORY, "allocation %d: %s", (int)json_fail_at, jc_last_error());
        jc_graph_destroy(g);
        cr_assert_eq(json_out, 0);
    }
    cr_assert(json_fail_at > 20);
    io_folder_remove(&folder);
}
