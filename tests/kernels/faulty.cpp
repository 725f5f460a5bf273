#include "kernels/faulty.h"

#include "kernels/device.h"

namespace jt_faulty
{

using namespace jc;

enum { THREADS = 64 };

static void reversal(const jc_gpu_launch work)
{
    JC_SHARED(float, held, THREADS);
    float *x = static_cast<float *>(work.arena);
    shared_store(held + thread_x(), load(x + thread_x()));
    if (work.lanes == JT_DIVERGENT_BARRIER && thread_x() >= 32) return;
    if (work.lanes != JT_MISSING_BARRIER) block_barrier();
    const int at = THREADS - 1 - thread_x() + (work.lanes == JT_SHARED_OUTSIDE);
    store(x + thread_x(), shared_load(held + at));
}

static void lane_sum(const jc_gpu_launch work)
{
    float *x = static_cast<float *>(work.arena) + thread_x();
    if (thread_x() == 5) return;
    store(x, load(x) + shuffle_xor(load(x), 1));
}

static void reader(const jc_gpu_launch work)
{
    float *x = static_cast<float *>(work.arena);
    if (work.lanes == JT_GLOBAL_OUTSIDE) store(x + thread_x(), load(x + thread_x() + 1));
    if (work.lanes == JT_MISALIGNED && thread_x() == 0) store(x, load(as_quad(x + 1)).v[0]);
}

static void copier(const jc_gpu_launch work)
{
    JC_SHARED(float, held, THREADS);
    float *x = static_cast<float *>(work.arena);
    async_copy<4>(held + thread_x(), x + thread_x());
    async_close();
    if (work.lanes != JT_COPY_NOT_AWAITED) async_wait<0>();
    store(x + thread_x(), shared_load(held + thread_x()));
}

static void forgetful(const jc_gpu_launch work)
{
    JC_SHARED(float, held, THREADS);
    store(static_cast<float *>(work.arena) + thread_x(), shared_load(held + thread_x()));
}

} // namespace jt_faulty

int jt_launch_faulty(const jc_gpu_launch *launch, jc_gpu_stream stream)
{
    using namespace jt_faulty;
    jc::kernel_function kernel = reversal;
    if (launch->lanes == JT_MISSING_LANE) kernel = lane_sum;
    if (launch->lanes == JT_GLOBAL_OUTSIDE || launch->lanes == JT_MISALIGNED) kernel = reader;
    if (launch->lanes == JT_COPY_NOT_AWAITED) kernel = copier;
    if (launch->lanes == JT_UNWRITTEN) kernel = forgetful;
    return jc::launch_kernel(kernel, {1, THREADS, 1, 0}, *launch, stream);
}
