/* The entries for the host: which kernel a piece of work goes to. */
#include "kernels/device.h"

using namespace jc;

enum { INVALID_VALUE = 1 }; /* cudaErrorInvalidValue */

extern "C" int jc_kernels_load(void)
{
    int error = gather_any_load();
    return error ? error : gather_row_load();
}

extern "C" int jc_kernels_launch(const jc_gpu_launch *launch, jc_gpu_stream stream)
{
    jc_gpu_launch work = *launch;
    switch (launch->kernel) {
    case JC_GPU_GATHER_ROW:
    case JC_GPU_GATHER_ROWS:
        work.lanes = 32;
        return gather_any_launch(work, stream);
    case JC_GPU_GATHER_ANY:
        return gather_any_launch(work, stream);
    default:
        return INVALID_VALUE;
    }
}
