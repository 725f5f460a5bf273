/* Matrix Market files: those in tests/data/mtx were written by scipy, beside each the dense matrix as scipy reads it.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/dtype.h"
#include "graph/graph.h"
#include "io/io_files.h"
#include "io/matrix_market.h"
#include "io/npy.h"
#include "support/failing_allocator.h"
#include "support/failing_calls.h"
#include "support/failing_jansson.h"

static jc_status parse(const jc_allocator *a, const void *text, size_t bytes, jc_mm_matrix *m)
{
    jc_mm_header h;
    jc_status status = jc_mm_read_header(text, (int64_t)bytes, &h);
    return status ? status : jc_mm_read_matrix(a, text, (int64_t)bytes, &h, m);
}

/* Rows end where they should, columns increase, and the entries are those of the dense matrix, whose others are zero.
 */
static void expect_matrix(const char *what, const jc_mm_matrix *m, int64_t rows, int64_t cols, const double *dense)
{
    double *out = calloc((size_t)(rows * cols), sizeof *out);
    cr_assert(m->rows == rows && m->cols == cols && m->indptr[0] == 0 && m->indptr[rows] == m->nnz, "%s", what);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = m->indptr[i]; k < m->indptr[i + 1]; k++) {
            cr_assert(m->indices[k] >= 0 && m->indices[k] < cols, "%s", what);
            cr_assert(k == m->indptr[i] || m->indices[k - 1] < m->indices[k], "%s: columns do not increase", what);
            out[i * cols + m->indices[k]] = m->values[k];
        }
    for (int64_t i = 0; i < rows * cols; i++)
        cr_assert_eq(out[i], dense[i], "%s[%d]: %.17g, expected %.17g", what, (int)i, out[i], dense[i]);
    free(out);
}

static void expect_file(const char *name)
{
    char path[512];
    size_t bytes, npy_bytes;
    jc_allocator a = jc_allocator_or_default(NULL);
    jc_mm_matrix m = {0};
    jc_npy npy;
    snprintf(path, sizeof path, "%s/mtx/%s.mtx", JC_TEST_DATA, name);
    unsigned char *text = io_read(path, &bytes);
    snprintf(path, sizeof path, "%s/mtx/%s.npy", JC_TEST_DATA, name);
    unsigned char *file = io_read(path, &npy_bytes);
    cr_assert_eq(jc_npy_parse(file, (int64_t)npy_bytes, &npy), JC_OK, "%s", jc_last_error());
    double *dense = malloc((size_t)npy.elements * sizeof *dense); /* aligned */
    memcpy(dense, npy.data, (size_t)npy.elements * sizeof *dense);
    cr_assert_eq(parse(&a, text, bytes, &m), JC_OK, "%s: %s", name, jc_last_error());
    expect_matrix(name, &m, npy.dims[0], npy.dims[1], dense);
    jc_mm_matrix_fini(&a, &m);
    free(dense);
    free(file);
    free(text);
}

Test(matrix_market, every_form_that_scipy_writes_becomes_its_matrix)
{
    static const char *const names[] = {"general", "symmetric",       "skew",      "integer", "pattern",
                                        "array",   "array_symmetric", "array_skew"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) expect_file(names[i]);
}

#define REAL "%%MatrixMarket matrix coordinate real general\n"
#define PATTERN "%%MatrixMarket matrix coordinate pattern general\n"
#define SYMMETRIC "%%MatrixMarket matrix coordinate real symmetric\n"
#define SKEW "%%MatrixMarket matrix coordinate real skew-symmetric\n"
#define ARRAY "%%MatrixMarket matrix array real general\n"

static const double plain[6] = {0, 2.5, -3, 1, 0, 0}; /* 2 x 3 */

