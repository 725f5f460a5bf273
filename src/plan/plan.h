/* The plan: which products are formed, in which order, and nothing else. Plain data: it can be printed, costed and
 * verified without a device, and every backend lowers the same plan.
 *
 * Values. A computed value is a matrix of `rows` seed rows by `cols` = size of a variable:
 *   reverse: the adjoint   A_v = d T/d v              rows of the targets that v reaches, side by side
 *   forward: the tangent's transpose (d v/d S)^T      rows of the sources that reach v
 * so that both sweeps are one recurrence with one storage order (row-major, a seed row is contiguous):
 *   value_c[c_row .. +n_rows] (+)= value_a[a_row .. +n_rows] . op(B),   op(B) = D (reverse) or D^T (forward)
 * where B is the Jacobian of an edge of the graph or an extra one made from the query (seed, per-sample sum), and a is
 * a computed value or JC_SEED_IDENTITY, whose product is not multiplied: rows a_row.. of op(B) are copied.
 * Forward, the rows of a source that is a weight may be folded (fold.h): such rows come from a folded copy of a weight
 * and go through diagonals and identities as rows do; a step that leaves a fold makes h w rows of the w rows of a.
 * The first step that touches a row of a value writes it, later ones add, in the order of the steps.
 * Sources: Griewank & Walther, Evaluating Derivatives, 2nd ed. (2008), ch. 3; docs/numerics.md. */
#ifndef JC_PLAN_PLAN_H
#define JC_PLAN_PLAN_H

#include "graph/graph.h"
#include "plan/fold.h"
#include "plan/subgraph.h"

#define JC_SEED_IDENTITY INT64_C(-1)

/* What a value's numbers are. By elimination values belong to two nodes: D[of,wrt], or what helps to form it. */
typedef enum jc_form {
    JC_FORM_SWEEP, /* a node's, as above */
    JC_FORM_ROWS,  /* rows of D[of,wrt] (of a structured one: of its blocks side by side, plan/elimination/structure.h)
                    */
    JC_FORM_COLUMNS, /* the same of its transpose */
    JC_FORM_NUMBERS  /* one row: the numbers of a structured one, or of a part of it */
} jc_form;

typedef struct jc_value {
    int64_t node;       /* of the subgraph; by elimination the one whose scalars the columns are */
    int64_t rows, cols; /* rows: computed ones; cols: size of the node's variable, or what the form says */
    int64_t first_step; /* its steps are [first_step, next value's first_step) */
    int64_t other;      /* by elimination the node at the other end; else -1 */
    jc_form form;
} jc_value;

typedef struct jc_step {
    int64_t a;     /* value, or JC_SEED_IDENTITY (of size rows(op(B))) */
    int64_t b;     /* Jacobian: an edge of the graph, or -1-i: extra Jacobian i of the subgraph, behind these an operand
                      of it, which may be a value of an earlier level */
    int64_t a_row; /* first row of a; for the identity: first row of op(B) */
    int64_t c_row, n_rows;
    bool transpose; /* op(B) = B^T */
    bool first;     /* writes its rows of C; otherwise adds to them */
    bool whole;     /* in windows: takes all of n_rows, from a_row on, in every pass; else the window's */
    int32_t fold;   /* 0: none; else fold number fold - 1 of the plan. Of the identity: rows of the folded op(B). Of a
                     * value: row r of the product is that of row a_row + j of a with its entries k = i mod h alone,
                     * i w + j = skip + r */
    int64_t skip;   /* 0 in a plan: the first rows of such a product that are left out */
} jc_step;

/* A product of structured Jacobians that no kind holds: D[of,wrt] became dense by it. */
typedef struct jc_densified {
    int64_t of, via, wrt;     /* nodes */
    const char *left, *right; /* what the factors were: static texts */
    int64_t entries, multiply_adds;
} jc_densified;

typedef enum jc_output_kind { JC_OUTPUT_VALUE, JC_OUTPUT_ZERO, JC_OUTPUT_IDENTITY } jc_output_kind;

/* One requested matrix. */
typedef struct jc_output {
    int64_t of, wrt;    /* variables */
    int64_t rows, cols; /* as the user sees it; of a per-sample total: of one block */
    jc_output_kind kind;
    int64_t value,
        value_row;   /* JC_OUTPUT_VALUE: the rows [value_row, + (transposed ? cols : rows)) of a value;
                      * block b of a per-sample total: its columns [b n, (b + 1) n), n = transposed ? rows : cols */
    bool transposed; /* the value holds the transpose */
} jc_output;

struct jc_plan {
    const jc_graph *graph; /* borrowed */
    jc_allocator allocator;
    jc_subgraph subgraph; /* owned */
    jc_folds folds;       /* owned */
    jc_order order;       /* REVERSE, FORWARD or ELIMINATION, never AUTO */
    jc_seed seed;
    int64_t seed_width; /* 0 without a seed */
    int64_t per_sample; /* at least 1 */
    bool by_sample;     /* blocks were asked for, be it one */

    jc_value *values; /* [n_values + 1], by level, in a level by their first Jacobian; the last one only carries
                         first_step = n_steps */
    int64_t n_values;
    jc_step *steps;             /* [n_steps] */
    int64_t n_steps, max_steps; /* max_steps: what `steps` was allocated for */
    int64_t *levels;            /* [n_levels + 1]: values [levels[l], levels[l+1]) depend only on earlier levels */
    int64_t n_levels;
    jc_output *outputs; /* [n_outputs], target by target */
    int64_t n_outputs, max_outputs;
    int64_t row_limit; /* n > 0: values have at most n rows, a window of the single identity; 0: all rows */

