/* A stand-in of a device on host memory, for tests: jt_standin_api fills the table of src/backend/cuda/gpu.h.
 *
 * Memory. Device pointers are addresses of host memory that nobody but queued work may touch: while the program runs it
 * is protected, and a touch is a finding (JT_HOST_TOUCH). Fresh and freed device memory is filled with 0xFF (NaN).
 * Allocations are aligned to 256 bytes and no more, stand between red zones, and addresses are not used again.
 *
 * Time. Work is queued and runs when something waits: stream_synchronize, event_synchronize, release, a copy to memory
 * that is not pinned, jt_standin_drain. The order among streams, and among the nodes of a graph, is one of those that
 * the program allows, chosen by the seed (jt_order).
 *
 * Order. Each operation has a vector clock over the streams, the host and the chains of graph nodes; a shadow of the
 * memory keeps the last write and the reads since. Two accesses of one place, one of them a write, that nothing orders
 * (a stream, an event, a wait of the host, a graph's dependency) are a JT_RACE, whatever the order chosen. All threads
 * of the host are one actor.
 *
 * Copies, as CUDA has them: from host memory that is not pinned the bytes are taken at the call; to host memory that is
 * not pinned the call returns when the copy is done (it synchronises); pinned memory is read and written when the
 * copy's turn comes. In a graph all host memory is read and written when the node runs.
 *
 * Errors. Calls fail with CUDA's codes where CUDA fails. What CUDA leaves undefined or unnoticed is a finding: a text
 * in a list that the test reads. Nothing aborts.
 *
 * One state for the process, under a lock; every test begins with jt_standin_reset. */
#ifndef JT_STANDIN_H
#define JT_STANDIN_H

