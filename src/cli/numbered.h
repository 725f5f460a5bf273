/* Names that end with a number, as the variables of an unrolled network do: h1, h2, .. are h at the steps 1, 2, .. */
#ifndef JC_CLI_NUMBERED_H
#define JC_CLI_NUMBERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A name is <stem><step>. */
typedef struct jc_numbered {
    const char *name;  /* borrowed */
    size_t stem_bytes; /* 0: the name does not end with a number, or is nothing else */
    int64_t step;
    int64_t index; /* whatever the caller counts by */
} jc_numbered;

jc_numbered jc_numbered_split(const char *name, int64_t index);

bool jc_numbered_same_stem(const jc_numbered *a, const jc_numbered *b);

/* For qsort: by stem, then by step, then by index (h1 and h01). */
int jc_numbered_compare(const void *a, const void *b);

#endif
