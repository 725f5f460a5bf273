/* Every machine: vectors of 16 bytes, which compilers make of what there is. */
#define REAL float
#define JC_REAL JC_F32
#define JC_REAL_BYTES 4
#define JC_VECTOR_BYTES 16
#define JC_ISA "base"
#define JC_UNIT jc_cpu_base_f32
#include "backend/cpu/unit.inc"
