/* Narrow deep graphs: gathers one after the other that each have little to read become one walk, a single launch in
 * which a cluster of blocks does them with a barrier between two. A walk fetches Jacobians ahead and takes it for
 * granted that nobody writes them meanwhile: gathers whose Jacobians are computed values are launches of their own. */
#include "backend/cuda/internal.h"

static const char *const WHAT = "the walks of a program";

static bool has_clusters(const jc_cuda_program *impl)
{
    return impl->properties.major >= 9;
}

/* Whether one block alone is as good as a cluster: it is done before the others could help. */
static bool fits_a_block(const jc_cuda_program *impl, const jc_cuda_op *op)
{
    enum { BLOCK_TILES = 8, WIDE_TILES = 1 };
    return op->count <= (op->lanes == 256 ? WIDE_TILES : BLOCK_TILES) &&
           op->bytes <= (double)impl->crossover[JC_CUDA_WALK_BLOCK_BYTES];
}

static bool is_narrow(const jc_cuda_program *impl, const jc_cuda_op *op)
{
    int most = has_clusters(impl) ? JC_CUDA_WALK_BYTES : JC_CUDA_WALK_BLOCK_BYTES;
    return op->kind == JC_CUDA_OP_GATHER && op->form != JC_GPU_GATHER_ROWS && !op->computed &&
           op->count <= impl->crossover[JC_CUDA_WALK_TILES] && op->bytes <= (double)impl->crossover[most];
}

/* ops[first .. end) as the phases of one walk, at ops[first]. */
static jc_status join(jc_program *program, int64_t first, int64_t end)
{
    jc_cuda_program *impl = program->impl;
    jc_cuda_op *ops = impl->ops.data, walk = ops[first];
    walk.kind = JC_CUDA_OP_WALK, walk.form = JC_GPU_WALK, walk.lanes = 1;
    walk.first = impl->phases.count, walk.count = end - first;
    walk.bytes = walk.madds = 0;
    for (int64_t i = first; i < end; i++) {
        jc_gpu_phase phase = {.first_tile = ops[i].first,
                              .n_tiles = (int32_t)ops[i].count,
                              .form = (int16_t)ops[i].form,
                              .lanes = (int16_t)ops[i].lanes};
        jc_status status = jc_vec_append(&program->allocator, &impl->phases, &phase, 1, WHAT);
        if (status) return status;
        if (has_clusters(impl) && !fits_a_block(impl, &ops[i])) walk.lanes = JC_GPU_CLUSTER;
        walk.bytes += ops[i].bytes, walk.madds += ops[i].madds;
        ((bool *)impl->walked.data)[ops[i].level] = true;
    }
    ops[first] = walk;
    return JC_OK;
}

jc_status jc_cuda_join_narrow(jc_program *program)
{
    jc_cuda_program *impl = program->impl;
    jc_cuda_op *ops = impl->ops.data;
    int64_t kept = 0, n = impl->ops.count;
    jc_status status = jc_vec_append(&program->allocator, &impl->walked, NULL, program->plan->n_levels, WHAT);
    for (int64_t i = 0, end; i < n && !status; i = end) {
        for (end = i; end < n && is_narrow(impl, &ops[end]); end++) continue;
        if (end - i >= impl->crossover[JC_CUDA_WALK_PHASES]) {
            status = join(program, i, end);
            ops[kept++] = ops[i];
            continue;
        }
        if (end == i) end++;
        for (int64_t k = i; k < end; k++) ops[kept++] = ops[k];
    }
    impl->ops.count = kept;
    return status;
}
