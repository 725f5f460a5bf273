/* WALK: chains of every shape, exact, with one block and with eight, in every order of threads. */
#include <criterion/criterion.h>

#include "kernels/chain.h"
#include "kernels/piece.h"
#include "support/sanitized.h"

static void run_in_order(jt_chain *chain, jt_thread_order order, uint64_t seed)
{
    jt_emulation emulation = {order, seed, 1, jt_memory_access, &chain->memory, 0};
    jt_emulation_set(&emulation);
    for (int64_t i = 0; i < chain->elements; i++)
        jt_set_element(chain->launch.arena, chain->launch.dtype, i, chain->before[i]);
    jt_memory_begin(&chain->memory);
    int code = jt_kernels_run(&chain->launch);
    cr_assert_eq(code, 0, "seed %llu: code %d: %s", (unsigned long long)seed, code, jt_emulation_first());
    cr_assert_eq(chain->memory.outside, 0);
    cr_assert_eq(chain->memory.races, 0, "seed %llu: unordered accesses: %lld", (unsigned long long)seed,
                 (long long)chain->memory.races);
}

static void check_chain(uint64_t seed, const jt_chain_kind *kind, const char *what)
{
    jt_pool pool = {0};
    jt_rng rng = {seed};
    jt_chain chain = jt_chain_random(&pool, &rng, kind);
    for (int i = 0; i < 3; i++) {
        chain.launch.cluster = (seed + (uint64_t)i) % 2 ? 1 : JC_GPU_CLUSTER;
        run_in_order(&chain, (jt_thread_order)i, seed);
        for (int64_t e = 0; e < chain.elements; e++) {
            double x = jt_element(chain.launch.arena, kind->dtype, e);
            cr_assert(x == chain.expected[e], "%s, seed %llu, cluster %d: element %lld is %g, expected %g", what,
                      (unsigned long long)seed, chain.launch.cluster, (long long)e, x, chain.expected[e]);
        }
    }
    jt_pool_free(&pool);
}

static void check_chains(jt_chain_kind kind, const char *what, int cases)
{
    for (int i = 0; i < (int)jt_cases(cases); i++) {
        kind.dtype = i % 4 == 0 ? JC_GPU_F64 : JC_GPU_F32;
        kind.mode = i % 4 == 2 ? JC_GPU_ROUND_TF32 : i % 4 == 3 ? JC_GPU_ROUND_BF16 : JC_GPU_FULL;
        check_chain((uint64_t)i, &kind, what);
    }
}

TestSuite(walk, .timeout = 300);

Test(walk, narrow_chains)
{
    check_chains((jt_chain_kind){.phases = 75, .sizes = {64}, .number = -1}, "64", 4);
    check_chains((jt_chain_kind){.phases = 70, .sizes = {16, 33, 5, 100}, .number = -1}, "mixed", 8);
    check_chains((jt_chain_kind){.phases = 40, .sizes = {128, 1}, .number = JC_GPU_F32}, "128", 4);
    check_chains((jt_chain_kind){.phases = 1, .sizes = {7}, .number = -1}, "one", 4);
    check_chains((jt_chain_kind){.phases = 9, .sizes = {64}, .number = JC_GPU_F32}, "nine", 4);
}

Test(walk, several_terms)
{
    check_chains((jt_chain_kind){.phases = 50, .sizes = {64, 20}, .number = -1, .others = 3}, "terms", 8);
}

Test(walk, wide_and_any_phases)
{
    check_chains((jt_chain_kind){.phases = 20, .sizes = {64, 200, 12}, .number = -1, .wide = 2}, "wide", 8);
    check_chains((jt_chain_kind){.phases = 40, .sizes = {64, 20}, .number = -1, .wide = 8, .any = 4, .others = 6},
                 "all", 8);
}