Test(matrix_market, comments_blank_lines_and_line_ends_do_not_matter)
{
    static const char *const texts[] = {
        REAL "2 3 3\n1 3 -3\n2 1 1\n1 2 2.5\n",
        REAL "2 3 3\n1 3 -3\n2 1 1\n1 2 2.5",
        "%%MatrixMarket matrix coordinate real general\r\n2 3 3\r\n1 3 -3\r\n2 1 1\r\n1 2 2.5\r\n",
        "%%matrixmarket MATRIX Coordinate REAL General\n% a comment\n%\n\n   \n2 3 3\n%1 1 1\n\n1 2 +2.50\n\t1  "
        "3\t-3.e0 \n"
        "  % more\n2 1 .1E+1\n\n%end\n  \n",
        ARRAY "2 3\n0\n1\n2.5\n0\n-3\n0\n",
        "%%MatrixMarket matrix coordinate integer general\n2 3 2\n1 3 -3\n2 1 +1\n",
    };
    for (int i = 0; i < 6; i++) {
        jc_allocator a = jc_allocator_or_default(NULL);
        jc_mm_matrix m = {0};
        const double whole[6] = {0, 0, -3, 1, 0, 0};
        cr_assert_eq(parse(&a, texts[i], strlen(texts[i]), &m), JC_OK, "%d: %s", i, jc_last_error());
        cr_expect_eq(m.nnz, i == 4 ? 6 : i == 5 ? 2 : 3); /* an array is stored with its zeros */
        expect_matrix(texts[i], &m, 2, 3, i == 5 ? whole : plain);
        jc_mm_matrix_fini(&a, &m);
    }
}

