/* Plans to be broken: ways to break one, of which a verifier must find each. */
#ifndef JT_PLAN_PATIENT_H
#define JT_PLAN_PATIENT_H

#include "plan/layout.h"
#include "support/random_query.h"

/* A plan and its layout with arrays of the test's own, to be broken and mended. */
typedef struct jt_patient {
    jc_plan plan;
    jc_layout layout;
    const jc_query *query;
    jt_pool pool;
} jt_patient;

/* Copies what may be broken. The pool is the caller's to free. */
void jt_patient_init(jt_patient *p, const jc_plan *plan, const jc_layout *layout, const jc_query *query);

/* A copy of n things with room for two more, in the pool. */
void *jt_patient_copy(jt_pool *pool, const void *data, int64_t n, size_t bytes);

int64_t jt_value_of_step(const jc_plan *p, int64_t step);
int64_t jt_level_of(const jc_plan *p, int64_t value);

/* A random step, and one that reads a value; NULL: there is none, or none was found. */
jc_step *jt_any_step(jt_patient *p, jt_rng *rng);
jc_step *jt_any_product(jt_patient *p, jt_rng *rng);

/* Values a and b change places, with their steps; everything that names them follows. */
void jt_exchange_values(jt_patient *p, int64_t a, int64_t b);

/* Stores a value at an offset; the arena is long enough. */
void jt_place(jt_patient *p, int64_t value, int64_t offset);
int64_t jt_value_bytes(const jt_patient *p, int64_t value);

/* apply: false where it does not apply. */
typedef struct jt_break {
    const char *name;
    bool (*apply)(jt_patient *p, jt_rng *rng);
} jt_break;

enum { JT_MAX_BREAKS = 64 };

/* Of any plan; those that take one copy of an edge, or one state of a variable, for another; those of folds. */
extern const jt_break jt_breaks[], jt_rule_breaks[], jt_fold_breaks[];
extern const int64_t jt_n_breaks, jt_n_rule_breaks, jt_n_fold_breaks;

#endif