    bool eliminates;     /* values are of pairs of nodes (elimination), else a sweep's */
    bool by_elimination; /* that order was asked for or chosen; where no cheaper one than the better sweep was
                          * found it is that sweep, which is an order of elimination too */
    int64_t *eliminated; /* [n_eliminated] nodes in the order in which they go; only where it eliminates */
    int64_t n_eliminated;
    jc_vec densified; /* jc_densified */

    int64_t multiply_adds;              /* of one pass over all rows */
    int64_t forward_cost, reverse_cost; /* multiply-adds of both sweeps, -1: not known */
    int64_t elimination_cost;           /* of the order found; -1: not looked for */
    bool structure_only;                /* some used edge has no numbers */
};

/* The number of the group that a step's b names: of the graph, b itself for an extra Jacobian, or below these a made
 * one: jc_subgraph_own_group. */
static inline int64_t jc_plan_group_number(const jc_plan *plan, int64_t b)
{
    const jc_operand *operand = jc_subgraph_operand(&plan->subgraph, b);
    if (operand) return -1 - plan->subgraph.n_extra - operand->made;
    return b < 0 ? b : jc_graph_group_number(plan->graph, b);
}

/* The fold of a step, or NULL. */
static inline const jc_fold *jc_plan_fold(const jc_plan *plan, const jc_step *step)
{
    return step->fold ? &plan->folds.fold[step->fold - 1] : NULL;
}

/* The fold that a step leaves, or NULL: its rows are those of its operand. */
static inline const jc_fold *jc_plan_left_fold(const jc_plan *plan, const jc_step *step)
{
    return step->a == JC_SEED_IDENTITY ? NULL : jc_plan_fold(plan, step);
}

/* The group and member that a step's b names. */
const jc_group *jc_plan_jacobian(const jc_plan *plan, int64_t b, int64_t *member);

/* The edge of the graph whose numbers a jc_step.b (an element of jc_subgraph.jacobian) has, or -1. */
int64_t jc_plan_edge_of_b(const jc_plan *plan, int64_t b);

/* Multiply-adds of the cheaper sweep, or -1: neither is known. */
static inline int64_t jc_plan_sweep_cost(const jc_plan *plan)
{
    if (plan->reverse_cost < 0) return plan->forward_cost;
    if (plan->forward_cost < 0) return plan->reverse_cost;
    return plan->reverse_cost < plan->forward_cost ? plan->reverse_cost : plan->forward_cost;
}

/* The nodes in the order in which they are eliminated; of a sweep those of its values, the ends among them. */
static inline int64_t jc_plan_n_vertices(const jc_plan *plan)
{
    return plan->eliminates ? plan->n_eliminated : plan->n_values;
}

static inline int64_t jc_plan_vertex(const jc_plan *plan, int64_t i)
{
    return plan->eliminates ? plan->eliminated[i] : plan->values[i].node;
}

/* The value that a step reads as its Jacobian, or -1. */
static inline int64_t jc_plan_value_of_b(const jc_plan *plan, int64_t b)
{
    const jc_operand *operand = jc_subgraph_operand(&plan->subgraph, b);
    return operand ? operand->value : -1;
}

/* The same, where an elimination may hold at most entry_limit entries of values at a time; 0: any number. */
jc_status jc_plan_create_limited(const jc_graph *graph, const jc_query *query, int64_t row_limit, int64_t entry_limit,
                                 jc_plan **plan);

/* Everything of a result but its value. *computed: it is the sum over the paths between two nodes, if there are any
 * (it is zero until a value is set); else it is zero or the identity. */
jc_output jc_plan_output(const jc_plan *plan, int64_t target, int64_t source, bool *computed);

/* by_elimination.c: *found: the plan, of which the sweeps' costs are known, is one by elimination, for a smaller cost
 * than the sweeps' or in the order that the query names; otherwise it is as before. JC_E_USAGE for an order that does
 * not go with the query. */
jc_status jc_plan_by_elimination(jc_plan *plan, const jc_walk *walk, const jc_query *query, int64_t entry_limit,
                                 bool *found);

/* The vertices that the plan eliminates in the order in which they are given, those that are not given behind them;
 * others that are given are left out. order: [n_eliminated]. */
jc_status jc_plan_order_within(const jc_plan *plan, const jc_vertex *given, int64_t n_given, jc_vertex *order);

/* As jc_plan_create; row_limit > 0 for a query with one seeded end whose rows are cut into windows of that many. */
jc_status jc_plan_create_windowed(const jc_graph *graph, const jc_query *query, int64_t row_limit, jc_plan **plan);

/* Rows of the identity that is seeded: size of the single seeded node (for windows). */
int64_t jc_plan_seed_rows(const jc_plan *plan);

/* f64 if a used tensor is F64 or none is floating, else f32 (SPEC "Precision"). */
jc_precision jc_plan_precision(const jc_plan *plan);

/* Appends to `edges` (int64_t) the used edges of the graph whose floating numbers have a NaN or Inf. Reads all numbers.
 */
jc_status jc_plan_non_finite(const jc_plan *plan, jc_vec *edges);

/* The first used edge with numbers in device memory, or -1. */
int64_t jc_plan_edge_on_device(const jc_plan *plan);

/* The first used edge without numbers, or -1. */
int64_t jc_plan_edge_without_numbers(const jc_plan *plan);

static inline const jc_step *jc_plan_steps_of(const jc_plan *p, int64_t value, int64_t *n)
{
    *n = p->values[value + 1].first_step - p->values[value].first_step;
    return p->steps + p->values[value].first_step;
}

#endif
