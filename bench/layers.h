/* Graphs in levels: width variables of `size` scalars over a first level of as many, each reading fan_in variables of
 * the level before; then, where rows > 0, one variable of as many scalars that reads the whole last level. */
#ifndef JC_BENCH_LAYERS_H
#define JC_BENCH_LAYERS_H

#include <stdbool.h>

#include "jacchain.h"

typedef struct bench_layers {
    jc_kind kind; /* dense, diagonal, csr with BENCH_ROW numbers a row */
    jc_dtype dtype;
    int64_t levels, width, fan_in, size, rows;
} bench_layers;

enum { BENCH_ROW = 4 };

/* The arrays behind such a graph. Edge fan_in w + i of a level leads into its variable w. */
typedef struct bench_numbers {
    int64_t edges;       /* between levels */
    int64_t *of, *wrt;   /* [edges] */
    void *values, *last; /* of the edges between levels, one after the other, and of those to the last variable */
    int64_t *indptr, *indices;
} bench_numbers;

/* Both or none; the numbers are borrowed by the graph. */
jc_status bench_layers_create(const bench_layers *layers, bench_numbers *numbers, jc_graph **graph);
void bench_layers_destroy(bench_numbers *numbers, jc_graph *graph);

/* n numbers `scale` with random signs, allocated: products keep their size, so that nothing becomes too small for the
 * processor's fast ways. */
void *bench_signs(jc_dtype dtype, int64_t n, double scale);

/* The best of several executions, of half a second in all where there is time. */
jc_status bench_time_run(const jc_program *program, bool quick, jc_run **run, double *best);

#endif
