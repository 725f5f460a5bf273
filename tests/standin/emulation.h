/* The kernels of kernels/ run on the host: compiled by the host's C++ compiler with emulate.h in place of CUDA, blocks
 * one after the other (those of a cluster together), the threads of a block as fibers that switch at barriers and
 * shuffles. What is wrong with a kernel whatever numbers it gives is a finding:
 *   two threads at one place of shared memory, one writing, with no barrier between
 *   a barrier or shuffle that not all threads (lanes) reach; shared memory outside its array, or more than a block has
 *   an access that is not aligned to its size; a global access that the `access` hook refuses
 *   memory that the launch writes, read by a load for constants (load_const, load_once)
 * Shared memory is NaN until written, a place that an asynchronous copy goes to until the copy is waited for. */
#ifndef JT_EMULATION_H
#define JT_EMULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum jt_thread_order { JT_FORWARD, JT_REVERSED, JT_SHUFFLED } jt_thread_order;

/* Where an access comes from. Two accesses are ordered when they are of one thread, or of one warp and warp_phase
 * differs, of one block and phase differs, of one cluster and cluster_phase differs. */
typedef struct jt_where {
    int64_t block;
    int32_t thread;
    int32_t cluster;       /* number of the cluster, -1: the block has none */
    int32_t phase;         /* barriers of the block (and of the cluster) so far */
    int32_t warp_phase;    /* barriers of the warp, the block and the cluster so far */
    int32_t cluster_phase; /* barriers of the cluster so far */
} jt_where;

typedef struct jt_emulation {
    jt_thread_order order; /* in which threads are started, and blocks */
    uint64_t seed;         /* of JT_SHUFFLED */
    int multiprocessors;   /* of the device: persistent grids depend on it */
    /* Called before each access to global memory, or NULL. False: it is left out, and zero is read. */
    bool (*access)(void *ctx, const jt_where *where, const void *ptr, size_t bytes, bool write);
    void *ctx;
    int shared_bytes; /* that a block may have, opted in; 0: 227 KiB */
} jt_emulation;

/* For the launches of this thread from now on. Forgets the findings. */
void jt_emulation_set(const jt_emulation *emulation);

/* As jc_kernels_load, for this thread; called by its first launch. A launch with more than 48 KiB of shared memory that
 * this did not ask for is refused (code 9). */
int jt_kernels_load(void);

/* Runs the launch to its end. 0; the code of a launch that CUDA refuses; or 719 (launch failure) after a finding. */
int jt_kernels_run(const jc_gpu_launch *launch);

/* The same with another function in place of jc_kernels_launch: faulty copies of kernels. */
typedef int (*jt_launch_function)(const jc_gpu_launch *launch, jc_gpu_stream stream);
int jt_kernels_run_by(jt_launch_function launcher, const jc_gpu_launch *launch);

/* The shape of the launch's grid. 0 or the code of work that cannot be launched. */
typedef struct jt_grid {
    int64_t blocks;
    int threads, cluster;
    size_t shared_bytes; /* dynamic */
    bool opted_in;       /* more than 48 KiB, as jc_kernels_load asks for */
} jt_grid;
int jt_kernels_shape(const jc_gpu_launch *launch, jt_grid *grid);

/* Of this thread since jt_emulation_set. */
int64_t jt_emulation_findings(void);
const char *jt_emulation_first(void); /* "": none */

#ifdef __cplusplus
}
#endif

#endif
