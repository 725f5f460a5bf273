/* Compiled for avx2; see CMakeLists.txt. */
#if defined(__AVX2__) && defined(__FMA__)
#define REAL double
#define JC_REAL JC_F64
#define JC_REAL_BYTES 8
#define JC_VECTOR_BYTES 32
#define JC_ISA "avx2"
#define JC_UNIT jc_cpu_avx2_f64
#include "backend/cpu/unit.inc"
#else
typedef int jc_cpu_nothing_here; /* not an x86-64 build */
#endif
