/* What the emulation is there to find, it finds: faults made on purpose, and every barrier of the kernels. */
#include <criterion/criterion.h>

#include <math.h>

#include "kernels/chain.h"
#include "kernels/faulty.h"
#include "kernels/piece.h"

TestSuite(emulation, .timeout = 300);

/* The small kernel on the numbers 0 .. 63; its return code. */
static int run_fault(jt_pool *pool, jt_memory *memory, jt_fault fault, jt_thread_order order)
{
    *memory = (jt_memory){.pool = pool};
    float *x = jt_memory_arena(memory, 64 * sizeof *x);
    for (int i = 0; i < 64; i++) x[i] = (float)i;
    jc_gpu_launch work = {.arena = x, .lanes = (int)fault};
    jt_emulation emulation = {order, 3, 1, jt_memory_access, memory, 0};
    jt_emulation_set(&emulation);
    return jt_kernels_run_by(jt_launch_faulty, &work);
}

Test(emulation, faults_are_found)
{
    static const char *const texts[JT_FAULTS] = {[JT_MISSING_BARRIER] = "no barrier between",
                                                 [JT_DIVERGENT_BARRIER] = "stuck",
                                                 [JT_MISSING_LANE] = "stuck",
                                                 [JT_SHARED_OUTSIDE] = "outside every array",
                                                 [JT_MISALIGNED] = "not aligned"};
    for (int fault = JT_NO_FAULT; fault < JT_FAULTS; fault++)
        for (int order = JT_FORWARD; order <= JT_SHUFFLED; order++) {
            jt_pool pool = {0};
            jt_memory memory;
            int code = run_fault(&pool, &memory, (jt_fault)fault, (jt_thread_order)order);
            const float *x = (const float *)memory.arena;
            cr_expect_eq(code, texts[fault] ? 719 : 0, "fault %d: code %d: %s", fault, code, jt_emulation_first());
            if (texts[fault])
                cr_expect_not_null(strstr(jt_emulation_first(), texts[fault]), "fault %d: %s", fault,
                                   jt_emulation_first());
            cr_expect_eq(memory.outside, fault == JT_GLOBAL_OUTSIDE ? 1 : 0, "fault %d", fault);
            cr_expect_eq(memory.races > 0, fault == JT_GLOBAL_OUTSIDE, "fault %d", fault);
            if (fault == JT_NO_FAULT) cr_expect_eq(x[0], 63);
            if (fault == JT_COPY_NOT_AWAITED || fault == JT_UNWRITTEN) cr_expect(isnan(x[7]), "fault %d", fault);
            jt_pool_free(&pool);
        }
}

/* Whether a gather without its barriers is found out. */
static bool gather_is_found(jt_launch_function launcher, int kernel, int lanes, uint64_t seed)
{
    jt_pool pool = {0};
    jt_rng rng = {seed};
    jt_piece_kind kind = {.kernel = kernel, .dtype = JC_GPU_F32, .number = JC_GPU_F32, .size = 80, .terms = 3};
    jt_piece piece = jt_piece_random(&pool, &rng, &kind);
    piece.launch.lanes = lanes;
    jt_emulation emulation = {JT_SHUFFLED, seed, 1, jt_memory_access, &piece.memory, 0};
    jt_emulation_set(&emulation);
    jt_piece_reset(&piece);
    bool found = jt_kernels_run_by(launcher, &piece.launch) == 719 || piece.memory.races;
    jt_pool_free(&pool);
    return found;
}

static bool chain_is_found(jt_launch_function launcher, int wide, uint64_t seed)
{
    jt_pool pool = {0};
    jt_rng rng = {seed};
    jt_chain_kind kind = {.dtype = JC_GPU_F32, .phases = 20, .sizes = {64}, .number = -1, .wide = wide};
    jt_chain chain = jt_chain_random(&pool, &rng, &kind);
    chain.launch.cluster = JC_GPU_CLUSTER;
    jt_emulation emulation = {JT_SHUFFLED, seed, 1, jt_memory_access, &chain.memory, 0};
    jt_emulation_set(&emulation);
    bool found = jt_kernels_run_by(launcher, &chain.launch) == 719 || chain.memory.races;
    jt_pool_free(&pool);
    return found;
}

Test(emulation, missing_barriers_are_found)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        cr_expect(gather_is_found(jt_launch_without_block_barrier, JC_GPU_GATHER_ROW, 256, seed));
        cr_expect(gather_is_found(jt_launch_without_block_barrier, JC_GPU_GATHER_ROWS, 32, seed));
        cr_expect(gather_is_found(jt_launch_without_warp_barrier, JC_GPU_GATHER_ROW, 32, seed));
        cr_expect(chain_is_found(jt_launch_without_block_barrier, 0, seed));
        cr_expect(chain_is_found(jt_launch_without_warp_barrier, 0, seed));
        cr_expect(chain_is_found(jt_launch_without_cluster_barrier, 1, seed));
    }
}

Test(emulation, turned_copies_need_their_barrier)
{
    jt_pool pool = {0};
    jt_memory memory = {.pool = &pool};
    float *from = jt_memory_add(&memory, 40 * 40 * 4, 0, false), *to = jt_memory_add(&memory, 40 * 40 * 4, 0, true);
    jc_gpu_launch work = {.kernel = JC_GPU_DELIVER,
                          .dtype = JC_GPU_F32,
                          .src_dtype = JC_GPU_F32,
                          .dst_dtype = JC_GPU_F32,
                          .src = from,
                          .dst = to,
                          .blocks = 1,
                          .rows = 40,
                          .columns = 40,
                          .src_row = 40,
                          .src_column = 1,
                          .dst_row = 1,
                          .dst_column = 40};
    jt_emulation emulation = {JT_FORWARD, 1, 1, jt_memory_access, &memory, 0};
    jt_emulation_set(&emulation);
    cr_expect_eq(jt_kernels_run(&work), 0);
    cr_expect_eq(jt_kernels_run_by(jt_launch_without_block_barrier, &work), 719);
    jt_pool_free(&pool);
}

Test(emulation, shapes_are_told_without_running)
{
    jt_grid grid;
    jc_gpu_launch work = {.kernel = JC_GPU_WALK, .dtype = JC_GPU_F32, .n_phases = 1, .cluster = JC_GPU_CLUSTER};
    cr_expect_eq(jt_kernels_shape(&work, &grid), 0);
    cr_expect_eq(grid.blocks, 8);
    cr_expect_eq(grid.cluster, 8);
    cr_expect(grid.opted_in && grid.shared_bytes > 48 * 1024);
    work = (jc_gpu_launch){.kernel = JC_GPU_GATHER_ANY, .dtype = JC_GPU_F32, .lanes = 1, .n_tiles = INT64_C(1) << 33};
    cr_expect_eq(jt_kernels_shape(&work, &grid), 0);
    cr_expect_eq(grid.blocks, INT32_MAX);
    work.kernel = JC_GPU_KERNEL_COUNT;
    cr_expect_neq(jt_kernels_shape(&work, &grid), 0);
}
