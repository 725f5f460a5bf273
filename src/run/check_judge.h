/* Judging matrices by equations: residual over bound, and the worst entry. docs/numerics.md has the mathematics. */
#ifndef JC_RUN_CHECK_JUDGE_H
#define JC_RUN_CHECK_JUDGE_H

#include "backend/reference/roundoff.h"
#include "run/check_equations.h"

/* The worst entry so far: where error / bound is largest. */
typedef struct jc_worst {
    bool any;       /* an entry was judged */
    bool undecided; /* some entry could not be: NaN, Inf, or no bound that says something */
    double ratio;   /* error / bound; 0 where both are 0, Inf where only the bound is */
    double error, bound;
    int64_t place, row, col; /* place: the caller's; of the first undecided entry while no ratio is over 1 */
    int64_t state,
        n_states; /* of the nodes that a place that is a variable has, which one; 0 of 0 where it is not told */
} jc_worst;

/* What evaluating equations works with. */
typedef struct jc_judge {
    const jc_equations *eq; /* borrowed */
    const jc_run *run;      /* borrowed: whose values stand in the equations */
    jc_roundoff roundoff;   /* of the precision that is judged */
    bool narrow;            /* that precision is not f64 */
    int64_t chunk_rows;     /* rows that are evaluated at once */
    int64_t max_cols;
    int64_t scratch_numbers;
    double *x;         /* [chunk_rows x max_cols] rows of other values; then rows that are judged */
    double *sum;       /* [chunk_rows x max_cols] sum of A_w D */
    double *magnitude; /* [chunk_rows x max_cols] sum of |A_w| |D| */
    double *row;       /* [max_cols] for the caller */
    double *scratch;   /* [scratch_numbers] */
    int64_t node;      /* whose equation was evaluated last; of it: */
    double factor;     /* bound = factor magnitude + underflow, and 0 where magnitude is 0 */
    double underflow;  /* absolute error of its products together */
} jc_judge;

jc_status jc_judge_init(jc_judge *judge, const jc_equations *eq, const jc_run *run, jc_precision precision);
void jc_judge_fini(jc_judge *judge);

/* sum and magnitude for rows [row, row + n) of a node's equation, n <= chunk_rows. */
jc_status jc_judge_evaluate(jc_judge *judge, int64_t node, int64_t row, int64_t n);

/* What |entry - sum| may be for entry i of sum, of the equation evaluated last. */
double jc_judge_bound(const jc_judge *judge, int64_t i);

/* Reads rows of a value as doubles: n rows of the plan's value, to dst. */
jc_status jc_read_rows(const jc_run *run, int64_t value, int64_t row, int64_t n, double *dst);

/* Every value of judge->run by its own equation; *worst, empty before, names a variable, and row and column as of a
 * total. */
jc_status jc_judge_values(jc_judge *judge, jc_worst *worst);

/* Takes an entry into *worst. */
void jc_worst_take(jc_worst *worst, double error, double bound, int64_t place, int64_t row, int64_t col);

/* From a place that is a node to its variable, and which of the variable's nodes it is, in topological order. */
void jc_worst_name(const jc_subgraph *subgraph, jc_worst *worst);

/* Takes what `other` has seen into *worst. */
void jc_worst_merge(jc_worst *worst, const jc_worst *other);

/* Every operator's two directions by y . (D x) = (D^T y) . x for random x, y; place is the variable that its products
 * are added to, row and col 0. */
jc_status jc_judge_operators(const jc_equations *eq, jc_worst *worst);

#endif
