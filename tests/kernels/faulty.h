/* Kernels with faults that the emulation must find. */
#ifndef JT_FAULTY_H
#define JT_FAULTY_H

#include "standin/emulation.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The kernels of kernels/ with all barriers of blocks, of warps, of clusters taken out. For jt_kernels_run_by. */
int jt_launch_without_block_barrier(const jc_gpu_launch *launch, jc_gpu_stream stream);
int jt_launch_without_warp_barrier(const jc_gpu_launch *launch, jc_gpu_stream stream);
int jt_launch_without_cluster_barrier(const jc_gpu_launch *launch, jc_gpu_stream stream);

/* Small kernels of one block of 64 threads on the arena (64 f32). `lanes` of the work says which. */
typedef enum jt_fault {
    JT_NO_FAULT,          /* a reversal through shared memory, with its barrier */
    JT_MISSING_BARRIER,   /* without it */
    JT_DIVERGENT_BARRIER, /* half of the threads end before the barrier */
    JT_MISSING_LANE,      /* one lane does not take part in a shuffle */
    JT_SHARED_OUTSIDE,    /* one element past a shared array is read */
    JT_GLOBAL_OUTSIDE,    /* one element past the arena is read */
    JT_MISALIGNED,        /* four elements at once where they are not aligned */
    JT_COPY_NOT_AWAITED,  /* an asynchronous copy is read before it has been waited for */
    JT_UNWRITTEN,         /* shared memory is read that nobody wrote: gives NaN */
    JT_FAULTS
} jt_fault;
int jt_launch_faulty(const jc_gpu_launch *launch, jc_gpu_stream stream);

#ifdef __cplusplus
}
#endif

#endif