static const struct {
    const char *text, *words;
} bad_texts[] = {
    {"", "line 1: a Matrix Market file begins with '%%MatrixMarket'"},
    {"\n" REAL "1 1 1\n1 1 1\n", "line 1: a Matrix Market file begins"},
    {"%MatrixMarket matrix coordinate real general\n1 1 0\n", "line 1: a Matrix Market file begins"},
    {"%%MatrixMarket matrix coordinate real\n1 1 0\n", "line 1: expected '%%MatrixMarket matrix', a layout"},
    {"%%MatrixMarket matrix coordinate real general x\n1 1 0\n", "line 1: expected '%%MatrixMarket matrix', a layout"},
    {"%%MatrixMarket vector coordinate real general\n1 1 0\n", "line 1: expected 'matrix', found 'vector'"},
    {"%%MatrixMarket matrix sparse real general\n1 1 0\n", "line 1: expected coordinate or array, found 'sparse'"},
    {"%%MatrixMarket matrix coordinate complex general\n1 1 0\n",
     "line 1: expected real, integer or pattern, found 'c"},
    {"%%MatrixMarket matrix coordinate real hermitian\n1 1 0\n", "line 1: expected general, symmetric or skew-symm"},
    {"%%MatrixMarket matrix array pattern general\n1 1\n", "line 1: an array of numbers cannot be a pattern"},
    {"%%MatrixMarket matrix coordinate pattern skew-symmetric\n1 1 0\n", "line 1: a pattern cannot be skew-symmetric"},
    {REAL, "line 1: the file ends before the line of its sizes"},
    {REAL "% only\n\n", "line 3: the file ends before the line of its sizes"},
    {REAL "2 3\n", "line 2: expected rows, columns and entries"},
    {REAL "%\n2 3 1 1\n", "line 3: expected rows, columns and entries"},
    {ARRAY "2 3 6\n", "line 2: expected rows and columns"},
    {REAL "0 3 0\n", "line 2: expected a positive integer below 2^63, found '0'"},
    {REAL "2 0 0\n", "line 2: expected a positive integer below 2^63, found '0'"},
    {REAL "-2 3 0\n", "line 2: expected a positive integer below 2^63, found '-2'"},
    {REAL "2.0 3 0\n", "found '2.0'"},
    {REAL "2 3 -1\n", "line 2: expected an integer below 2^63, found '-1'"},
    {REAL "9223372036854775808 3 0\n", "found '9223372036854775808'"},
    {REAL "99999999999999999999999999999999999999999999999 3 0\n",
     "found '9999999999999999999999999999999999999999...'"},
    {REAL "2 3 9223372036854775807\n1 1 1\n", "line 2: 9223372036854775807 entries do not fit the 6 bytes behind it"},
    {REAL "2 3 2\n1 1 1\n", "line 2: 2 entries do not fit the 6 bytes"},
    {PATTERN "2 3 2\n1 1\n", "line 2: 2 entries do not fit the 4 bytes"},
    {ARRAY "4294967296 4294967296\n1\n", "line 2: the matrix has more entries than can be counted"},
    {ARRAY "2 2\n1\n", "line 2: 4 entries do not fit the 2 bytes"},
    {"%%MatrixMarket matrix array real symmetric\n9223372036854775807 9223372036854775807\n1\n", "than can be counted"},
    {SYMMETRIC "2 3 0\n", "line 2: a symmetric matrix has as many rows as columns"},
    {REAL "2 3 2\n1 1 1\n%     \n", "line 4: the file ends after 1 of its 2 entries"},
    {REAL "2 3 1\n1 1 1\n%\n2 2 2\n", "line 5: there are more than the 1 entries of line 2"},
    {REAL "2 3 1\n1 1 1\nx\n", "line 4: there are more than"},
    {REAL "2 3 1\n1 1\n      ", "line 3: expected a row, a column and a number"},
    {REAL "2 3 1\n1 1 1 1\n", "line 3: expected a row, a column and a number"},
    {PATTERN "2 3 1\n1 1 1\n", "line 3: expected a row and a column"},
    {ARRAY "1 2\n1 2\n3\n", "line 3: expected one number"},
    {REAL "2 3 1\n0 1 1\n", "line 3: expected a row from 1 to 2, found '0'"},
    {REAL "2 3 1\n3 1 1\n", "line 3: expected a row from 1 to 2, found '3'"},
    {REAL "2 3 1\n1 4 1\n", "line 3: expected a column from 1 to 3, found '4'"},
    {REAL "2 3 1\n1 -1 1\n", "line 3: expected a column from 1 to 3, found '-1'"},
    {REAL "2 3 1\n1.0 1 1\n", "line 3: expected a row from 1 to 2, found '1.0'"},
    {REAL "2 3 1\n18446744073709551617 1 1\n", "line 3: expected a row from 1 to 2"},
    {REAL "2 3 1\n1 1 x\n", "line 3: expected a number, found 'x'"},
    {REAL "2 3 1\n1 1 1,5\n", "line 3: expected a number, found '1,5'"},
    {REAL "2 3 1\n1 1 .\n", "line 3: expected a number, found '.'"},
    {REAL "2 3 1\n1 1 1e\n", "line 3: expected a number, found '1e'"},
    {REAL "2 3 1\n1 1 1e+\n", "found '1e+'"},
    {REAL "2 3 1\n1 1 1e5.0\n", "found '1e5.0'"},
    {REAL "2 3 1\n1 1 --1\n", "found '--1'"},
    {REAL "2 3 1\n1 1 0x10\n", "found '0x10'"},
    {REAL "2 3 1\n1 1 nan\n", "found 'nan'"},
    {REAL "2 3 1\n1 1 inf\n", "found 'inf'"},
    {REAL "2 3 1\n1 1 1d5\n", "found '1d5'"},
    {REAL "2 3 1\n1 1 1e999\n", "line 3: expected a number that does not overflow a double, found '1e999'"},
    {REAL "2 3 1\n1 1 \x01z\xff\n", "found '?z?'"},
    {"%%MatrixMarket matrix coordinate integer general\n2 3 1\n1 1 1.5\n", "line 3: expected an integer, found '1.5'"},
    {SYMMETRIC "3 3 1\n1 2 1\n", "line 3: of a symmetric matrix only the lower triangle is given"},
    {SKEW "3 3 1\n2 2 1\n", "line 3: a skew-symmetric matrix has no diagonal"},
    {REAL "2 3 3\n1 1 1\n%\n2 2 2\n1 1 1\n", "line 6: entry (1, 1) stands twice"},
    {SYMMETRIC "3 3 3\n3 1 1\n1 1 1\n3 1 1\n", "line 5: entry (3, 1) stands twice"},
};

