#include "run/collect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "plan/view.h"

enum { TILE = 32 };

static int compare_keys(const void *a, const void *b)
{
    const jc_result_key *x = a, *y = b;
    if (x->of != y->of) return x->of < y->of ? -1 : 1;
    return (x->wrt > y->wrt) - (x->wrt < y->wrt);
}

jc_status jc_results_prepare(jc_results *r)
{
    const jc_plan *plan = r->plan;
    int64_t n = plan->n_outputs;
    r->n = n;
    jc_status status = jc_alloc_zero(&r->allocator, n, sizeof *r->items, "results", &r->items);
    if (!status) status = jc_alloc_zero(&r->allocator, n, sizeof *r->owned, "results", &r->owned);
    if (!status) status = jc_alloc(&r->allocator, n, sizeof *r->keys, "results", &r->keys);
    if (status) return status;
    for (int64_t i = 0; i < n; i++) {
        jc_result *item = &r->items[i];
        *item = jc_output_view(plan, &plan->outputs[i], JC_F64);
        item->col_stride = 1;
        item->row_stride = item->cols;
        item->block_stride = jc_cost_mul(item->rows, item->cols);
        r->keys[i] = (jc_result_key){item->of, item->wrt, i};
    }
    qsort(r->keys, (size_t)n, sizeof *r->keys, compare_keys);
    return JC_OK;
}

void jc_results_set_dtype(jc_results *r, jc_dtype dtype)
{
    for (int64_t i = 0; i < r->n; i++) r->items[i].dtype = dtype;
}

static int64_t find_item(const jc_results *r, const jc_output *output)
{
    jc_result_key key = {output->of, output->wrt, 0};
    const jc_result_key *found = bsearch(&key, r->keys, (size_t)r->n, sizeof key, compare_keys);
    return found ? found->index : -1;
}

static jc_status item_elements(const jc_result *item, int64_t *n)
{
    if (jc_size_mul(item->rows, item->cols, n) && jc_size_mul(*n, item->blocks, n)) return JC_OK;
    return jc_fail(JC_E_MEMORY, "not enough memory: a result of %lld x %lld is larger than can be addressed",
                   (long long)item->rows, (long long)item->cols);
}

/* dst[i*dst_row + j*dst_col] = src[i*src_row + j*src_col], in tiles so that a transposition reads and writes whole
 * lines. */
static void copy_strided(int64_t element, int64_t rows, int64_t cols, unsigned char *dst, int64_t dst_row,
                         int64_t dst_col, const unsigned char *src, int64_t src_row, int64_t src_col)
{
    for (int64_t i0 = 0; i0 < rows; i0 += TILE)
        for (int64_t j0 = 0; j0 < cols; j0 += TILE)
            for (int64_t i = i0; i < jc_min(i0 + TILE, rows); i++)
                for (int64_t j = j0; j < jc_min(j0 + TILE, cols); j++)
                    memcpy(dst + (i * dst_row + j * dst_col) * element, src + (i * src_row + j * src_col) * element,
                           (size_t)element);
}

/* Copies `n` rows of a value, `src`, which are rows (or, transposed, columns) first.. of the output. */
static void scatter(const jc_output *output, const jc_result *view, jc_result *item, void *to, const void *src,
                    int64_t first, int64_t n)
{
    int64_t element = jc_dtype_bytes(view->dtype);
    int64_t rows = output->transposed ? item->rows : n, cols = output->transposed ? n : item->cols;
    for (int64_t b = 0; b < item->blocks; b++) {
        unsigned char *dst = (unsigned char *)to + b * item->block_stride * element;
        dst += first * (output->transposed ? item->col_stride : item->row_stride) * element;
        const unsigned char *from = (const unsigned char *)src + b * view->block_stride * element;
        if (!output->transposed && item->blocks == 1)
            memcpy(dst, from, (size_t)(rows * cols * element));
        else
            copy_strided(element, rows, cols, dst, item->row_stride, item->col_stride, from, view->row_stride,
                         view->col_stride);
    }
}

/* The rows of a value in host memory: in the run, or read into a buffer the caller frees (*buffer). */
static jc_status value_rows(const jc_results *r, const jc_run *run, const jc_output *output, int64_t n,
                            const void **rows, void **buffer)
{
    const jc_backend *backend = run->program->backend;
    *buffer = NULL;
    *rows = backend->peek(run, output->value, output->value_row);
    if (*rows) return JC_OK;
    int64_t width = run->program->plan->values[output->value].cols * jc_dtype_bytes(run->program->dtype);
    jc_status status = jc_alloc(&r->allocator, n, (size_t)width, "rows of a result", buffer);
    if (!status) status = backend->read(run, output->value, output->value_row, n, *buffer);
    *rows = *buffer;
    return status;
}

