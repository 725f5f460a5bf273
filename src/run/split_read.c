/* A split that was made: what it has, and its end. */
#include "core/dtype.h"
#include "core/error.h"
#include "run/split.h"

static void free_magnitude(jc_split *s)
{
    jc_result total;
    jc_split_get_total(s, &total);
    jc_free(&s->allocator, s->magnitude, total.rows * total.cols, sizeof *s->magnitude);
}

void jc_split_destroy(jc_split *s)
{
    if (!s) return;
    jc_allocator a = s->allocator;
    for (int64_t i = 0; i < s->n_owned; i++) {
        const jc_result *r = &s->terms[i].result;
        jc_free(&a, s->owned[i], r->rows * r->cols, (size_t)jc_dtype_bytes(r->dtype));
    }
    jc_free(&a, s->owned, s->n_owned, sizeof *s->owned);
    jc_free(&a, s->terms, s->n_owned, sizeof *s->terms);
    if (s->magnitude) free_magnitude(s);
    jc_results_destroy(s->total);
    jc_free(&a, s, 1, sizeof *s);
}

jc_status jc_split_get_info(const jc_split *split, jc_split_info *info)
{
    if (info->struct_size < sizeof *info) return jc_fail(JC_E_USAGE, "jc_split_info: struct_size is not set");
    size_t size = info->struct_size;
    *info = split->info;
    info->struct_size = size;
    return JC_OK;
}

jc_status jc_split_get_term(const jc_split *split, int64_t index, jc_split_term *term)
{
    if (index < 0 || index >= split->n_terms)
        return jc_fail(JC_E_USAGE, "there is no term number %lld (there are %lld)", (long long)index,
                       (long long)split->n_terms);
    *term = split->terms[index];
    return JC_OK;
}

jc_status jc_split_get_total(const jc_split *split, jc_result *total)
{
    if (!split->total) return jc_fail(JC_E_USAGE, "a used edge has no numbers: the total is not known");
    return jc_results_get(split->total, split->total_index, total);
}
