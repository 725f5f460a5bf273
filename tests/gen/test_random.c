/* The random numbers: published values, ranges, moments. */
#include <criterion/criterion.h>
#include <math.h>

#include "gen/random.h"

Test(gen_random, bits_are_splitmix64)
{
    /* The first outputs of splitmix64 from 1234567 (Rosetta Code, "Pseudo-random numbers/Splitmix64"). */
    static const uint64_t known[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                     UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                     UINT64_C(16408922859458223821)};
    jc_random r = {1234567};
    for (int i = 0; i < 5; i++) cr_expect_eq(jc_random_bits(&r), known[i]);
}

Test(gen_random, streams_of_other_seeds_purposes_and_places_differ)
{
    jc_random a[5] = {jc_random_stream(1, JC_RANDOM_SIZE, 0, 0), jc_random_stream(2, JC_RANDOM_SIZE, 0, 0),
                      jc_random_stream(1, JC_RANDOM_FRAME, 0, 0), jc_random_stream(1, JC_RANDOM_SIZE, 1, 0),
                      jc_random_stream(1, JC_RANDOM_SIZE, 0, 1)};
    uint64_t first[5];
    for (int i = 0; i < 5; i++) first[i] = jc_random_bits(&a[i]);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++) cr_expect_neq(first[i], first[j]);
    jc_random again = jc_random_stream(1, JC_RANDOM_SIZE, 0, 0);
    cr_expect_eq(jc_random_bits(&again), first[0]);
}

Test(gen_random, whole_numbers_are_uniform_below_n)
{
    jc_random r = jc_random_stream(7, JC_RANDOM_EDGES, 0, 0);
    int64_t seen[6] = {0};
    for (int i = 0; i < 60000; i++) {
        int64_t k = jc_random_below(&r, 6);
        cr_assert(k >= 0 && k < 6);
        seen[k]++;
    }
    for (int k = 0; k < 6; k++) cr_expect(seen[k] > 9500 && seen[k] < 10500); /* 91 the standard deviation */
    cr_expect_eq(jc_random_below(&r, 1), 0);
    int high = 0;
    for (int i = 0; i < 1000; i++) high += jc_random_below(&r, INT64_MAX) > INT64_MAX / 2;
    cr_expect(high > 400 && high < 600);
}

Test(gen_random, normal_numbers_have_the_moments_of_a_normal_distribution)
{
    jc_random r = jc_random_stream(8, JC_RANDOM_NUMBERS, 0, 0);
    double m[5] = {0};
    int n = 400000, inside = 0;
    for (int i = 0; i < n; i++) {
        double x = jc_random_normal(&r);
        inside += fabs(x) < 1.0;
        m[1] += x, m[2] += x * x, m[3] += x * x * x, m[4] += x * x * x * x;
    }
    for (int k = 1; k < 5; k++) m[k] /= n;
    cr_expect_float_eq(m[1], 0.0, 0.01);
    cr_expect_float_eq(m[2], 1.0, 0.01);
    cr_expect_float_eq(m[3], 0.0, 0.03);
    cr_expect_float_eq(m[4], 3.0, 0.1);
    cr_expect_float_eq((double)inside / n, 0.6827, 0.005);
}
