/* Partial paths in a pool, and their orders. */
#include <math.h>

#include "core/size.h"
#include "run/top_search.h"

static const char *const WHAT = "partial paths";

static const jc_walk *walk_of(const jc_top_search *s)
{
    return s->bounds->walk;
}

int64_t jc_top_node(const jc_top_search *s, int64_t partial)
{
    const jc_partial *p = jc_top_partial(s, partial);
    return p->parent < 0 ? s->bounds->start : jc_top_next(s->bounds, p->edge);
}

static int64_t product_numbers(const jc_top_search *s, int64_t node)
{
    return jc_cost_mul(s->bounds->rows, jc_top_size(s->bounds, node));
}

/* A place in the pool: one that was given back, or a new one. */
static jc_status take_place(jc_top_search *s, int64_t *place)
{
    if (s->free_one >= 0) {
        *place = s->free_one;
        s->free_one = jc_top_partial(s, *place)->parent;
        return JC_OK;
    }
    jc_status status = jc_vec_append(&s->allocator, &s->partials, NULL, 1, WHAT);
    if (!status) *place = s->partials.count - 1;
    return status;
}

jc_status jc_top_partial_create(jc_top_search *s, int64_t parent, int64_t edge, int64_t *partial)
{
    int64_t place, numbers = parent < 0 ? 0 : product_numbers(s, jc_top_next(s->bounds, edge));
    double *product = NULL;
    jc_status status = numbers ? jc_alloc(&s->allocator, numbers, sizeof *product, WHAT, &product) : JC_OK;
    if (status) return status;
    if ((status = take_place(s, &place))) {
        jc_free(&s->allocator, product, numbers, sizeof *product);
        return status;
    }
    *jc_top_partial(s, place) =
        (jc_partial){.parent = parent, .edge = edge, .refs = 1, .product = product, .bound = INFINITY};
    if (parent >= 0) {
        uint64_t h = (jc_top_partial(s, parent)->hash ^ (uint64_t)edge) * UINT64_C(0x9E3779B97F4A7C15);
        jc_top_partial(s, place)->hash = h ^ h >> 32;
        jc_top_partial(s, parent)->refs++;
        jc_top_partial(s, place)->depth = jc_top_partial(s, parent)->depth + 1;
    }
    s->bytes += (int64_t)sizeof(jc_partial) + numbers * (int64_t)sizeof *product;
    *partial = place;
    return JC_OK;
}

void jc_top_product_free(jc_top_search *s, int64_t partial)
{
    jc_partial *p = jc_top_partial(s, partial);
    if (!p->product) return;
    int64_t numbers = product_numbers(s, jc_top_node(s, partial));
    jc_free(&s->allocator, p->product, numbers, sizeof *p->product);
    s->bytes -= numbers * (int64_t)sizeof *p->product;
    p->product = NULL;
}

void jc_top_partial_release(jc_top_search *s, int64_t partial)
{
    while (partial >= 0 && --jc_top_partial(s, partial)->refs == 0) {
        jc_partial *p = jc_top_partial(s, partial);
        int64_t parent = p->parent;
        jc_top_product_free(s, partial);
        p->parent = s->free_one;
        s->free_one = partial;
        s->bytes -= (int64_t)sizeof *p;
        partial = parent;
    }
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

int jc_top_compare(double a, double b)
{
    if (isnan(a) || isnan(b)) return (isnan(a) ? 1 : 0) - (isnan(b) ? 1 : 0);
    return (a > b) - (a < b);
}

static int64_t edge_number(const jc_top_search *s, int64_t partial)
{
    return walk_of(s)->edge[jc_top_partial(s, partial)->edge];
}

/* Partial paths from the source: the edges where the two part are the ones to compare. */
static bool before_from_source(const jc_top_search *s, int64_t a, int64_t b)
{
    while (jc_top_partial(s, a)->depth > jc_top_partial(s, b)->depth) a = jc_top_partial(s, a)->parent;
    while (jc_top_partial(s, b)->depth > jc_top_partial(s, a)->depth) b = jc_top_partial(s, b)->parent;
    while (jc_top_partial(s, a)->parent != jc_top_partial(s, b)->parent) {
        a = jc_top_partial(s, a)->parent;
        b = jc_top_partial(s, b)->parent;
    }
    return edge_number(s, a) < edge_number(s, b);
}

/* Whole paths from the target: their last edges are those at the source. */
static bool before_from_target(const jc_top_search *s, int64_t a, int64_t b)
{
    while (a != b && edge_number(s, a) == edge_number(s, b)) {
        a = jc_top_partial(s, a)->parent;
        b = jc_top_partial(s, b)->parent;
    }
    return a != b && edge_number(s, a) < edge_number(s, b);
}

bool jc_top_is_same(const jc_top_search *s, int64_t a, int64_t b)
{
    if (jc_top_partial(s, a)->depth != jc_top_partial(s, b)->depth) return false;
    while (a != b) {
        if (jc_top_partial(s, a)->edge != jc_top_partial(s, b)->edge) return false;
        a = jc_top_partial(s, a)->parent;
        b = jc_top_partial(s, b)->parent;
        if (a < 0 || b < 0) break;
    }
    return true;
}

bool jc_top_open_before(const void *search, int64_t a, int64_t b)
{
    const jc_top_search *s = search;
    const jc_partial *p = jc_top_partial(s, a), *q = jc_top_partial(s, b);
    int order = jc_top_compare(p->bound, q->bound);
    if (!order) order = jc_top_compare(p->key, q->key);
    if (order) return order > 0;
    if (s->bounds->forward) return before_from_source(s, a, b);
    return p->depth != q->depth ? p->depth > q->depth : a < b;
}

bool jc_top_listed_before(const void *search, int64_t a, int64_t b)
{
    const jc_top_search *s = search;
    int order = jc_top_compare(jc_top_partial(s, a)->key, jc_top_partial(s, b)->key);
    if (order) return order < 0;
    return s->bounds->forward ? before_from_source(s, b, a) : before_from_target(s, b, a);
}
