/* The pool: one barrier, used to start, between phases, and to finish. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>

#include "backend/cpu/pool.h"
#include "core/error.h"

enum { SPINS = 4000 }; /* some 20 to 100 microseconds, then a waiting thread gives its processor away */

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void sleep_until_turn(jc_cpu_pool *pool, unsigned turn)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->turn) == turn) pthread_cond_wait(&pool->woken, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

/* A sleeper counts itself before it looks at the turn, the last to arrive turns before it looks for sleepers: one of
 * them sees the other. */
void jc_cpu_pool_barrier(jc_cpu_pool *pool)
{
    if (pool->workers == 1) return;
    unsigned turn = atomic_load(&pool->turn);
    if (atomic_fetch_add(&pool->arrived, 1) == pool->workers - 1) {
        atomic_store(&pool->arrived, 0);
        atomic_store(&pool->turn, turn + 1);
        if (!atomic_load(&pool->sleepers)) return;
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_broadcast(&pool->woken);
        pthread_mutex_unlock(&pool->mutex);
        return;
    }
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&pool->turn, memory_order_acquire) != turn) return;
        relax();
    }
    sleep_until_turn(pool, turn);
}

/* Each turn of work is between two barriers. */
static void *thread_main(void *arg)
{
    jc_cpu_worker *w = arg;
    for (;;) {
        jc_cpu_pool_barrier(w->pool);
        if (w->pool->stop) return NULL;
        w->pool->work(w->pool->ctx, w->index);
        jc_cpu_pool_barrier(w->pool);
    }
}

void jc_cpu_pool_run(jc_cpu_pool *pool)
{
    jc_cpu_pool_barrier(pool);
    pool->work(pool->ctx, 0);
    jc_cpu_pool_barrier(pool);
}

/* Ends the threads that were started; those that were not count as arrived. */
void jc_cpu_pool_close(jc_cpu_pool *pool)
{
    pool->stop = true;
    atomic_fetch_add(&pool->arrived, pool->workers - 1 - pool->started);
    if (pool->started) jc_cpu_pool_barrier(pool);
    for (int i = 1; i <= pool->started; i++) pthread_join(pool->worker[i].thread, NULL);
    pthread_cond_destroy(&pool->woken);
    pthread_mutex_destroy(&pool->mutex);
}

/* Threads of the pool take no signals: those are the program's. But for those that a thread causes by itself: blocked,
 * they would end the process without asking the program's handler. */
static int start_threads(jc_cpu_pool *pool)
{
    static const int faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL};
    enum { N_FAULTS = sizeof faults / sizeof faults[0] };
    sigset_t all, before;
    sigfillset(&all);
    for (int i = 0; i < N_FAULTS; i++) sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    while (pool->started < pool->workers - 1 && !failed) {
        jc_cpu_worker *w = &pool->worker[pool->started + 1];
        failed = pthread_create(&w->thread, NULL, thread_main, w);
        if (!failed) pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

jc_status jc_cpu_pool_open(jc_cpu_pool *pool, int workers, jc_cpu_worker *worker, void (*work)(void *ctx, int worker),
                           void *ctx)
{
    *pool = (jc_cpu_pool){.workers = workers, .worker = worker, .work = work, .ctx = ctx};
    for (int i = 0; i < workers; i++) worker[i] = (jc_cpu_worker){.pool = pool, .index = i};
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->woken, NULL);
    int failed = start_threads(pool);
    if (!failed) return JC_OK;
    int started = pool->started;
    jc_cpu_pool_close(pool);
    return jc_fail(JC_E_DEVICE, "thread %d of %d cannot be started: %s", started + 2, workers, strerror(failed));
}
