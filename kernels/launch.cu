/* The entries for the host: which kernel a piece of work goes to. */
#include "kernels/device.h"

using namespace jc;

enum { INVALID_VALUE = 1 }; /* cudaErrorInvalidValue */

extern "C" int jc_kernels_load(void)
{
    int error = gather_any_load();
    if (!error) error = gather_row_load();
    if (!error) error = gather_rows_load();
    if (!error) error = walk_load();
    return error ? error : copy_load();
}

extern "C" int jc_kernels_launch(const jc_gpu_launch *launch, jc_gpu_stream stream)
{
    switch (launch->kernel) {
    case JC_GPU_GATHER_ANY:
        return gather_any_launch(*launch, stream);
    case JC_GPU_GATHER_ROW:
        return gather_row_launch(*launch, stream);
    case JC_GPU_GATHER_ROWS:
        return gather_rows_launch(*launch, stream);
    case JC_GPU_WALK:
        return walk_launch(*launch, stream);
    case JC_GPU_CONVERT:
    case JC_GPU_DELIVER:
        return copy_launch(*launch, stream);
    default:
        return INVALID_VALUE;
    }
}
