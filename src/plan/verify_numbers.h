/* Numbers modulo the prime p = 2^61 - 1, and what stands for a Jacobian where the verifier of eliminations looks at
 * sums of products: random 2 x 2 matrices of such numbers, two draws of them side by side. Two sums over products of
 * Jacobians that differ as such, in a factor, its side or its transposition, have equal matrices in one draw with a
 * probability of at most degree / p (Schwartz, J. ACM 27, 1980; Zippel, EUROSAM 1979), the degree being the length of
 * the longest path. 2 x 2 matrices keep the order of factors, which numbers do not. */
#ifndef JC_PLAN_VERIFY_NUMBERS_H
#define JC_PLAN_VERIFY_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/* Number i of a sequence of evenly spread ones: the same every time. */
uint64_t jc_residue_random(uint64_t sequence, uint64_t i);

/* sum + a b */
uint64_t jc_residue_mul_add(uint64_t sum, uint64_t a, uint64_t b);

enum { JC_DRAWS = 2 };

typedef struct jc_stand_in {
    uint64_t entry[JC_DRAWS][2][2]; /* below p */
} jc_stand_in;

jc_stand_in jc_stand_in_unit(void);

/* The one with that number: the same every time. */
jc_stand_in jc_stand_in_random(uint64_t number, bool symmetric);

jc_stand_in jc_stand_in_transposed(const jc_stand_in *a);
jc_stand_in jc_stand_in_product(const jc_stand_in *a, const jc_stand_in *b);

/* *sum += a */
void jc_stand_in_add(jc_stand_in *sum, const jc_stand_in *a);

bool jc_stand_in_equal(const jc_stand_in *a, const jc_stand_in *b);

#endif
