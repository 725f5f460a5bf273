/* The functions of kernels/device.h for the host: included by it where the compiler is not nvcc. emulate.cpp runs the
 * threads. */
#ifndef JT_EMULATE_H
#define JT_EMULATE_H

#include <cmath>
#include <cstring>

#define JC_KERNEL(THREADS, BLOCKS) void
#define JC_WORK const jc_gpu_launch work
#define JC_DEVICE inline
#define JC_APART static
#define JC_UNROLL
#define JC_UNROLL_BY(N)
/* The lambda has an address for each place in the source, and for each instance of a template. */
#define JC_SHARED(TYPE, NAME, COUNT)                                                                                   \
    TYPE *const NAME = static_cast<TYPE *>(jt::shared_array(                                                           \
        [] {                                                                                                           \
            static const char place = 0;                                                                               \
            return &place;                                                                                             \
        }(),                                                                                                           \
        sizeof(TYPE) * (COUNT)))

/* These run in a stand-in for the device: other names than the real ones, which may be in the same program. */
#define jc_kernels_load jt_kernels_load
#define jc_kernels_launch jt_kernels_launch

extern "C" {
int jc_kernels_load(void);
int jc_kernels_launch(const jc_gpu_launch *launch, jc_gpu_stream stream);
}

namespace jt
{

int thread();
int64_t block();
int64_t blocks();
int block_of_cluster();

/* Whether the access may be made. */
bool touch_global(const void *ptr, size_t bytes, bool write);
bool touch_shared(const void *ptr, size_t bytes, bool write);
/* Read by a load that takes it for granted that nobody writes there in this launch. */
void touch_constant(const void *ptr, size_t bytes);

void *shared_array(const void *key, size_t bytes);
unsigned char *shared_dynamic();

void block_barrier();
void warp_barrier();
void cluster_barrier();
uint64_t shuffle(uint64_t value, int lane);

void async_copy(void *to, const void *from, size_t bytes);
void async_close();
void async_wait(int open);

int load_kernel(const void *kernel, size_t shared_bytes);
int launch(void (*kernel)(jc_gpu_launch), int64_t blocks, int threads, int cluster, size_t shared_bytes,
           const jc_gpu_launch &work);
int multiprocessors();
int shared_limit();

float f16_to_f32(uint16_t bits);
uint16_t f32_to_f16(float x);
float f64_to_f32_down(double x);

template <class V> V read(bool allowed, const V *p)
{
    V v;
    memset(static_cast<void *>(&v), 0, sizeof v);
    if (allowed) memcpy(static_cast<void *>(&v), p, sizeof v);
    return v;
}

} // namespace jt

namespace jc
{

inline int thread_x()
{
    return jt::thread();
}

inline int64_t block_x()
{
    return jt::block();
}

inline int64_t blocks_x()
{
    return jt::blocks();
}

template <class V> V load(const V *p)
{
    return jt::read(jt::touch_global(p, sizeof(V), false), p);
}

template <class V> V load_const(const V *p)
{
    jt::touch_constant(p, sizeof(V));
    return load(p);
}

template <class V> V load_once(const V *p)
{
    return load_const(p);
}

template <class V> void store(V *p, V v)
{
    if (jt::touch_global(p, sizeof(V), true)) memcpy(static_cast<void *>(p), &v, sizeof v);
}

inline void prefetch(const void *)
{
}

template <class V> V shared_load(const V *p)
{
    return jt::read(jt::touch_shared(p, sizeof(V), false), p);
}

template <class V> void shared_store(V *p, V v)
{
    if (jt::touch_shared(p, sizeof(V), true)) memcpy(static_cast<void *>(p), &v, sizeof v);
}

inline unsigned char *shared_dynamic()
{
    return jt::shared_dynamic();
}

template <int BYTES> void async_copy(void *to, const void *from)
{
    jt::async_copy(to, from, BYTES);
}

inline void async_close()
{
    jt::async_close();
}

template <int OPEN> void async_wait()
{
    jt::async_wait(OPEN);
}

#ifndef JT_WITHOUT_BLOCK_BARRIER /* defined for copies of kernels whose missing barriers must be found */
inline void block_barrier()
{
    jt::block_barrier();
}
#else
inline void block_barrier()
{
}
#endif

#ifndef JT_WITHOUT_WARP_BARRIER
inline void warp_barrier()
{
    jt::warp_barrier();
}
#else
inline void warp_barrier()
{
}
#endif

inline void cluster_arrive()
{
}

#ifndef JT_WITHOUT_CLUSTER_BARRIER
inline void cluster_wait()
{
    jt::cluster_barrier();
}
#else
inline void cluster_wait()
{
}
#endif

template <class V> V shuffle(V v, int lane)
{
    uint64_t bits = 0;
    memcpy(&bits, &v, sizeof v);
    bits = jt::shuffle(bits, lane);
    memcpy(&v, &bits, sizeof v);
    return v;
}

template <class V> V shuffle_xor(V v, int bits)
{
    return shuffle(v, (jt::thread() & 31) ^ bits);
}

inline uint32_t f32_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

inline float f32_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

inline float f16_to_f32(f16 x)
{
    return jt::f16_to_f32(x.bits);
}

inline f16 f32_to_f16(float x)
{
    f16 y = {jt::f32_to_f16(x)};
    return y;
}

inline float f64_to_f32_down(double x)
{
    return jt::f64_to_f32_down(x);
}

inline float mul_add(float a, float b, float c)
{
    return std::fma(a, b, c);
}

inline double mul_add(double a, double b, double c)
{
    return std::fma(a, b, c);
}

typedef void (*kernel_function)(jc_gpu_launch);

inline int multiprocessors(int *count)
{
    *count = jt::multiprocessors();
    return 0;
}

inline int shared_limit(int *bytes)
{
    *bytes = jt::shared_limit();
    return 0;
}

inline int load_kernel(kernel_function kernel, size_t shared_bytes)
{
    return jt::load_kernel(reinterpret_cast<const void *>(kernel), shared_bytes);
}

inline int launch_kernel(kernel_function kernel, const launch_shape &shape, const jc_gpu_launch &work, jc_gpu_stream)
{
    return jt::launch(kernel, shape.blocks, shape.threads, shape.cluster, shape.shared_bytes, work);
}

} // namespace jc

#endif
