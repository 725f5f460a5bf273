/* The kernels seen from the host: the entries that the backend's table of device calls takes, and the launchers of each
 * kernel, one in each .cu. They return 0 or a code of the CUDA runtime. */
#ifndef JC_KERNELS_LAUNCH_H
#define JC_KERNELS_LAUNCH_H

#include "kernels/work.h"

typedef struct CUstream_st *jc_gpu_stream;

#ifdef __cplusplus
extern "C" {
#endif

/* Loads all kernels on the current device, with the shared memory that their launches ask for. */
int jc_kernels_load(void);

/* Gives the work to the stream: chooses the kernel's variant, grid and shared memory. */
int jc_kernels_launch(const jc_gpu_launch *launch, jc_gpu_stream stream);

#ifdef __cplusplus
}

namespace jc
{

int gather_any_load();
int gather_any_launch(const jc_gpu_launch &work, jc_gpu_stream stream);
int gather_rows_load();
int gather_rows_launch(const jc_gpu_launch &work, jc_gpu_stream stream);
int walk_load();
int walk_launch(const jc_gpu_launch &work, jc_gpu_stream stream);
int copy_load();
int copy_launch(const jc_gpu_launch &work, jc_gpu_stream stream); /* CONVERT and DELIVER */
int gather_row_load();
int gather_row_launch(const jc_gpu_launch &work, jc_gpu_stream stream);

} // namespace jc
#endif

#endif