#ifdef __cplusplus
extern "C" {
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/cuda/gpu.h"

extern const jc_gpu_api jt_standin_api;

/* ---- the device ------------------------------------------------------------------------------------------------- */

/* Which of the operations that may run runs next. */
typedef enum jt_order {
    JT_ORDER_SEEDED,      /* one of those below, by the seed */
    JT_ORDER_LAZY,        /* only what the wait needs, in the order of the streams */
    JT_ORDER_RANDOM,      /* any */
    JT_ORDER_STARVED,     /* one stream, chosen by the seed, only when nothing else can run */
    JT_ORDER_ROUND_ROBIN, /* streams in turn */
    JT_ORDER_COUNT
} jt_order;

typedef struct jt_standin_config {
    uint64_t seed;
    jt_order order;
    int driver_version; /* 0: no driver: calls fail with 35 */
    int devices;        /* 0: calls fail with 100 */
    int major, minor, multiprocessors;
    size_t memory_bytes;   /* of each device; allocating beyond fails with JC_GPU_NO_MEMORY */
    bool release_is_wait;  /* release orders the host after all work, as cudaFree does in fact but does not promise */
    bool unwritten_is_bad; /* kernels and products that read what was never written are JT_UNWRITTEN */
    bool keep_unprotected; /* device memory may be read by the host: JT_HOST_TOUCH is not looked for */
} jt_standin_config;

/* Seed 1, order seeded, CUDA 13.0, one device 9.0 of 4 multiprocessors and 1 GiB, both checks on. */
jt_standin_config jt_standin_default(void);

/* Forgets everything (memory, streams, findings, counts, faults; not the kernels) and begins anew. NULL: the default.
 * Called by the first API call where a test did not. */
void jt_standin_reset(const jt_standin_config *config);

/* Runs all that is queued, without telling the host's clock: orders nothing. */
void jt_standin_drain(void);

/* A stream as an embedder may have it, made with cudaStreamCreate: it and the legacy stream (NULL) wait for each other.
 * Returns the code of stream_create. */
int jt_standin_blocking_stream(jc_gpu_stream *stream);

/* ---- findings --------------------------------------------------------------------------------------------------- */

typedef enum jt_kind {
    JT_OUT_OF_BOUNDS,  /* an access that does not lie in one live allocation */
    JT_USE_AFTER_FREE, /* in one that was released; of a destroyed stream, event, graph or handle */
    JT_WRONG_MEMORY,   /* device memory where host memory belongs, or the reverse */
    JT_BAD_FREE,       /* of what is not the beginning of a live allocation of the kind */
    JT_LEAK,           /* still there at jt_standin_leaks */
    JT_RED_ZONE,       /* bytes beside an allocation were changed by an access nobody declared */
    JT_HOST_TOUCH,     /* the host read or wrote device memory */
    JT_UNDECLARED,     /* a kernel touched memory of a block that it had declared no access to */
    JT_UNWRITTEN,      /* read before anything was written */
    JT_DEAD,           /* read after jt_standin_poison */
    JT_RACE,           /* two operations, or one and the host, that nothing orders */
    JT_KERNEL_RACE,    /* two threads of one launch */
    JT_ALIAS,          /* outputs of one batched product overlap each other or an input; a copy onto itself */
    JT_MISALIGNED,     /* an access not aligned to its size */
    JT_LIMIT,          /* a launch beyond the device's limits */
    JT_WORKSPACE,      /* a product without the workspace that blas_configure gives, or with an unfit one */
    JT_CAPTURE,        /* a call that capture forbids, or host memory that is not pinned in a captured copy */
    JT_IN_RUN,         /* allocation, release or synchronisation in a run window */
    JT_ARGUMENT,       /* what the call takes but cannot mean: an event never recorded, a launch before kernels_load */
    JT_KIND_COUNT
} jt_kind;

typedef struct jt_finding {
    jt_kind kind;
    char text[400];
} jt_finding;

/* Since the reset, in the order found; borrowed until the next call that may find something. A fault that repeats
 * within one operation is listed once or a few times. */
const jt_finding *jt_standin_findings(int64_t *count);
int64_t jt_standin_found(jt_kind kind); /* how many of a kind, those not listed included */
int64_t jt_standin_found_any(void);
const char *jt_standin_first(void); /* text of the first finding, or "" */
const char *jt_kind_name(jt_kind kind);
void jt_standin_forgive(void); /* empties the list */

/* Everything the program still holds: blocks of memory, streams, events, graphs, cuBLAS handles, and red zones; runs
 * what is queued before. Each is a finding; returns how many. */
int64_t jt_standin_leaks(void);

/* ---- memory ----------------------------------------------------------------------------------------------------- */

typedef struct jt_standin_memory {
    size_t live_bytes, peak_bytes; /* of device memory, as asked for */
    size_t pinned_live_bytes, pinned_peak_bytes;
    int64_t live_blocks, pinned_live_blocks;
} jt_standin_memory;

jt_standin_memory jt_standin_memory_use(void);

/* The host reads or writes pinned memory now: checked against queued work. Other memory of the host needs no such word;
 * device memory is JT_HOST_TOUCH. */
void jt_standin_host_read(const void *ptr, size_t bytes);
void jt_standin_host_write(void *ptr, size_t bytes);

/* Device memory whose value is dead from here on in the stream: filled with 0xFF, and a read before the next write is
 * JT_DEAD. Queued (or captured) like a fill; races with what still reads. Returns as fill does. */
int jt_standin_poison(void *d_ptr, size_t bytes, jc_gpu_stream stream);

/* Bytes of device memory for a test to look at, or to put there, at once: runs nothing, orders nothing, checks bounds.
 * False: not in a live allocation. */
bool jt_standin_peek(void *to, const void *d_from, size_t bytes);
bool jt_standin_poke(void *d_to, const void *from, size_t bytes); /* counts as written by the host now */

/* ---- kernels ---------------------------------------------------------------------------------------------------- */

/* Where in a launch the accesses come from. Two accesses are ordered when they are of one thread, or
 *   of one warp and `phase` or `warp_phase` differs,
 *   of one block and `phase` differs,
 *   of one cluster and `cluster_phase` differs.
 * Numbers only grow, and a block's threads are in one phase at a time. warp_phase counts __syncwarp of the warp since
 * the last barrier of the block; a barrier of the cluster counts in both other phases. */
typedef struct jt_place {
    int64_t block;   /* number of the block in the grid */
    int32_t thread;  /* of the thread in the block; warp: thread / 32 */
    int32_t cluster; /* number of the cluster in the grid; blocks without one: -1 */
    int32_t phase;   /* barriers of the block so far */
    int32_t warp_phase;
    int32_t cluster_phase; /* barriers of the cluster so far */
} jt_place;

/* Of one launch that runs. */
typedef struct jt_kernel_context {
    jt_place place;         /* set by jt_at */
    uint32_t segment;       /* number of `place` in the stand-in's list, 0: not there yet */
    const struct jt_op *op; /* the operation */
    uint64_t seed;          /* for the order of the blocks */
} jt_kernel_context;

/* The accesses that follow come from here: at the start of a thread, when the emulation goes on with another thread,
 * after a barrier. */
static inline void jt_at(jt_kernel_context *context, const jt_place *place)
{
    context->place = *place;
    context->segment = 0;
}

/* A thread reads or writes global memory, or shared memory made known by jt_shared. Whether it may: where not (out of
 * bounds), the emulation leaves the access out and takes 0 for what was read. */
bool jt_access(jt_kernel_context *context, const void *ptr, size_t bytes, bool write);

/* Shared memory of a block that begins: fresh. Held until the launch ends or the range is given again. */
void jt_shared(jt_kernel_context *context, void *ptr, size_t bytes);

typedef struct jt_launch_shape {
    int64_t grid[3], block[3];
    int64_t static_shared_bytes, dynamic_shared_bytes;
    bool opted_in;   /* cudaFuncAttributeMaxDynamicSharedMemorySize was set to dynamic_shared_bytes or more */
    int64_t cluster; /* blocks, 1: none */
} jt_launch_shape;

/* 0, or the code with which such a launch fails, and a finding (JT_LIMIT): at most 1024 threads (z: 64), grid below
 * 2^31 x 65536 x 65536, 48 KiB of static shared memory, 227 KiB together and above 48 KiB only when opted in, clusters
 * of at most 8 blocks that divide the grid on devices of 9.0, nothing empty. */
int jt_standin_check_shape(const jt_launch_shape *shape);

typedef struct jt_kernels {
    /* The shape of a launch, at the call: checked there. Returns 0 or a code (9: invalid configuration, 1: value). */
    int (*shape)(const jc_gpu_launch *launch, jt_launch_shape *shape);
    /* Runs it, when its turn comes. Not 0: an asynchronous error of that code. */
    int (*run)(const jc_gpu_launch *launch, jt_kernel_context *context);
} jt_kernels;

/* Kept over resets; NULL: launches fail with 98. */
void jt_standin_set_kernels(const jt_kernels *kernels);

/* ---- faults and counts ------------------------------------------------------------------------------------------- */

/* The functions of the table, in its order. */
typedef enum jt_call {
    JT_DRIVER_VERSION,
    JT_RUNTIME_VERSION,
    JT_DEVICE_COUNT,
    JT_PROPERTIES,
    JT_DEVICE_GET,
    JT_DEVICE_SET,
    JT_MEMORY_INFO,
    JT_ALLOCATE,
    JT_RELEASE,
    JT_ALLOCATE_PINNED,
    JT_RELEASE_PINNED,
    JT_COPY,
    JT_COPY_2D,
    JT_FILL,
    JT_STREAM_CREATE,
    JT_STREAM_DESTROY,
    JT_STREAM_SYNCHRONIZE,
    JT_STREAM_WAIT,
    JT_EVENT_CREATE,
    JT_EVENT_DESTROY,
    JT_EVENT_RECORD,
    JT_EVENT_SYNCHRONIZE,
    JT_CAPTURE_STATE,
    JT_CAPTURE_BEGIN,
    JT_CAPTURE_END,
    JT_GRAPH_DESTROY,
    JT_EXEC_CREATE,
    JT_EXEC_UPDATE,
    JT_EXEC_LAUNCH,
    JT_EXEC_DESTROY,
    JT_LAST_ERROR,
    JT_KERNELS_LOAD,
    JT_LAUNCH,
    JT_BLAS_LOAD,
    JT_BLAS_VERSION,
    JT_BLAS_CREATE,
    JT_BLAS_DESTROY,
    JT_BLAS_SAVE,
    JT_BLAS_RESTORE,
    JT_BLAS_CONFIGURE,
    JT_BLAS_PRODUCT,
    JT_CALL_COUNT
} jt_call;

const char *jt_call_name(jt_call call);        /* "exec_launch" */
int64_t jt_standin_count(jt_call call);        /* since the reset, failed calls too */
int64_t jt_standin_calls(void);                /* all but last_error */
int64_t jt_standin_count_launches(int kernel); /* of jc_gpu_kernel, at the call */

/* The n-th call from now (1: the next) of any function but last_error fails, without having done anything. code 0: one
 * that the function may return. n 0: none. */
void jt_standin_fail_after(int64_t n, int code);
/* The n-th call from now of this function. */
void jt_standin_fail_call(jt_call call, int64_t n, int code);
bool jt_standin_failed(void);         /* whether such a call came */
jt_call jt_standin_failed_call(void); /* the last of them */

/* From now on every call fails with the code (700: illegal address), last_error too, which does not forget it. Ends
 * with the reset. */
void jt_standin_lose_device(int code);
void jt_standin_lose_after(int64_t n, int code); /* from the n-th call from now on */
bool jt_standin_lost(void);

/* The n-th operation that runs from now (1: the next) fails: later calls go on until one waits for work; from that one
 * on the device is lost. */
void jt_standin_fail_operation(int64_t n, int code);

/* Failed calls of the runtime (not blas_) after which the thread went on to give out work, or has not yet asked
 * last_error. */
int64_t jt_standin_unseen_errors(void);

/* A run: allocation, release, synchronisation and the making of streams, events, graphs and handles are JT_IN_RUN. */
void jt_standin_run_begin(void);
int64_t jt_standin_run_end(void); /* how many such calls there were */

/* Operations run so far, nodes of graphs one by one. */
int64_t jt_standin_operations(void);

#ifdef __cplusplus
}
#endif

#endif
