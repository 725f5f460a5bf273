/* Which loops this machine can run. */
#include "backend/cpu/internal.h"

enum { N_ISA = 3 };

static bool runs(int isa)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (isa == 0) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
    if (isa == 1) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return isa == 2;
}

static const jc_cpu_unit *unit_of(jc_dtype dtype, int isa)
{
    bool f32 = dtype == JC_F32;
#if defined(__x86_64__)
    if (isa == 0) return f32 ? &jc_cpu_avx512_f32 : &jc_cpu_avx512_f64;
    if (isa == 1) return f32 ? &jc_cpu_avx2_f32 : &jc_cpu_avx2_f64;
#endif
    return isa == 2 ? f32 ? &jc_cpu_base_f32 : &jc_cpu_base_f64 : NULL;
}

const jc_cpu_unit *jc_cpu_unit_at(jc_dtype dtype, int index)
{
    for (int isa = 0; isa < N_ISA; isa++)
        if (runs(isa) && index-- == 0) return unit_of(dtype, isa);
    return NULL;
}