static void expect_refused(const char *text, size_t bytes, const char *words)
{
    jc_allocator a = jc_allocator_or_default(NULL);
    jc_mm_matrix m = {0};
    char *copy = malloc(bytes ? bytes : 1); /* no byte more, for the sanitizers */
    memcpy(copy, text, bytes);
    jc_status status = parse(&a, copy, bytes, &m);
    cr_expect_eq(status, JC_E_INPUT, "%s", text);
    cr_expect(status && strstr(jc_last_error(), words), "%sexpected '%s' in '%s'", text, words, jc_last_error());
    jc_mm_matrix_fini(&a, &m);
    free(copy);
}

Test(matrix_market, every_rule_has_its_message_and_line)
{
    for (size_t i = 0; i < sizeof bad_texts / sizeof bad_texts[0]; i++)
        expect_refused(bad_texts[i].text, strlen(bad_texts[i].text), bad_texts[i].words);
    char *text = malloc(2000);
    int used = sprintf(text, "%s1 1 1\n1 1 0.", REAL);
    memset(text + used, '1', 510);
    expect_refused(text, (size_t)used + 510, "line 3: the number has too many digits"); /* 512 characters */
    jc_allocator a = jc_allocator_or_default(NULL);
    jc_mm_matrix m = {0};
    cr_expect_eq(parse(&a, text, (size_t)used + 509, &m), JC_OK, "%s", jc_last_error());
    cr_expect_eq(m.values[0], 1. / 9);
    jc_mm_matrix_fini(&a, &m);
    free(text);
    expect_refused(REAL "2 3 1\n1 \0 1\n", strlen(REAL) + 12, "line 3: expected a column from 1 to 3, found '?'");
}

Test(matrix_market, truncated_files_are_refused_or_whole)
{
    static const char text[] = REAL "% c\n3 4 3\n1 2 2.5\n3 4 -1e10\n3 1 7";
    jc_allocator a = jc_allocator_or_default(NULL);
    for (size_t n = 0; n + 1 < sizeof text; n++) {
        jc_mm_matrix m = {0};
        char *copy = malloc(n + 1);
        memcpy(copy, text, n);
        cr_expect_eq(parse(&a, copy, n, &m), JC_E_INPUT, "%d bytes", (int)n);
        jc_mm_matrix_fini(&a, &m);
        free(copy);
    }
}

/* A comma is the decimal point there, where there is such a locale. */
Test(matrix_market, numbers_do_not_depend_on_the_locale)
{
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    for (int i = 0; i < 4 && !setlocale(LC_ALL, locales[i]); i++) continue;
    expect_file("general");
    setlocale(LC_ALL, "C");
}

/* ---- in documents ----------------------------------------------------------------------------------------------- */

static const char mtx[] = REAL "2 3 3\n1 3 -3\n2 1 1\n1 2 2.5\n";
#define DOCUMENT(of, wrt, jacobian)                                                                                    \
    "{'jacchain':1,'variables':[{'name':'x','size':" wrt "},{'name':'y','size':" of                                    \
    "}],'edges':[{'of':'y','wrt':'x','jacobian':{" jacobian "}}]}"
#define INLINE "'kind':'csr','indptr':[0,2,3],'indices':[1,2,0],'values':[2.5,-3,1]"

static jc_graph *load(const char *path)
{
    jc_graph *graph = NULL;
    cr_assert_eq(jc_graph_load(path, NULL, &graph), JC_OK, "%s", jc_last_error());
    return graph;
}

