/* Every machine: vectors of 16 bytes, which compilers make of what there is. */
#define REAL double
#define JC_REAL JC_F64
#define JC_REAL_BYTES 8
#define JC_VECTOR_BYTES 16
#define JC_ISA "base"
#define JC_UNIT jc_cpu_base_f64
#include "backend/cpu/unit.inc"
