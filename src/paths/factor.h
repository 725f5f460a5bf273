/* The forms of one total as a formula: the sum over its paths, or factored, in the order of a sweep. A form is the list
 * of the products that are formed; what it looks like is the caller's business.
 *
 *   paths     dT/dS = sum over paths of the product of their D, each formed on its own from the target's side
 *   reverse   dT/dv = sum over edges u <- v of (dT/du) D[u,v],      dT/dT = I, from the target to the source
 *   forward   dv/dS = sum over edges v <- u of D[v,u] (du/dS),      dS/dS = I, from the source to the target
 *
 * (Griewank & Walther, Evaluating Derivatives, 2nd ed., 2008, ch. 3.) */
#ifndef JC_PATHS_FACTOR_H
#define JC_PATHS_FACTOR_H

#include "rules/walk.h"

/* One term of one matrix: d of/d wrt takes (d of/d via) D[via,wrt] (adjoint) or D[of,via] (d via/d wrt) (tangent); via
 * is the target (source) itself where the term is the edge alone. */
typedef struct jc_factor_step {
    int64_t of, via, wrt; /* nodes of the walk */
    int64_t edge;         /* the graph's, whose D it is */
} jc_factor_step;

/* A factored form. */
typedef struct jc_factor {
    jc_factor_step *steps; /* [n_steps] in the order in which they are formed, those of one d of/d wrt side by side: the
                              edge alone first, then by edge number. The last ones are those of the total */
    int64_t n_steps;
    int64_t multiply_adds; /* as a plan of that order counts them; saturates at INT64_MAX */
} jc_factor;

/* The form of the order, REVERSE or FORWARD, for a walk of one target and one source: no steps where they are the same
 * or there is no path. Cost: linear in the walk. */
jc_status jc_factor_create(const jc_walk *walk, jc_order order, jc_factor *factor);
void jc_factor_fini(const jc_allocator *allocator, jc_factor *factor);

enum { JC_FACTOR_MOST_TERMS = 1000, JC_FACTOR_MOST_FACTORS = 1000000 };

/* One path of a list: its edges from the source on, borrowed from the list. */
typedef struct jc_factor_path {
    const int64_t *edges;
    int64_t n_edges;
} jc_factor_path;

/* All paths, in the order of jc_paths_next. */
typedef struct jc_factor_paths {
    bool too_many; /* there are over MOST_TERMS of them, or over MOST_FACTORS edges on them: none is listed */
    int64_t n;
    jc_factor_path *paths; /* [n] */
    jc_vec edges;          /* int64_t */
    int64_t multiply_adds; /* of forming each product on its own; saturates */
} jc_factor_paths;

/* Lists what is left of `paths`. Errors: JC_E_MEMORY. */
jc_status jc_factor_paths_create(const jc_graph *graph, jc_paths *paths, jc_factor_paths *list);
void jc_factor_paths_fini(const jc_allocator *allocator, jc_factor_paths *list);

/* Sorts the list so that paths with the same edge out of the source (REVERSE) or into the target (FORWARD) stand side
 * by side: the path of one edge first, then by the number of that edge; among them the shorter first, then by edge
 * numbers as the product is read, from the target (REVERSE), or from the source (FORWARD). */
void jc_factor_paths_group(jc_factor_paths *list, jc_order order);

#endif
