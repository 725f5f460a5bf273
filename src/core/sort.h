/* Sorting by small whole numbers. */
#ifndef JC_CORE_SORT_H
#define JC_CORE_SORT_H

#include "core/alloc.h"

/* Sorts the n numbers of `from` by key[number], 0 <= key < n_keys, into `to`, which is another array; equal ones stay
 * in their order. from NULL: the numbers 0 .. n-1. start NULL, or [n_keys + 1]: where in `to` each key begins. A
 * counting sort: O(n + n_keys), and n_keys + 1 numbers of memory where start is NULL. */
jc_status jc_sort_by_key(const jc_allocator *a, const int64_t *key, int64_t n_keys, const int64_t *from, int64_t n,
                         int64_t *to, int64_t *start);

#endif
