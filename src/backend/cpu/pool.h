/* Threads that start together and meet at barriers. Waiting is spinning for some microseconds, then sleeping. */
#ifndef JC_BACKEND_CPU_POOL_H
#define JC_BACKEND_CPU_POOL_H

#include <pthread.h>
#include <stdatomic.h>

#include "backend/cpu/internal.h"

typedef struct jc_cpu_pool jc_cpu_pool;

typedef struct jc_cpu_worker {
    jc_cpu_pool *pool;
    int index;
    pthread_t thread;
} jc_cpu_worker;

/* The caller is worker 0; the others are threads of the pool. */
struct jc_cpu_pool {
    int workers;
    int started;           /* threads that were started: workers - 1 when open */
    jc_cpu_worker *worker; /* [workers], borrowed */
    void (*work)(void *ctx, int worker);
    void *ctx;
    bool stop;
    _Alignas(JC_CPU_LINE) atomic_uint turn; /* of the barrier */
    _Alignas(JC_CPU_LINE) atomic_int arrived;
    atomic_int sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
};

/* Starts workers - 1 threads, which wait. `worker` is the caller's memory for [workers]. JC_E_DEVICE when a thread
 * cannot be started: nothing is left to close. */
jc_status jc_cpu_pool_open(jc_cpu_pool *pool, int workers, jc_cpu_worker *worker, void (*work)(void *ctx, int worker),
                           void *ctx);
void jc_cpu_pool_close(jc_cpu_pool *pool);

/* Calls work(ctx, w) for every worker, each on its own thread; returns when all have returned. */
void jc_cpu_pool_run(jc_cpu_pool *pool);

/* Called by every worker: returns when all have called it. What was written before is seen by all after. */
void jc_cpu_pool_barrier(jc_cpu_pool *pool);

#endif
