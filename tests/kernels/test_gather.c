/* Each gather against plain loops: kinds, directions, types, sizes, alignments; in every order of threads the same
 * bits. */
#include <criterion/criterion.h>

#include "kernels/piece.h"
#include "support/sanitized.h"

/* The arena's bytes after the launch, in one order of threads. */
static void run_in_order(jt_piece *piece, jt_thread_order order, uint64_t seed, unsigned char *bits)
{
    jt_emulation emulation = {order, seed, 1 + (int)(seed % 3), jt_memory_access, &piece->memory, 0};
    jt_emulation_set(&emulation);
    jt_piece_reset(piece);
    int code = jt_kernels_run(&piece->launch);
    cr_assert_eq(code, 0, "code %d: %s", code, jt_emulation_first());
    cr_assert_eq(piece->memory.outside, 0, "accesses outside the memory: %lld", (long long)piece->memory.outside);
    cr_assert_eq(piece->memory.races, 0, "unordered accesses: %lld", (long long)piece->memory.races);
    memcpy(bits, piece->memory.arena, piece->memory.arena_bytes);
}

static void check_piece(jt_pool *pool, jt_piece *piece, const char *what, uint64_t seed)
{
    size_t bytes = piece->memory.arena_bytes;
    unsigned char *bits = jt_alloc(pool, (int64_t)bytes, 1), *again = jt_alloc(pool, (int64_t)bytes, 1);
    run_in_order(piece, JT_FORWARD, seed, bits);
    int64_t at = jt_piece_check(piece);
    cr_assert_eq(at, -1, "%s, seed %llu: element %lld is %.17g, expected %.17g within %g", what,
                 (unsigned long long)seed, (long long)at, at < 0 ? 0 : jt_element(bits, piece->launch.dtype, at),
                 at < 0 ? 0 : piece->expected[at], at < 0 ? 0 : piece->bound[at]);
    for (int order = JT_REVERSED; order <= JT_SHUFFLED; order++) {
        run_in_order(piece, (jt_thread_order)order, seed + 1, again);
        cr_assert(memcmp(bits, again, bytes) == 0, "%s, seed %llu: other bits in order %d", what,
                  (unsigned long long)seed, order);
    }
}

static const int lanes_of[JC_GPU_KERNEL_COUNT][3] = {
    [JC_GPU_GATHER_ANY] = {1, 8, 32}, [JC_GPU_GATHER_ROW] = {32, 256, 32}, [JC_GPU_GATHER_ROWS] = {32, 32, 32}};

static void check_kind(const jt_piece_kind *kind, const char *what, uint64_t seed)
{
    jt_pool pool = {0};
    jt_rng rng = {seed};
    jt_piece piece = jt_piece_random(&pool, &rng, kind);
    piece.launch.lanes = lanes_of[kind->kernel][jt_below(&rng, 3)];
    check_piece(&pool, &piece, what, seed);
    jt_pool_free(&pool);
}

/* dtype and mode by the number of the case. */
static void check_cases(jt_piece_kind kind, const char *what, int cases)
{
    for (int i = 0; i < (int)jt_cases(cases); i++) {
        kind.dtype = i % 4 == 0 ? JC_GPU_F64 : JC_GPU_F32;
        kind.mode = i % 4 == 2 ? JC_GPU_ROUND_TF32 : i % 4 == 3 ? JC_GPU_ROUND_BF16 : JC_GPU_FULL;
        check_kind(&kind, what, (uint64_t)(1000 * kind.kernel + i));
    }
}

static const char *const kind_names[] = {"dense", "diagonal", "identity", "csr", "", "select", "weight", "tile"};

TestSuite(gather_any, .timeout = 300);

Test(gather_any, each_kind)
{
    for (int kind = JC_GPU_DENSE; kind <= JC_GPU_TILE; kind++) {
        if (kind == 4) continue;
        jt_piece_kind piece = {.kernel = JC_GPU_GATHER_ANY, .kind = kind, .number = -1, .size = 24, .terms = 3};
        check_cases(piece, kind_names[kind], 24);
        piece.expand = true;
        check_cases(piece, kind_names[kind], 24);
        piece.expand = false;
        piece.split = true;
        check_cases(piece, kind_names[kind], 24);
    }
}

Test(gather_any, integers_are_exact)
{
    jt_piece_kind piece = {.kernel = JC_GPU_GATHER_ANY,
                           .kind = -1,
                           .number = -1,
                           .size = 40,
                           .terms = 6,
                           .integers = true,
                           .expand = true};
    check_cases(piece, "integers", 60);
}

Test(gather_any, nan_stays_in_the_structure)
{
    jt_piece_kind piece = {.kernel = JC_GPU_GATHER_ANY, .kind = -1, .number = -1, .size = 16, .terms = 3, .bad = true};
    check_cases(piece, "NaN", 60);
}

Test(gather_any, wide_destinations)
{
    jt_piece_kind piece = {.kernel = JC_GPU_GATHER_ANY, .kind = JC_GPU_CSR, .number = -1, .size = 150, .terms = 2};
    check_cases(piece, "wide csr", 8);
    piece.kind = JC_GPU_DIAGONAL;
    check_cases(piece, "wide diagonal", 8);
}

TestSuite(gather_row, .timeout = 300);

Test(gather_row, each_number_type)
{
    for (int number = JC_GPU_F64; number <= JC_GPU_F16; number++) {
        jt_piece_kind piece = {.kernel = JC_GPU_GATHER_ROW, .number = number, .size = 40, .terms = 7};
        check_cases(piece, "row", 24);
        piece.size = 5;
        check_cases(piece, "small row", 24);
        piece.size = 200;
        piece.terms = 2;
        check_cases(piece, "long row", 8);
    }
}

Test(gather_row, mixed_exact_split_nan)
{
    jt_piece_kind piece = {.kernel = JC_GPU_GATHER_ROW, .number = -1, .size = 48, .terms = 12, .integers = true};
    check_cases(piece, "integer row", 40);
    piece.split = true;
    check_cases(piece, "split row", 40);
    piece = (jt_piece_kind){.kernel = JC_GPU_GATHER_ROW, .number = -1, .size = 16, .terms = 3, .bad = true};
    check_cases(piece, "NaN row", 40);
}

TestSuite(gather_rows, .timeout = 300);

Test(gather_rows, each_number_type)
{
    for (int number = JC_GPU_F64; number <= JC_GPU_F16; number++) {
        jt_piece_kind piece = {.kernel = JC_GPU_GATHER_ROWS, .number = number, .size = 70, .terms = 3};
        check_cases(piece, "rows", 16);
        piece.size = 7;
        piece.terms = 6;
        check_cases(piece, "small rows", 16);
    }
}

Test(gather_rows, mixed_exact_split_nan)
{
    jt_piece_kind piece = {.kernel = JC_GPU_GATHER_ROWS, .number = -1, .size = 48, .terms = 6, .integers = true};
    check_cases(piece, "integer rows", 24);
    piece.split = true;
    check_cases(piece, "split rows", 24);
    piece = (jt_piece_kind){.kernel = JC_GPU_GATHER_ROWS, .number = -1, .size = 16, .terms = 3, .bad = true};
    check_cases(piece, "NaN rows", 24);
}
