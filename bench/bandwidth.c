/* The read bandwidth of the machine: the floor under every sweep, which must read each Jacobian once. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { REPEATS = 20, LANES = 8, UNROLL = 8 };

typedef float vector __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));

typedef struct reader {
    pthread_t thread;
    pthread_barrier_t *barrier;
    const float *data; /* [n], this thread's part */
    int64_t n;
    float sum;
} reader;

/* The sum of n floats in UNROLL chains of vectors, so that additions do not wait for each other. */
static float sum_floats(const float *x, int64_t n)
{
    vector sums[UNROLL];
    memset(sums, 0, sizeof sums);
    int64_t i = 0;
    for (; i + LANES * UNROLL <= n; i += LANES * UNROLL)
        for (int k = 0; k < UNROLL; k++) sums[k] += *(const vector *)(x + i + k * LANES);
    float sum = 0.0f;
    for (int k = 0; k < UNROLL; k++)
        for (int j = 0; j < LANES; j++) sum += sums[k][j];
    for (; i < n; i++) sum += x[i];
    return sum;
}

static void *read_repeatedly(void *arg)
{
    reader *r = arg;
    for (int i = 0; i <= REPEATS; i++) {
        pthread_barrier_wait(r->barrier);
        r->sum += sum_floats(r->data, r->n);
        pthread_barrier_wait(r->barrier);
    }
    return NULL;
}

/* The shortest time of one pass of all threads; the first pass does not count. */
static double best_pass(pthread_barrier_t *barrier)
{
    double best = 1e30;
    for (int i = 0; i <= REPEATS; i++) {
        pthread_barrier_wait(barrier);
        double start = bench_seconds();
        pthread_barrier_wait(barrier);
        double time = bench_seconds() - start;
        if (i > 0 && time < best) best = time;
    }
    return best;
}

/* Starts the readers on equal parts of the array; false when a thread cannot be had. */
static bool start_readers(reader *readers, int threads, pthread_barrier_t *barrier, const float *data, int64_t n)
{
    for (int t = 0; t < threads; t++) {
        int64_t first = n / threads * t;
        readers[t] = (reader){.barrier = barrier, .data = data + first, .n = n / threads};
        if (pthread_create(&readers[t].thread, NULL, read_repeatedly, &readers[t])) return false;
    }
    return true;
}

double bench_read_bandwidth(int threads, const float *data, int64_t bytes)
{
    pthread_barrier_t barrier;
    double best = 0.0;
    reader *readers = calloc((size_t)threads, sizeof *readers);
    float *own = data ? NULL : malloc((size_t)bytes);
    if (own) memset(own, 0, (size_t)bytes);
    if (!readers || (!data && !own)) goto done;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
    /* without its threads nothing can be measured, and those that started wait for ever */
    if (!start_readers(readers, threads, &barrier, data ? data : own, bytes / (int64_t)sizeof(float))) abort();
    best = best_pass(&barrier);
    volatile float keep = 0.0f; /* the sums are used, so the loops stay */
    for (int t = 0; t < threads; t++) {
        pthread_join(readers[t].thread, NULL);
        keep += readers[t].sum;
    }
    (void)keep;
    pthread_barrier_destroy(&barrier);
done:
    free(own);
    free(readers);
    return best > 0.0 ? (double)bytes / best : 0.0;
}
