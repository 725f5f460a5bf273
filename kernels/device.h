/* What the kernels need of a device, as small functions: places of threads, loads and stores, conversions, shuffles,
 * barriers, copies that go on while a thread computes, and launches. All inline PTX is here. The host compiler takes
 * tests/standin/emulate.h instead, so that the same kernels run in tests without a device: hence no access to global or
 * shared memory but through these functions.
 *
 * Words: a quad is four numbers side by side, moved by one instruction (two for f64). `once`: data that nobody writes
 * while the kernel runs and that is read once: it goes past the L1 cache. `const`: not written either, but read again
 * (descriptions of the work): it stays in L1. */
#ifndef JC_KERNELS_DEVICE_H
#define JC_KERNELS_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/launch.h"

namespace jc
{

struct bf16 {
    uint16_t bits;
};

struct f16 {
    uint16_t bits;
};

template <class N> struct alignas(sizeof(N) < 4 ? 4 * sizeof(N) : 16) quad {
    N v[4];
};

template <class R> struct alignas(2 * sizeof(R)) pair {
    R v[2];
};

/* The shape of a launch. cluster: blocks of a cluster, 1: none. */
struct launch_shape {
    int64_t blocks;
    int threads, cluster;
    size_t shared_bytes; /* dynamic */
};

} // namespace jc

#ifndef __CUDACC__
#include "standin/emulate.h"
#else

#define JC_KERNEL(THREADS, BLOCKS) __global__ void __launch_bounds__(THREADS, BLOCKS)
/* The only parameter of a kernel: functions that are called may take its address. */
#define JC_WORK const __grid_constant__ jc_gpu_launch work
#define JC_DEVICE __device__ __forceinline__
#define JC_APART static __device__ __noinline__ /* a function that is called */
#define JC_PRAGMA(TEXT) _Pragma(#TEXT)
#define JC_UNROLL JC_PRAGMA(unroll)
#define JC_UNROLL_BY(N) JC_PRAGMA(unroll N)
/* A pointer to an array of COUNT in the block's shared memory. */
#define JC_SHARED(TYPE, NAME, COUNT) __shared__ __align__(16) TYPE NAME[COUNT]

