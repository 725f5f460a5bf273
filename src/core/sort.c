#include "core/sort.h"

#include <string.h>

static void sort(const int64_t *key, int64_t n_keys, const int64_t *from, int64_t n, int64_t *to, int64_t *start)
{
    memset(start, 0, (size_t)(n_keys + 1) * sizeof *start);
    for (int64_t i = 0; i < n; i++) start[key[from ? from[i] : i] + 1]++;
    for (int64_t k = 0; k < n_keys; k++) start[k + 1] += start[k];
    for (int64_t i = 0; i < n; i++) {
        int64_t number = from ? from[i] : i;
        to[start[key[number]]++] = number;
    }
    memmove(start + 1, start, (size_t)n_keys * sizeof *start);
    start[0] = 0;
}

jc_status jc_sort_by_key(const jc_allocator *a, const int64_t *key, int64_t n_keys, const int64_t *from, int64_t n,
                         int64_t *to, int64_t *start)
{
    int64_t *own = NULL;
    jc_status status = start ? JC_OK : jc_alloc(a, n_keys + 1, sizeof *own, "sorting", &own);
    if (status) return status;
    sort(key, n_keys, from, n, to, start ? start : own);
    jc_free(a, own, n_keys + 1, sizeof *own);
    return JC_OK;
}