/* The numbers of dy/dx, rows x cols, owned by the caller. */
static double *total(const char *path)
{
    jc_graph *graph = load(path);
    const int64_t x = 0, y = 1;
    jc_query query = JC_QUERY_INIT;
    query.of = &y, query.n_of = 1, query.wrt = &x, query.n_wrt = 1;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    options.program.backend = "reference";
    jc_results *results = NULL;
    jc_result r;
    cr_assert_eq(jc_evaluate(graph, &query, &options, &results), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_results_get(results, 0, &r), JC_OK);
    cr_assert_eq(r.dtype, JC_F64);
    double *out = malloc((size_t)(r.rows * r.cols) * sizeof *out);
    for (int64_t i = 0; i < r.rows * r.cols; i++)
        out[i] = ((const double *)r.data)[i / r.cols * r.row_stride + i % r.cols * r.col_stride];
    jc_results_destroy(results);
    jc_graph_destroy(graph);
    return out;
}

Test(matrix_market, a_matrix_may_have_no_entries)
{
    static const char *const texts[] = {REAL "2 3 0\n", SKEW "1 1 0",
                                        "%%MatrixMarket matrix array real skew-symmetric\n1 1\n"};
    const double zeros[6] = {0};
    for (int i = 0; i < 3; i++) {
        jc_allocator a = jc_allocator_or_default(NULL);
        jc_mm_matrix m = {0};
        cr_assert_eq(parse(&a, texts[i], strlen(texts[i]), &m), JC_OK, "%s", jc_last_error());
        cr_expect_eq(m.nnz, 0);
        expect_matrix(texts[i], &m, i ? 1 : 2, i ? 1 : 3, zeros);
        jc_mm_matrix_fini(&a, &m);
    }
    io_folder folder = io_folder_make();
    io_write(&folder, "a.mtx", texts[0], strlen(texts[0]));
    double *none = total(io_write_text(&folder, "g.json", DOCUMENT("2", "3", "'kind':'csr','file':'a.mtx'")));
    cr_expect(!memcmp(none, zeros, sizeof zeros));
    free(none);
    io_folder_remove(&folder);
}

Test(matrix_market, a_file_stands_for_the_arrays_under_batch_inner_and_transpose)
{
    static const struct {
        const char *by_file, *by_arrays;
        int64_t entries;
    } cases[] = {
        {DOCUMENT("2", "3", "'kind':'csr','file':'a.mtx'"), DOCUMENT("2", "3", INLINE), 6},
        {DOCUMENT("3", "2", "'kind':'csr','file':'a.mtx','transpose':true"),
         DOCUMENT("3", "2", INLINE ",'transpose':true"), 6},
        {DOCUMENT("12", "18", "'kind':'csr','file':'a.mtx','batch':3,'inner':2"),
         DOCUMENT("12", "18", INLINE ",'batch':3,'inner':2"), 216},
        {DOCUMENT("18", "12", "'kind':'csr','file':'a.mtx','batch':2,'inner':3,'transpose':true"),
         DOCUMENT("18", "12", INLINE ",'batch':2,'inner':3,'transpose':true"), 216},
    };
    io_folder folder = io_folder_make();
    io_write(&folder, "a.mtx", mtx, strlen(mtx));
    for (int i = 0; i < 4; i++) {
        double *file = total(io_write_text(&folder, "g.json", cases[i].by_file));
        double *arrays = total(io_write_text(&folder, "g.json", cases[i].by_arrays));
        cr_expect(!memcmp(file, arrays, (size_t)cases[i].entries * sizeof *file), "case %d", i);
        cr_expect(file[0] == 0 && (file[1] != 0 || i > 0), "case %d", i);
        free(arrays);
        free(file);
    }
    io_folder_remove(&folder);
}