namespace jc
{

/* ---- places ------------------------------------------------------------------------------------------------------ */

JC_DEVICE int thread_x()
{
    return (int)threadIdx.x;
}

JC_DEVICE int64_t block_x()
{
    return blockIdx.x;
}

JC_DEVICE int64_t blocks_x()
{
    return gridDim.x;
}

/* ---- global memory ----------------------------------------------------------------------------------------------- */

/* Loads of data that no thread writes while the kernel runs, by size. Not volatile: the compiler may move them. */
template <int BYTES> struct read_only;

template <> struct read_only<2> {
    uint16_t w;
    JC_DEVICE void once(const void *p)
    {
        asm("ld.global.nc.L1::no_allocate.u16 %0, [%1];" : "=h"(w) : "l"(p));
    }
    JC_DEVICE void again(const void *p)
    {
        asm("ld.global.nc.u16 %0, [%1];" : "=h"(w) : "l"(p));
    }
};

template <> struct read_only<4> {
    uint32_t w;
    JC_DEVICE void once(const void *p)
    {
        asm("ld.global.nc.L1::no_allocate.u32 %0, [%1];" : "=r"(w) : "l"(p));
    }
    JC_DEVICE void again(const void *p)
    {
        asm("ld.global.nc.u32 %0, [%1];" : "=r"(w) : "l"(p));
    }
};

template <> struct read_only<8> {
    uint64_t w;
    JC_DEVICE void once(const void *p)
    {
        asm("ld.global.nc.L1::no_allocate.u64 %0, [%1];" : "=l"(w) : "l"(p));
    }
    JC_DEVICE void again(const void *p)
    {
        asm("ld.global.nc.u64 %0, [%1];" : "=l"(w) : "l"(p));
    }
};

template <> struct read_only<16> {
    uint64_t w[2];
    JC_DEVICE void once(const void *p)
    {
        asm("ld.global.nc.L1::no_allocate.v2.u64 {%0, %1}, [%2];" : "=l"(w[0]), "=l"(w[1]) : "l"(p));
    }
    JC_DEVICE void again(const void *p)
    {
        asm("ld.global.nc.v2.u64 {%0, %1}, [%2];" : "=l"(w[0]), "=l"(w[1]) : "l"(p));
    }
};

template <> struct read_only<32> {
    read_only<16> half[2];
    JC_DEVICE void once(const void *p)
    {
        half[0].once(p);
        half[1].once(static_cast<const char *>(p) + 16);
    }
    JC_DEVICE void again(const void *p)
    {
        half[0].again(p);
        half[1].again(static_cast<const char *>(p) + 16);
    }
};

template <class V> JC_DEVICE V load_once(const V *p)
{
    read_only<sizeof(V)> word;
    word.once(p);
    V v;
    memcpy(&v, &word, sizeof v);
    return v;
}

template <class V> JC_DEVICE V load_const(const V *p)
{
    read_only<sizeof(V)> word;
    word.again(p);
    V v;
    memcpy(&v, &word, sizeof v);
    return v;
}

template <class V> JC_DEVICE V load(const V *p)
{
    return *p;
}

template <class V> JC_DEVICE void store(V *p, V v)
{
    *p = v;
}

/* Asks for the bytes' line in the L2 cache. */
JC_DEVICE void prefetch(const void *p)
{
    asm volatile("prefetch.global.L2 [%0];" : : "l"(p));
}

/* ---- shared memory ----------------------------------------------------------------------------------------------- */

template <class V> JC_DEVICE V shared_load(const V *p)
{
    return *p;
}

template <class V> JC_DEVICE void shared_store(V *p, V v)
{
    *p = v;
}

/* The dynamic shared memory of the block, 128-byte aligned. */
JC_DEVICE unsigned char *shared_dynamic()
{
    extern __shared__ __align__(128) unsigned char dynamic_bytes[];
    return dynamic_bytes;
}

/* BYTES (4, 8 or 16) from global to shared memory, both aligned to BYTES, while the thread goes on. */
template <int BYTES> JC_DEVICE void async_copy(void *to, const void *from)
{
    uint32_t shared = (uint32_t)__cvta_generic_to_shared(to);
    if (BYTES == 16)
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" : : "r"(shared), "l"(from) : "memory");
    else
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" : : "r"(shared), "l"(from), "n"(BYTES) : "memory");
}

/* The thread's copies since the last close are one group. */
JC_DEVICE void async_close()
{
    asm volatile("cp.async.commit_group;" : : : "memory");
}

/* Until at most OPEN of the thread's last groups are under way. The others' copies are there for this thread; for
 * another one after a barrier. */
template <int OPEN> JC_DEVICE void async_wait()
{
    asm volatile("cp.async.wait_group %0;" : : "n"(OPEN) : "memory");
}

/* ---- threads together -------------------------------------------------------------------------------------------- */

JC_DEVICE void block_barrier()
{
    __syncthreads();
}

JC_DEVICE void warp_barrier()
{
    __syncwarp();
}

/* The value of the lane whose number differs in `bits`; of lane `lane`. All lanes take part. Orders no memory. */
template <class V> JC_DEVICE V shuffle_xor(V v, int bits)
{
    return __shfl_xor_sync(0xffffffffu, v, bits);
}

template <class V> JC_DEVICE V shuffle(V v, int lane)
{
    return __shfl_sync(0xffffffffu, v, lane);
}

/* A barrier of all threads of all blocks of the cluster, in two steps: what a thread wrote before it arrived is seen by
 * those that have waited. Between the two it may do what the others need not see. */
JC_DEVICE void cluster_arrive()
{
#if __CUDA_ARCH__ >= 900
    __syncwarp(); /* aligned: the warp's threads come together */
    asm volatile("barrier.cluster.arrive.release.aligned;" : : : "memory");
#endif
}

JC_DEVICE void cluster_wait()
{
#if __CUDA_ARCH__ >= 900
    __syncwarp();
    asm volatile("barrier.cluster.wait.acquire.aligned;" : : : "memory");
#endif
}

/* ---- conversions ------------------------------------------------------------------------------------------------- */

JC_DEVICE uint32_t f32_bits(float x)
{
    return __float_as_uint(x);
}

JC_DEVICE float f32_of_bits(uint32_t bits)
{
    return __uint_as_float(bits);
}

JC_DEVICE float f16_to_f32(f16 x)
{
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
    return y;
}

/* To nearest even. */
JC_DEVICE f16 f32_to_f16(float x)
{
    f16 y;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
}

/* Towards zero. */
JC_DEVICE float f64_to_f32_down(double x)
{
    return __double2float_rz(x);
}

JC_DEVICE float mul_add(float a, float b, float c)
{
    return __fmaf_rn(a, b, c);
}

JC_DEVICE double mul_add(double a, double b, double c)
{
    return __fma_rn(a, b, c);
}

/* ---- launches ---------------------------------------------------------------------------------------------------- */

typedef void (*kernel_function)(jc_gpu_launch);

inline int device_attribute(cudaDeviceAttr attribute, int *value)
{
    int device;
    cudaError_t error = cudaGetDevice(&device);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(value, attribute, device);
    return (int)error;
}

inline int multiprocessors(int *count)
{
    return device_attribute(cudaDevAttrMultiProcessorCount, count);
}

/* Shared memory that a block may have, opted in. */
inline int shared_limit(int *bytes)
{
    return device_attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, bytes);
}

/* Loads the kernel on the current device, for launches with up to shared_bytes of dynamic shared memory. */
inline int load_kernel(kernel_function kernel, size_t shared_bytes)
{
    cudaFuncAttributes attributes;
    cudaError_t error = cudaFuncGetAttributes(&attributes, (const void *)kernel);
    if (error == cudaSuccess && shared_bytes > 48 * 1024)
        error =
            cudaFuncSetAttribute((const void *)kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared_bytes);
    return (int)error;
}

inline int launch_kernel(kernel_function kernel, const launch_shape &shape, const jc_gpu_launch &work,
                         jc_gpu_stream stream)
{
    cudaLaunchConfig_t config = {};
    cudaLaunchAttribute cluster = {};
    config.gridDim = dim3((unsigned)shape.blocks);
    config.blockDim = dim3((unsigned)shape.threads);
    config.dynamicSmemBytes = shape.shared_bytes;
    config.stream = stream;
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = (unsigned)shape.cluster;
    cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
    config.attrs = &cluster;
    config.numAttrs = shape.cluster > 1;
    /* all that a launch can say it returns: the thread's last error may be the caller's own */
    return (int)cudaLaunchKernelEx(&config, kernel, work);
}

} // namespace jc
#endif

namespace jc
{

JC_DEVICE int lane_x()
{
    return thread_x() & 31;
}

JC_DEVICE int warp_x()
{
    return thread_x() >> 5;
}

template <class N> JC_DEVICE const quad<N> *as_quad(const N *p)
{
    return reinterpret_cast<const quad<N> *>(p);
}

template <class R> JC_DEVICE const pair<R> *as_pair(const R *p)
{
    return reinterpret_cast<const pair<R> *>(p);
}

template <class N> JC_DEVICE quad<N> *as_quad(N *p)
{
    return reinterpret_cast<quad<N> *>(p);
}

} // namespace jc

#include "kernels/numbers.h"

#endif
