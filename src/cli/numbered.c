#include "cli/numbered.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DIGITS = 9 };

jc_numbered jc_numbered_split(const char *name, int64_t index)
{
    size_t n = strlen(name), stem = n;
    while (stem > 0 && name[stem - 1] >= '0' && name[stem - 1] <= '9') stem--;
    bool counts = stem > 0 && stem < n && n - stem <= MAX_DIGITS;
    return (jc_numbered){name, counts ? stem : 0, counts ? strtoll(name + stem, NULL, 10) : 0, index};
}

static int compare_stems(const jc_numbered *a, const jc_numbered *b)
{
    size_t n = a->stem_bytes < b->stem_bytes ? a->stem_bytes : b->stem_bytes;
    int order = memcmp(a->name, b->name, n);
    if (order || a->stem_bytes == b->stem_bytes) return order;
    return a->stem_bytes < b->stem_bytes ? -1 : 1;
}

bool jc_numbered_same_stem(const jc_numbered *a, const jc_numbered *b)
{
    return compare_stems(a, b) == 0;
}

int jc_numbered_compare(const void *a, const void *b)
{
    const jc_numbered *x = a, *y = b;
    int order = compare_stems(x, y);
    if (order) return order;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}
