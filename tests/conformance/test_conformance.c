/* What every backend must compute: every kind, transposed or not, with batch (shared numbers, its own) and inner, from
 * 1 x 1 to large and non-square, for one row, a few and many. The backends are those that the library names, each in
 * every precision, and the tests' exact one. */
#include <criterion/criterion.h>
#include <string.h>

#include "conformance/case.h"
#include "support/floats.h"

typedef struct extent {
    int64_t p, q;
} extent;

static const extent small[] = {{1, 1}, {1, 5}, {4, 1},   {2, 3},   {3, 2}, {4, 4},
                               {8, 8}, {7, 5}, {16, 16}, {17, 13}, {6, 24}};
static const extent large[] = {{64, 64}, {127, 131}, {128, 128}, {129, 128}, {256, 32}, {1, 700},
                               {700, 1}, {1000, 3},  {3, 1000},  {513, 31},  {33, 130}, {300, 257}};
static const int64_t widths[] = {1, 2, 3, 7, 16};
static const int64_t large_widths[] = {1, 2, 16, 65, 300};

enum { N_SMALL = sizeof small / sizeof *small, N_LARGE = sizeof large / sizeof *large };
enum { N_WIDTHS = sizeof widths / sizeof *widths, N_LARGE_WIDTHS = sizeof large_widths / sizeof *large_widths };
enum { MODES = 3 }; /* batch 1; batch 3 sharing its numbers; batch 3 each with its own */

/* The extent made to fit the kind: square, a multiple, a product; with its inner extent m. */
static jt_shape fit(jc_kind kind, extent e, bool transpose, int mode, int64_t inner, jt_rng *rng)
{
    jt_shape s = {.kind = kind, .transpose = transpose, .inner = inner, .p = e.p, .q = e.q, .members = 1};
    s.batch = mode ? 3 : 1;
    s.batched = mode == 2;
    if (kind == JC_OPERATOR) s.batch = s.inner = 1, s.batched = false;
    if (kind == JC_DIAGONAL || kind == JC_IDENTITY) s.p = s.q = e.p > e.q ? e.p : e.q;
    if (kind == JC_TILE) s.p = e.q * (1 + e.p % 7);
    if (kind == JC_LOW_RANK) s.m = jt_between(rng, 1, 6);
    if (kind == JC_WEIGHT || kind == JC_TRACE) { /* c samples of h outputs from w inputs */
        int64_t h = jt_between(rng, 1, e.p < 9 ? e.p : 9), w = e.q / h > 0 ? e.q / h : 1;
        s.m = e.p / h > 0 ? e.p / h : 1;
        s.p = s.m * h, s.q = h * w;
    }
    return s;
}

static jt_case small_case(jc_kind kind, bool transpose, int mode, int64_t inner, extent e, uint64_t number,
                          jt_numbers numbers)
{
    jt_rng rng = {number};
    jt_case c = {.numbers = numbers, .seed = number, .exact_work = INT64_MAX};
    c.shape = fit(kind, e, transpose, mode, inner, &rng);
    c.k = widths[number % N_WIDTHS];
    c.parallel = jt_between(&rng, 1, 3) == 3 ? 2 : 1;
    c.real = jt_float_type(jt_below(&rng, 4));
    c.misalign = (int)jt_below(&rng, 2) * (int)jt_below(&rng, 8);
    return c;
}

static void small_sweep(jc_kind first, jc_kind last, jt_numbers numbers)
{
    uint64_t number = numbers == JT_REAL ? 1 << 20 : 0;
    int64_t entries = 0;
    for (jc_kind kind = first; kind <= last; kind++)
        for (int transpose = 0; transpose < 2; transpose++)
            for (int mode = 0; mode < MODES; mode++)
                for (int64_t inner = 1; inner <= 3; inner += 2)
                    for (int i = 0; i < N_SMALL; i++)
                        for (int repeat = 0; repeat < 2; repeat++) {
                            if (kind == JC_OPERATOR && (mode || inner > 1)) continue;
                            jt_case c = small_case(kind, transpose, mode, inner, small[i], number++, numbers);
                            entries += jt_case_check(&c);
                        }
    cr_assert_gt(entries, 1000);
}

Test(conformance, integers_in_small_jacobians_come_out_bit_for_bit_1)
{
    small_sweep(JC_DENSE, JC_CSR, JT_SMALL);
}

Test(conformance, integers_in_small_jacobians_come_out_bit_for_bit_2)
{
    small_sweep(JC_LOW_RANK, JC_OPERATOR, JT_SMALL);
}

Test(conformance, reals_in_small_jacobians_come_out_within_their_bound)
{
    small_sweep(JC_DENSE, JC_OPERATOR, JT_REAL);
}

/* Multiply-adds of a product of width k, as the plain loops do them. */
static int64_t work_of(const jt_shape *s, int64_t k)
{
    int64_t entries = s->p * s->q;
    if (s->kind == JC_DIAGONAL || s->kind == JC_IDENTITY || s->kind == JC_SELECT || s->kind == JC_TILE) entries = s->p;
    if (s->kind == JC_WEIGHT || s->kind == JC_TRACE) entries = s->p * (s->q / (s->p / s->m));
    return entries * s->batch * s->inner * k;
}

/* The oracle holds the whole matrix: with less batch and inner where that is too large. */
static void shrink(jt_shape *s)
{
    while (s->p * s->q * s->batch * s->batch * s->inner * s->inner > 800000 && (s->batch > 1 || s->inner > 1)) {
        if (s->inner > 1)
            s->inner--;
        else
            s->batch--;
    }
    if (s->batch == 1) s->batched = false;
}

