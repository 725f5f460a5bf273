/* Compiled for avx512f; see CMakeLists.txt. */
#if defined(__AVX512F__)
#define REAL float
#define JC_REAL JC_F32
#define JC_REAL_BYTES 4
#define JC_VECTOR_BYTES 64
#define JC_ISA "avx512f"
#define JC_UNIT jc_cpu_avx512_f32
#include "backend/cpu/unit.inc"
#else
typedef int jc_cpu_nothing_here; /* not an x86-64 build */
#endif
