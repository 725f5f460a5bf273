/* Any kinds and rows: a block takes a tile, neighbouring lanes an entry (any.h). For kinds with a product or a short
 * list an entry, neighbouring threads take neighbouring columns, so that numbers, indices and the destination are read
 * and written in whole sectors; a thread has ANY_U entries under way. Descriptions of the work are the same address for
 * all threads and stay in L1. As compiled for sm_90: 80 registers, 3 blocks, at most 60 bytes spilled outside the
 * loops; 24 warps of ANY_U entries are some 3000 entries under way in a multiprocessor, 8 to 12 bytes each. */
#include "kernels/any.h"

namespace jc
{

enum { ANY_THREADS = 256 };

template <class W> JC_KERNEL(ANY_THREADS, 3) gather_any(JC_WORK)
{
    const arrays<W> in = arrays_of<W>(work);
    const crew who = {thread_x(), ANY_THREADS, work.lanes};
    for (int64_t t = block_x(); t < work.n_tiles; t += blocks_x()) any_tile<W>(work, in, work.tiles + t, who);
}

static kernel_function any_variant(const jc_gpu_launch &work)
{
    if (work.dtype == JC_GPU_F64) return gather_any<in_f64>;
    return work.mode == JC_GPU_FULL ? gather_any<in_f32> : gather_any<in_f32_rounded>;
}

int gather_any_launch(const jc_gpu_launch &work, jc_gpu_stream stream)
{
    launch_shape shape = {work.n_tiles < INT32_MAX ? work.n_tiles : INT32_MAX, ANY_THREADS, 1, 0};
    return launch_kernel(any_variant(work), shape, work, stream);
}

int gather_any_load()
{
    int error = load_kernel(gather_any<in_f64>, 0);
    if (!error) error = load_kernel(gather_any<in_f32>, 0);
    return error ? error : load_kernel(gather_any<in_f32_rounded>, 0);
}

} // namespace jc