Test(matrix_market, a_file_is_read_once)
{
    enum { EDGES = 50 };
    io_folder folder = io_folder_make();
    char *text = malloc(EDGES * 100 + 200);
    int used = sprintf(text, "{'jacchain':1,'variables':[{'name':'x','size':3},{'name':'y','size':2}],'edges':[");
    for (int i = 0; i < EDGES; i++)
        used += sprintf(text + used, "%s{'of':'y','wrt':'x','jacobian':{'kind':'csr','file':'%c.mtx'}}", i ? "," : "",
                        'a' + i % 2);
    sprintf(text + used, "]}");
    io_write(&folder, "a.mtx", mtx, strlen(mtx));
    io_write(&folder, "b.mtx", mtx, strlen(mtx));
    const char *path = io_write_text(&folder, "g.json", text);
    failing_calls_reset(FAILING_CALLS, -1, 0);
    jc_graph *graph = load(path);
    cr_expect_eq(failing_call_counts[FAILING_OPEN], 3, "%d files were opened", (int)failing_call_counts[FAILING_OPEN]);
    const jc_group *first = jc_graph_group(graph, 0), *other = jc_graph_group(graph, 1),
                   *last = jc_graph_group(graph, 2);
    cr_expect_eq(first->field[2].data, last->field[2].data);
    cr_expect_neq(first->field[2].data, other->field[2].data);
    jc_graph_destroy(graph);
    free(text);
    io_folder_remove(&folder);
}

/* Text, as the numbers of a document: a tensor of F32 beside it says what is computed in. */
Test(matrix_market, its_numbers_do_not_decide_the_precision)
{
    static const float g[2] = {2, 3};
    const io_tensor tensor = {"g", "F32", "[1,2]", g, sizeof g};
    io_folder folder = io_folder_make();
    io_write(&folder, "a.mtx", mtx, strlen(mtx));
    io_write_list(&folder, "t.safetensors", &tensor, 1, 0);
    jc_graph *graph = load(io_write_text(
        &folder, "g.json",
        "{'jacchain':1,'tensors':'t.safetensors','variables':[{'name':'x','size':3},{'name':'y','size':2},{'name':'L',"
        "'size':1}],'edges':[{'of':'y','wrt':'x','jacobian':{'kind':'csr','file':'a.mtx'}},{'of':'L','wrt':'y',"
        "'jacobian':{'kind':'dense','values':{'tensor':'g'}}}]}"));
    const int64_t x = 0, L = 2;
    jc_query query = JC_QUERY_INIT;
    query.of = &L, query.n_of = 1, query.wrt = &x, query.n_wrt = 1;
    jc_results *results = NULL;
    jc_results_info info = {.struct_size = sizeof info};
    cr_assert_eq(jc_evaluate(graph, &query, NULL, &results), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_results_get_info(results, &info), JC_OK);
    cr_expect_eq(info.precision, JC_PRECISION_F32);
    jc_results_destroy(results);
    jc_graph_destroy(graph);
    io_folder_remove(&folder);
}

static void expect_bad(const io_folder *folder, const char *document, const char *start, const char *words)
{
    jc_graph *graph = NULL;
    char expected[1024];
    const char *path = io_write_text(folder, "g.json", document);
    snprintf(expected, sizeof expected, start, folder->path);
    cr_expect_eq(jc_graph_load(path, NULL, &graph), JC_E_INPUT, "%s", document);
    cr_expect(!strncmp(jc_last_error(), expected, strlen(expected)), "%s\nexpected %s", jc_last_error(), expected);
    cr_expect(strstr(jc_last_error(), words), "%s\nexpected %s", jc_last_error(), words);
}

#define BY_FILE(name) DOCUMENT("2", "3", "'kind':'csr','file':" name)
#define PLACE "%s/g.json: /edges/0/jacobian/file: "

