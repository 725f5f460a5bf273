/* What the verifiers of sweeps and of eliminations have in common: the query's own part of a plan, the frame of its
 * lists, which node of the query's paths each node of the plan stands for, and which results there must be. */
#ifndef JC_PLAN_VERIFY_FRAME_H
#define JC_PLAN_VERIFY_FRAME_H

#include "plan/verify_expected.h"

typedef struct jc_frame {
    const jc_plan *plan;         /* borrowed */
    const jc_expected *expected; /* borrowed */
    int64_t *node;     /* [n_nodes of the subgraph] of expected; -1: none, as for the inner vector of a rank */
    int64_t *addition; /* [n_extra] of expected, for each extra Jacobian */
    int64_t *level;    /* [n_values] */
    int64_t *last;     /* [n_values] its own level: the caller puts the last one that reads it, n_levels for
                        * outputs */
} jc_frame;

/* Order, seed and samples are the query's. JC_E_INTERNAL: they are not. */
jc_status jc_verify_query(const jc_plan *plan, const jc_query *query);

/* Levels and values tile the lists; every node stands for one of the query's paths; the extra Jacobians are the
 * query's. JC_E_INTERNAL with the first violation. To be freed where it fails, too. */
jc_status jc_frame_init(jc_frame *frame, const jc_plan *plan, const jc_expected *expected);
void jc_frame_fini(jc_frame *frame);

/* Fails with what is wrong with a value, or a step (-1: none) of it. */
jc_status jc_frame_broken(const jc_frame *frame, int64_t value, int64_t step, const char *what);

/* The result of target t and source s. */
typedef struct jc_wanted {
    bool asked; /* it belongs to the query: a source that was not named does where a path joins it */
    jc_output_kind kind;
    int64_t of, wrt, rows, cols; /* variables and shape as jc_output has them */
    int64_t above, below;        /* the nodes of expected between whose ends its paths run, or -1 */
} jc_wanted;

jc_wanted jc_frame_wanted(const jc_frame *frame, const jc_query *query, int64_t t, int64_t s);

/* Whether the output is of the variables, kind and shape that are wanted. */
bool jc_wanted_is(const jc_wanted *wanted, const jc_output *output);

#endif
