/* The search of the paths of largest norm.
 *
 * Best first (A*: Hart, Nilsson & Raphael, IEEE Trans. Syst. Sci. Cybern. 4, 1968): partial paths wait in a heap by the
 * bound of what they can become (top_bounds.h). The first one is extended by every edge; of what it becomes the best is
 * extended at once, down to the end, so that whole paths are there early, and the others wait. Once k paths are known,
 * a partial path whose bound is below the worst of them is let go. Where the bounds are exact, as for scalar variables,
 * only what is listed is gone through.
 *
 * A partial path is its last edge and the partial path before it, which it shares with others. Its product is held
 * while it waits. */
#ifndef JC_RUN_TOP_SEARCH_H
#define JC_RUN_TOP_SEARCH_H

#include "core/heap.h"
#include "graph/table.h"
#include "paths/paths.h"
#include "run/norm.h"
#include "run/top_bounds.h"

typedef struct jc_partial {
    int64_t parent;  /* -1: none, it is `start` itself */
    int64_t edge;    /* of the walk */
    int64_t depth;   /* edges */
    int64_t refs;    /* partial paths behind it, and 1 while it waits, is extended or is listed */
    double *product; /* [rows x size of its node]; NULL: the identity, or not held */
    double bound;    /* of what it can become, not above that of its parent */
    double key;      /* the estimate of its own; of a whole path: its norm */
    double error;    /* the product is that far from the exact one at most, in the Frobenius norm */
    double value;    /* of a whole path between scalars: its product */
    uint64_t hash;   /* of its edges */
    bool listed;     /* it is a path of `listed` now */
} jc_partial;

typedef struct jc_top_search {
    jc_allocator allocator;
    const jc_top_bounds *bounds; /* borrowed */
    jc_norm norm;
    int64_t k;
    int64_t partial_limit; /* partial paths that are looked at; 0: work_limit holds instead */
    int64_t work_limit, memory_limit;
    jc_progress progress;

    const int64_t *start, *list; /* of a node the edges list[start[v] ..]; list NULL: start[v] .. themselves */
    int64_t *in_start;           /* owned, where it goes from the target */

    jc_vec partials;  /* jc_partial */
    int64_t free_one; /* of those not in use the first, by their `parent`; -1: none */
    int64_t bytes;    /* of those in use and their products */
    jc_heap open;     /* waiting, the best first */
    jc_heap listed;   /* whole paths, the worst first; at most k */
    jc_table known;   /* whole paths that are, or were, listed, by their hashes */

    int64_t looked_at, work;
    bool has_beam;      /* top_beam.c was there */
    int64_t ties_since; /* looked_at when only ties were left; -1: not yet */
    bool any_unseen;    /* some partial path was let go */
    double unseen;      /* bound of what those could become */
} jc_top_search;

/* Finds the paths; *s has the fields up to `progress` set. jc_top_search_fini after it, also where it fails. */
jc_status jc_top_search_run(jc_top_search *s, const jc_paths *paths);
void jc_top_search_fini(jc_top_search *s);

/* Whether the paths listed are those of largest norm but for rounding: docs/numerics.md. */
bool jc_top_search_is_exact(const jc_top_search *s);

/* All that a partial path becomes by one edge more: `place` takes what is no whole path and worth it, in the order of
 * the edges. The partial path is released. */
typedef jc_status jc_top_place(void *ctx, int64_t partial);
jc_status jc_top_extend(jc_top_search *s, int64_t partial, jc_top_place *place, void *ctx);

/* What extending a partial path by an edge of the walk counts. */
int64_t jc_top_work(const jc_top_search *s, int64_t edge);

/* top_beam.c: lists what a beam through the walk finds. Cost: a quarter of the limit. */
jc_status jc_top_beam(jc_top_search *s);

/* top_store.c: partial paths. */
static inline jc_partial *jc_top_partial(const jc_top_search *s, int64_t i)
{
    return (jc_partial *)s->partials.data + i;
}
int64_t jc_top_node(const jc_top_search *s, int64_t partial);
/* The one that `parent` (-1: none) becomes by an edge, with room for its product. */
jc_status jc_top_partial_create(jc_top_search *s, int64_t parent, int64_t edge, int64_t *partial);
void jc_top_partial_release(jc_top_search *s, int64_t partial);
void jc_top_product_free(jc_top_search *s, int64_t partial);
/* Orders of the two heaps. */
bool jc_top_open_before(const void *search, int64_t a, int64_t b);
bool jc_top_listed_before(const void *search, int64_t a, int64_t b);
/* Whether two whole paths have the same edges. */
bool jc_top_is_same(const jc_top_search *s, int64_t a, int64_t b);
/* As numbers, with NaN above all. */
int jc_top_compare(double a, double b);

#endif
