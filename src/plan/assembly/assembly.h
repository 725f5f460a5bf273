/* From the operations of an elimination to values and steps that every backend runs. Each accumulated Jacobian
 * D[of,wrt] has a main value that its products are added to, in the form (rows or columns) that most of them have, and
 * gets other forms where they are read. How it flows:
 *
 *   entries.c     the entries of a Jacobian and its numbers
 *   made.c        the Jacobians that the plan makes for itself
 *   draft.c       values and steps, their levels
 *   forms.c       one accumulated Jacobian in another form: as the matrix, or as the Jacobian of a product
 *   sparse.c      products of sparse ones by their patterns
 *   operations.c  one operation after the other
 *   assemble.c    all of it, and what is a result */
#ifndef JC_PLAN_ASSEMBLY_ASSEMBLY_H
#define JC_PLAN_ASSEMBLY_ASSEMBLY_H

#include "plan/assembly/draft.h"
#include "plan/assembly/entries.h"
#include "plan/assembly/made.h"
#include "plan/elimination/elimination.h"

/* One accumulated Jacobian. JC_NO_DRAFT: there is no such value so far. */
typedef struct jc_accumulated {
    jc_structure structure; /* dense in windows; indptr, indices borrowed from the elimination */
    int32_t id;             /* of the structure; -1: dense */
    int64_t of, wrt;        /* nodes */
    bool windowed;          /* its rows are those of the window */
    int64_t votes;          /* entries of operations that have rows, less those that have columns */
    jc_form form;           /* of main */
    int64_t main;           /* draft value that is added to until it is read */
    bool read;
    int64_t b;          /* the main value as a Jacobian: a step's b; JC_NO_OPERAND: not made */
    int64_t rows, cols; /* draft values: all of it as a dense matrix in the form ROWS, COLUMNS */
} jc_accumulated;

typedef struct jc_assembly {
    const jc_graph *graph;
    const jc_allocator *allocator;
    jc_plan *plan;
    const jc_elimination *elimination;
    jc_draft draft;
    jc_maker maker;
    jc_accumulated *at;  /* [elimination->n_values] */
    int64_t window_node; /* the target whose rows are taken in windows, or -1 */
    int64_t *edge_rows;  /* [n_edges of the subgraph] draft value: the window's rows of an edge */
    int64_t *edge_row;   /* [n_edges] draft value: the numbers of an edge as one row */
    int64_t *csr;        /* [n_csr] by structure: the made group of its pattern, or -1 */
    int64_t n_csr;
    int64_t ones, n_ones;            /* draft value of n_ones ones */
    int64_t inner_cost, window_cost; /* multiply-adds of what is done in every pass, and of all rows of the window */
} jc_assembly;

static inline jc_accumulated *jc_accumulated_at(const jc_assembly *as, int64_t value)
{
    return &as->at[value];
}

/* ---- forms.c ----------------------------------------------------------------------------------------------------- */

/* Rows and columns in which a structure is held in that form. */
void jc_form_shape(const jc_structure *structure, jc_form form, int64_t *rows, int64_t *cols);

/* Where entry (row, col) is among the numbers of a structure held in that form. */
int64_t jc_form_place(const jc_structure *structure, jc_form form, int64_t row, int64_t col);

/* The accumulated Jacobian is about to be added to: its main value is there and not read. A result that was read before
 * gets another one, which begins with what the first holds. */
jc_status jc_need_main(jc_assembly *as, int64_t value);

/* The b of a step that multiplies by it. */
jc_status jc_as_jacobian(jc_assembly *as, int64_t value, int64_t *b);

/* A draft value that holds it as a matrix of a structure that is as coarse or coarser (DENSE or BLOCKS), in the form
 * ROWS or COLUMNS. */
jc_status jc_as_matrix(jc_assembly *as, int64_t value, const jc_structure *coarse, jc_form form, int64_t *matrix);

/* A value of n ones in one row. */
jc_status jc_need_ones(jc_assembly *as, int64_t n, int64_t *ones);

/* Adds matrix (+)= a op(b), which has that form, to the main value; through a value of its own where main has the other
 * one. */
jc_status jc_add_product(jc_assembly *as, int64_t value, jc_form form, int64_t a, int64_t b, bool transpose);

/* Adds a draft value that holds the same in the same form and structure. */
jc_status jc_add_whole(jc_assembly *as, int64_t value, int64_t from);

/* Adds `from`, one row of n numbers of which number t belongs at place[t] (into main, each at one place), owned by the
 * function, also on failure. */
jc_status jc_add_scattered(jc_assembly *as, int64_t value, int64_t from, int64_t n, int64_t *place);

/* number t of `to` = number from_place[t] of `from`, which has n_from; `place` [n] becomes the plan's, also on failure.
 */
jc_status jc_gather(jc_assembly *as, int64_t from, int64_t n_from, int64_t n, int64_t *place, int64_t *to);

/* The entries of a structure with their places in that form, by rows. */
jc_status jc_entries_of_structure(const jc_allocator *allocator, const jc_structure *structure, jc_form form,
                                  jc_vec *entries);

/* The same of an accumulated Jacobian and its main value. */
jc_status jc_entries_of_value(const jc_assembly *as, int64_t value, jc_vec *entries);

/* ---- sparse.c ---------------------------------------------------------------------------------------------------- */

/* Adds the entries of an operand of an elimination to a structured one. */
jc_status jc_accumulate_entries(jc_assembly *as, int64_t value, int64_t operand);

/* Adds left . right, operands of an elimination, by the entries that meet. */
jc_status jc_multiply_entries(jc_assembly *as, int64_t value, int64_t left, int64_t right);

/* ---- operations.c ------------------------------------------------------------------------------------------------ */

jc_status jc_assemble_op(jc_assembly *as, const jc_elimination_op *op);

/* ---- assemble.c -------------------------------------------------------------------------------------------------- */

/* Values, steps, levels, outputs and costs of a plan whose subgraph and row limit are set, by that elimination.
 * all_pairs: results without a path are listed as zeros. */
jc_status jc_assemble(jc_plan *plan, const jc_elimination *elimination, bool all_pairs);

#endif