Test(matrix_market, broken_files_are_named_and_references_have_their_place)
{
    io_folder folder = io_folder_make();
    io_write(&folder, "a.mtx", mtx, strlen(mtx));
    io_write(&folder, "bad.mtx", REAL "2 3 1\n1 1 x\n", strlen(REAL) + 12);
    io_write(&folder, "huge.mtx", REAL "2000000000000000000 3 0\n", strlen(REAL) + 24);
    expect_bad(&folder, BY_FILE("'bad.mtx'"), "%s/bad.mtx: line 3: ", "expected a number, found 'x'");
    expect_bad(&folder, BY_FILE("'none.mtx'"), "%s/none.mtx: cannot be read: ", "No such file");
    expect_bad(&folder, BY_FILE("'g.json'"), "%s/g.json: line 1: ", "begins with '%%MatrixMarket'");
    expect_bad(&folder, BY_FILE("7"), PLACE, "expected the name of a Matrix Market file, not an integer");
    expect_bad(&folder, BY_FILE("''"), PLACE, "not empty text");
    expect_bad(&folder, BY_FILE("'../a.mtx'"), PLACE, "a plain file name");
    expect_bad(&folder, BY_FILE("'/a.mtx'"), PLACE, "a plain file name");
    expect_bad(&folder, BY_FILE("'b/a.mtx'"), PLACE, "a plain file name");
    expect_bad(&folder, BY_FILE("'..mtx'"), PLACE, "a plain file name");
    expect_bad(&folder, BY_FILE("'a.mtx','indptr':[0,1,1]"), PLACE, "indptr is there too");
    expect_bad(&folder, BY_FILE("'a.mtx','values':[1]"), PLACE, "values is there too");
    expect_bad(&folder, BY_FILE("'huge.mtx'"), PLACE, "huge.mtx is 2000000000000000000 x 3, expected 2 x 3");
    expect_bad(&folder, DOCUMENT("3", "2", "'kind':'csr','file':'a.mtx'"), PLACE, "a.mtx is 2 x 3, expected 3 x 2");
    expect_bad(&folder, DOCUMENT("2", "3", "'kind':'dense','file':'a.mtx'"), PLACE, "not known here");
    expect_bad(&folder, DOCUMENT("2", "3", "'kind':'csr','file':'a.mtx','batch':2"),
               "%s/g.json: /edges/0/jacobian/batch", "not multiples");
    expect_bad(
        &folder,
        "{'jacchain':1,'variables':[{'name':'x','size':3},{'name':'y','size':2}],'edges':[{'of':'y','wrt':'x',"
        "'jacobian':{'kind':'csr','file':'a.mtx'}},{'of':'x','wrt':'y','jacobian':{'kind':'csr','file':'a.mtx'}}]}",
        "%s/g.json: /edges/1/jacobian/file: ", "a.mtx is 2 x 3, expected 3 x 2");
    io_folder_remove(&folder);
}

Test(matrix_market, a_group_takes_no_file)
{
    static const int64_t ends[2] = {1, 0};
    const io_tensor tensors[] = {{"of", "I64", "[1]", &ends[0], 8}, {"wrt", "I64", "[1]", &ends[1], 8}};
    io_folder folder = io_folder_make();
    io_write_list(&folder, "t.safetensors", tensors, 2, 0);
    expect_bad(&folder,
               "{'jacchain':1,'tensors':'t.safetensors','variables':[{'name':'x','size':3},{'name':'y','size':2}],"
               "'edges':[{'of':{'tensor':'of'},'wrt':{'tensor':'wrt'},'count':1,'jacobian':{'kind':'csr',"
               "'file':'a.mtx'}}]}",
               PLACE, "a group of edges takes its arrays from tensors");
    io_folder_remove(&folder);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

typedef struct sweep {
    const char *path;
    jc_allocator allocator;
} sweep;

static jc_status load_body(void *ctx)
{
    sweep *s = ctx;
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &s->allocator, .reads_files = 1};
    jc_graph *graph = NULL;
    jc_status status = jc_graph_load(s->path, &options, &graph);
    cr_assert(!status == !!graph);
    jc_graph_destroy(graph);
    return status;
}

Test(matrix_market, every_failed_allocation_is_an_error)
{
    io_folder folder = io_folder_make();
    failing_allocator memory;
    sweep s = {.allocator = failing_allocator_init(&memory, -1)};
    failing_jansson_route(&s.allocator);
    io_write(&folder, "a.mtx", mtx, strlen(mtx));
    s.path = io_write_text(&folder, "g.json", BY_FILE("'a.mtx'"));
    int64_t n = failing_allocator_sweep(&memory, "loading a matrix", load_body, &s);
    cr_expect_gt(n, 15);
    cr_expect_eq(memory.live_blocks, 0);
    cr_expect_eq(memory.defects, 0);
    io_folder_remove(&folder);
}