/* A large case with the widest seed that the work allows. */
static void large_sweep(jt_numbers numbers, int64_t most_work)
{
    uint64_t number = numbers == JT_REAL ? 3 << 20 : 2 << 20;
    for (jc_kind kind = 0; kind < JC_KIND_COUNT; kind++)
        for (int transpose = 0; transpose < 2; transpose++)
            for (int i = 0; i < N_LARGE; i++) {
                jt_rng rng = {++number};
                int64_t inner = kind == JC_OPERATOR ? 1 : jt_between(&rng, 1, 2);
                jt_case c = {.numbers = numbers, .seed = number, .parallel = 1, .exact_work = 200000};
                c.shape = fit(kind, large[i], transpose, (int)jt_below(&rng, MODES), inner, &rng);
                shrink(&c.shape);
                c.real = jt_float_type(jt_below(&rng, 4));
                c.misalign = (int)jt_below(&rng, 2) * (int)jt_below(&rng, 8);
                int64_t width = jt_below(&rng, N_LARGE_WIDTHS);
                while (width > 0 && work_of(&c.shape, large_widths[width]) > most_work) width--;
                c.k = large_widths[width];
                c.no_totals = c.shape.p * c.shape.q * c.shape.batch * c.shape.batch > 150000;
                jt_case_check(&c);
            }
}

Test(conformance, integers_in_large_jacobians_come_out_bit_for_bit)
{
    large_sweep(JT_SMALL, 1000000);
}

Test(conformance, reals_in_large_jacobians_come_out_within_their_bound)
{
    large_sweep(JT_REAL, 500000);
}

/* The products that a library's matrix product takes, with every width on both sides of its blocks. */
Test(conformance, large_dense_blocks_with_wide_seeds_come_out_bit_for_bit)
{
    static const struct {
        extent e;
        int64_t k, batch, inner;
    } cases[] = {{{300, 257}, 300, 1, 1}, {{300, 257}, 65, 1, 1}, {{256, 256}, 128, 1, 1}, {{129, 65}, 300, 1, 2},
                 {{64, 48}, 300, 4, 1},   {{48, 64}, 17, 16, 1},  {{32, 32}, 1, 64, 1},    {{16, 24}, 5, 8, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int transpose = 0; transpose < 2; transpose++)
            for (int own = 0; own < (cases[i].batch > 1 ? 2 : 1); own++) {
                jt_case c = {
                    .numbers = JT_SMALL, .seed = 5 << 20 | i, .k = cases[i].k, .parallel = 1, .no_totals = true};
                c.real = jt_float_type((int64_t)i + 2 * transpose);
                c.shape = (jt_shape){.kind = JC_DENSE,
                                     .transpose = transpose,
                                     .batch = cases[i].batch,
                                     .inner = cases[i].inner,
                                     .p = cases[i].e.p,
                                     .q = cases[i].e.q,
                                     .batched = own,
                                     .members = 1};
                jt_case_check(&c);
            }
}

/* Every size from 1 to 40 and powers of two around the sizes that a compiler knows, for one row and a few. */
Test(conformance, every_small_square_dense_size_comes_out_bit_for_bit)
{
    for (int64_t n = 1; n <= 66; n++)
        for (int transpose = 0; transpose < 2; transpose++)
            for (int64_t i = 0; i < 6; i++) { /* one row in every type, five and nine in one */
                int64_t k = i < 4 ? 1 : i == 4 ? 5 : 9;
                if (n > 40 && n != 63 && n != 64 && n != 65 && n != 48) continue;
                jt_case c = {.numbers = JT_SMALL,
                             .seed = (uint64_t)(6 << 20 | n),
                             .k = k,
                             .parallel = 1 + n % 2,
                             .exact_work = 0,
                             .no_totals = n % 4 != 0};
                c.real = jt_float_type(i < 4 ? i : n / 2 + i);
                c.misalign = n % 5 ? 0 : 4;
                c.shape = (jt_shape){
                    .kind = JC_DENSE, .transpose = transpose, .batch = 1, .inner = 1, .p = n, .q = n, .members = 1};
                jt_case_check(&c);
            }
}

/* A NaN or Inf reaches exactly the entries that depend on it: zeros outside a kind's structure are not multiplied with,
 * zeros among its numbers are. Through low_rank's inner vector an Inf may turn into NaN, so it is left out;
 * so are the numbers of an operator, which is the callback's to multiply with. */
Test(conformance, numbers_that_are_not_finite_reach_what_depends_on_them_and_nothing_else)
{
    uint64_t number = 7 << 20;
    for (jc_kind kind = 0; kind < JC_KIND_COUNT; kind++)
        for (jt_poison poison = JT_NAN_SEED; poison <= JT_INF_NUMBER; poison++)
            for (int variant = 0; variant < 2 * 2 * MODES; variant++)
                for (int i = 0; i < N_SMALL; i++) {
                    int mode = variant / 4;
                    int64_t inner = 1 + variant / 2 % 2;
                    if (kind == JC_OPERATOR && (mode || inner > 1 || poison >= JT_NAN_NUMBER)) continue;
                    if (kind == JC_LOW_RANK && (poison == JT_INF_SEED || poison == JT_INF_NUMBER)) continue;
                    jt_case c = small_case(kind, variant % 2, mode, inner, small[i], number++, JT_SMALL);
                    c.poison = poison;
                    c.parallel = 1;
                    jt_case_check(&c);
                }
}