static jc_status copy_rows(jc_results *r, int64_t index, const jc_run *run, const jc_output *output, int64_t first,
                           int64_t n)
{
    jc_result view = jc_output_view(run->program->plan, output, run->program->dtype), *item = &r->items[index];
    const void *rows = NULL;
    void *buffer = NULL;
    int64_t elements, element = jc_dtype_bytes(view.dtype);
    jc_status status = item_elements(item, &elements);
    if (!status && !r->owned[index])
        status = jc_alloc(&r->allocator, elements, (size_t)element, "a result", &r->owned[index]);
    if (!status) status = value_rows(r, run, output, n, &rows, &buffer);
    if (!status) {
        item->data = r->owned[index];
        scatter(output, &view, item, r->owned[index], rows, first, n);
    }
    jc_free(&r->allocator, buffer, n, (size_t)(run->program->plan->values[output->value].cols * element));
    return status;
}

/* Whether the value has the output as it is wanted, row after row. */
static bool lies_ready(const jc_output *output, const jc_result *item)
{
    return item->blocks == 1 && (!output->transposed || item->rows == 1 || item->cols == 1);
}

static jc_status collect_output(jc_results *r, const jc_run *run, const jc_pass *pass, const jc_output *output,
                                bool may_borrow)
{
    int64_t index = find_item(r, output);
    if (index < 0) return JC_OK; /* a zero that the whole query does not list */
    if (output->kind != JC_OUTPUT_VALUE) return JC_OK;
    if (may_borrow && lies_ready(output, &r->items[index])) {
        r->items[index].data = run->program->backend->peek(run, output->value, output->value_row);
        if (r->items[index].data) return JC_OK;
    }
    int64_t n = jc_pass_rows(pass, jc_output_value_rows(output));
    return copy_rows(r, index, run, output, pass->row0, n);
}

jc_status jc_results_collect(jc_results *r, const jc_run *run, const jc_pass *pass, bool may_borrow)
{
    const jc_plan *plan = run->program->plan;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < plan->n_outputs && !status; i++)
        status = collect_output(r, run, pass, &plan->outputs[i], may_borrow);
    return status;
}

static bool item_is_finite(const jc_result *item)
{
    if (!item->data) return true;
    int64_t n = item->blocks * item->rows * item->cols;
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(jc_load_float(item->dtype, item->data, i))) return false;
    return true;
}

jc_status jc_results_find_non_finite(jc_results *r)
{
    bool finite = true;
    for (int64_t i = 0; i < r->n && finite; i++) finite = item_is_finite(&r->items[i]);
    jc_status status = finite ? JC_OK : jc_plan_non_finite(r->plan, &r->non_finite);
    r->info.n_non_finite = r->non_finite.count;
    r->info.non_finite = r->non_finite.data;
    return status;
}

void jc_results_clear(jc_results *r)
{
    const jc_allocator *a = &r->allocator;
    for (int64_t i = 0; i < r->n && r->owned; i++) {
        const jc_result *item = &r->items[i];
        if (!r->owned[i]) continue;
        jc_free(a, r->owned[i], item->blocks * item->rows * item->cols, (size_t)jc_dtype_bytes(item->dtype));
    }
    jc_free(a, r->items, r->n, sizeof *r->items);
    jc_free(a, r->owned, r->n, sizeof *r->owned);
    jc_free(a, r->keys, r->n, sizeof *r->keys);
    jc_run_destroy(r->run);
    jc_program_destroy(r->program);
    r->items = NULL, r->owned = NULL, r->keys = NULL, r->run = NULL, r->program = NULL;
    r->n = 0;
    r->info = (jc_results_info){.struct_size = r->info.struct_size, .plan_s = r->info.plan_s};
}

void jc_results_destroy(jc_results *r)
{
    if (!r) return;
    jc_allocator a = r->allocator;
    jc_results_clear(r);
    jc_vec_free(&a, &r->non_finite);
    jc_plan_destroy(r->plan);
    jc_graph_destroy(r->graph);
    jc_free(&a, r, 1, sizeof *r);
}

jc_status jc_results_get_info(const jc_results *r, jc_results_info *info)
{
    if (info->struct_size < sizeof *info) return jc_fail(JC_E_USAGE, "jc_results_info: struct_size is not set");
    size_t size = info->struct_size;
    *info = r->info;
    info->struct_size = size;
    return JC_OK;
}

int64_t jc_results_count(const jc_results *r)
{
    return r->n;
}

jc_status jc_results_get(const jc_results *r, int64_t index, jc_result *result)
{
    if (index < 0 || index >= r->n)
        return jc_fail(JC_E_USAGE, "there is no result number %lld (there are %lld)", (long long)index,
                       (long long)r->n);
    *result = r->items[index];
    return JC_OK;
}
