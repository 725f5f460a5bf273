#include "plan/verify_numbers.h"

#include <string.h>

__extension__ typedef unsigned __int128 wide;

static const uint64_t P = (UINT64_C(1) << 61) - 1;

/* x = h 2^61 + l is congruent to h + l. */
static uint64_t reduced(wide x)
{
    uint64_t folded = (uint64_t)(x & P) + (uint64_t)(x >> 61);
    return folded >= P ? folded - P : folded;
}

/* The mixing of splitmix64 (Steele, Lea, Flood, 2014). */
static uint64_t mixed(uint64_t number)
{
    uint64_t z = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Number `number` of a sequence of evenly spread ones. */
static uint64_t draw(uint64_t number)
{
    return reduced(mixed(number));
}

uint64_t jc_residue_random(uint64_t sequence, uint64_t i)
{
    return draw(mixed(sequence) + i);
}

uint64_t jc_residue_mul_add(uint64_t sum, uint64_t a, uint64_t b)
{
    return reduced((wide)a * b + sum);
}

jc_stand_in jc_stand_in_unit(void)
{
    jc_stand_in a = {{{{0}}}};
    for (int d = 0; d < JC_DRAWS; d++) a.entry[d][0][0] = a.entry[d][1][1] = 1;
    return a;
}

jc_stand_in jc_stand_in_random(uint64_t number, bool symmetric)
{
    jc_stand_in a;
    for (int i = 0; i < 4 * JC_DRAWS; i++) a.entry[i / 4][i / 2 % 2][i % 2] = draw(4 * JC_DRAWS * number + (uint64_t)i);
    for (int d = 0; d < JC_DRAWS && symmetric; d++) a.entry[d][1][0] = a.entry[d][0][1];
    return a;
}

jc_stand_in jc_stand_in_transposed(const jc_stand_in *a)
{
    jc_stand_in t = *a;
    for (int d = 0; d < JC_DRAWS; d++) t.entry[d][0][1] = a->entry[d][1][0], t.entry[d][1][0] = a->entry[d][0][1];
    return t;
}

/* (A B)_ij = sum over k of A_ik B_kj */
jc_stand_in jc_stand_in_product(const jc_stand_in *a, const jc_stand_in *b)
{
    jc_stand_in c;
    for (int d = 0; d < JC_DRAWS; d++)
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++) {
                wide sum = (wide)a->entry[d][i][0] * b->entry[d][0][j];
                sum += (wide)a->entry[d][i][1] * b->entry[d][1][j];
                c.entry[d][i][j] = reduced(sum);
            }
    return c;
}

void jc_stand_in_add(jc_stand_in *sum, const jc_stand_in *a)
{
    for (int i = 0; i < 4 * JC_DRAWS; i++) {
        uint64_t *entry = &sum->entry[i / 4][i / 2 % 2][i % 2];
        *entry = reduced((wide)*entry + a->entry[i / 4][i / 2 % 2][i % 2]);
    }
}

bool jc_stand_in_equal(const jc_stand_in *a, const jc_stand_in *b)
{
    return !memcmp(a, b, sizeof *a);
}
