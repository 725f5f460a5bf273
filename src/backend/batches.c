#include "backend/batches.h"

#include <stdbool.h>

static bool same(const jc_batch *a, const jc_batch *b)
{
    return a->kind == b->kind && a->m == b->m && a->n == b->n && a->k == b->k && a->routine == b->routine;
}

jc_status jc_batches_flush(jc_open_batches *open)
{
    jc_status status = JC_OK;
    for (int i = 0; i < open->count && !status; i++) status = open->emit(open->ctx, &open->batch[i]);
    open->count = 0;
    return status;
}

jc_status jc_batches_add(jc_open_batches *open, const jc_batch *batch)
{
    jc_status status = JC_OK;
    for (int i = 0; i < open->count; i++) {
        if (!same(&open->batch[i], batch)) continue;
        open->batch[i].count++;
        return JC_OK;
    }
    if (open->count == JC_MAX_OPEN_BATCHES) status = jc_batches_flush(open);
    open->batch[open->count++] = *batch;
    return status;
}
