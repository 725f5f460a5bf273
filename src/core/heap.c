#include "core/heap.h"

jc_status jc_heap_push(const jc_allocator *a, jc_heap *heap, int64_t item, const char *what)
{
    jc_status status = jc_vec_append(a, &heap->items, &item, 1, what);
    if (status) return status;
    int64_t *items = heap->items.data, at = heap->items.count - 1;
    for (; at && heap->before(heap->ctx, item, items[(at - 1) / 2]); at = (at - 1) / 2) items[at] = items[(at - 1) / 2];
    items[at] = item;
    return JC_OK;
}

int64_t jc_heap_pop(jc_heap *heap)
{
    int64_t *items = heap->items.data, n = --heap->items.count, first = items[0], last = items[n], at = 0;
    for (int64_t child = 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && heap->before(heap->ctx, items[child + 1], items[child])) child++;
        if (!heap->before(heap->ctx, items[child], last)) break;
        items[at] = items[child];
        at = child;
    }
    items[at] = last;
    return first;
}
