/* Where everything of a run lies: one block of device memory in regions. */
#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

/* What cuBLAS is given to work in, by its documentation: 32 MiB for compute capability 9, else 4 MiB. */
static int64_t blas_bytes(const jc_cuda_program *impl)
{
    if (!impl->uses_blas) return 0;
    return impl->properties.major >= 9 ? INT64_C(32) << 20 : INT64_C(4) << 20;
}

typedef struct walk {
    int64_t at;
    bool fits;
} walk;

static int64_t region(walk *w, int64_t bytes)
{
    int64_t at = w->at, end;
    w->fits = w->fits && jc_size_add(at, bytes, &end) && end < INT64_MAX - JC_CUDA_ALIGN;
    if (w->fits) w->at = jc_round_up(end, JC_CUDA_ALIGN);
    return at;
}

static int64_t vec_bytes(const jc_vec *v)
{
    return v->count * (int64_t)v->element_bytes;
}

/* The seed's numbers may be bound in double. */
static int64_t seed_bytes(const jc_plan *plan)
{
    if (plan->seed == JC_SEED_NONE || !plan->subgraph.n_extra) return 0;
    return jc_cost_mul(plan->subgraph.extra[0].field[0].elements, (int64_t)sizeof(double));
}

jc_status jc_cuda_place_memory(jc_program *program)
{
    jc_cuda_program *impl = program->impl;
    jc_cuda_memory *m = &impl->memory;
    walk w = {0, true};
    int64_t temps = jc_cost_mul(impl->temp_elements, program->layout.element_bytes);
    m->arena = region(&w, jc_cost_add(program->layout.arena_bytes, temps));
    m->convert = region(&w, impl->convert_bytes);
    m->pass = region(&w, (int64_t)sizeof(jc_gpu_pass));
    m->sources = region(&w, impl->operands.count * (int64_t)sizeof(jc_gpu_source));
    m->terms = region(&w, vec_bytes(&impl->terms));
    m->tiles = region(&w, vec_bytes(&impl->tiles));
    m->phases = region(&w, vec_bytes(&impl->phases));
    m->pointers = region(&w, impl->pointers.count * (int64_t)sizeof(void *));
    m->indices = region(&w, impl->index_bytes);
    impl->seed_bytes = seed_bytes(program->plan);
    m->seed = region(&w, impl->seed_bytes);
    m->copies = region(&w, impl->copy_bytes);
    m->blas_bytes = blas_bytes(impl);
    m->blas = region(&w, m->blas_bytes);
    m->bytes = w.at;
    jc_cuda_copy *copies = impl->copies.data;
    for (int64_t i = 0; i < impl->copies.count; i++) copies[i].offset += m->copies;
    return w.fits ? JC_OK : jc_fail(JC_E_MEMORY, "not enough memory: a run would be larger than can be addressed");
}
