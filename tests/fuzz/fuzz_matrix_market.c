/* A Matrix Market file. One that is accepted gives the arrays of a csr Jacobian that the builder takes; written out as
 * text and read again it is the same matrix. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "fuzz/fuzz.h"
#include "io/matrix_market.h"

enum { MOST_LINES = 1 << 12 };

static void expect_builds(const jc_mm_matrix *m)
{
    jc_graph *graph;
    int64_t x, y;
    jc_jacobian csr = JC_JACOBIAN_INIT(JC_CSR);
    csr.indptr = jc_array_1d(JC_I64, m->rows + 1, m->indptr);
    csr.indices = jc_array_1d(JC_I64, m->nnz, m->indices);
    csr.values = jc_array_1d(JC_F64, m->nnz, m->values);
    fuzz_expect(!jc_graph_create(NULL, &graph), "a graph");
    fuzz_expect(!jc_graph_add_variable(graph, "x", m->cols, &x), "columns");
    fuzz_expect(!jc_graph_add_variable(graph, "y", m->rows, &y), "rows");
    fuzz_expect(!jc_graph_add_edge(graph, y, x, &csr, NULL, 0), "the arrays are those of a csr Jacobian");
    jc_graph_destroy(graph);
}

static char *to_text(const jc_mm_matrix *m, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    fuzz_expect(out, "memory");
    fprintf(out, "%%%%MatrixMarket matrix coordinate real general\n%lld %lld %lld\n", (long long)m->rows,
            (long long)m->cols, (long long)m->nnz);
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t k = m->indptr[i]; k < m->indptr[i + 1]; k++)
            fprintf(out, "%lld %lld %.17g\n", (long long)i + 1, (long long)m->indices[k] + 1, m->values[k]);
    fclose(out);
    return text;
}

static void expect_round_trip(const jc_allocator *a, const jc_mm_matrix *m)
{
    size_t bytes;
    char *text = to_text(m, &bytes);
    jc_mm_header header;
    jc_mm_matrix again;
    fuzz_expect(!jc_mm_read_header(text, (int64_t)bytes, &header), "what is written is read");
    fuzz_expect(!jc_mm_read_matrix(a, text, (int64_t)bytes, &header, &again), "its entries are read");
    fuzz_expect(again.rows == m->rows && again.cols == m->cols && again.nnz == m->nnz, "the shape comes back");
    fuzz_expect(!memcmp(again.indptr, m->indptr, (size_t)(m->rows + 1) * sizeof(int64_t)), "the rows come back");
    for (int64_t k = 0; k < m->nnz; k++)
        fuzz_expect(again.indices[k] == m->indices[k] && again.values[k] == m->values[k], "entry %d comes back",
                    (int)k);
    jc_mm_matrix_fini(a, &again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const jc_allocator a = jc_allocator_or_default(NULL);
    jc_mm_header header;
    jc_mm_matrix matrix;
    jc_status status = jc_mm_read_header(data, (int64_t)bytes, &header);
    fuzz_expect_read(status, "line ");
    if (status || header.rows > MOST_LINES || header.cols > MOST_LINES) return 0;
    status = jc_mm_read_matrix(&a, data, (int64_t)bytes, &header, &matrix);
    fuzz_expect_read(status, "line ");
    if (status) return 0;
    fuzz_expect(matrix.rows == header.rows && matrix.cols == header.cols, "the shape is the header's");
    if (matrix.rows > 0 && matrix.cols > 0) expect_builds(&matrix);
    expect_round_trip(&a, &matrix);
    jc_mm_matrix_fini(&a, &matrix);
    return 0;
}
