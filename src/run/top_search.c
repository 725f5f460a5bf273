#include "run/top_search.h"

#include <math.h>

#include "backend/reference/reference.h"
#include "backend/reference/roundoff.h"
#include "core/dtype.h"
#include "core/progress.h"
#include "core/size.h"

static const char *const WHAT = "partial paths";

enum {
    PARTIAL_WORK = 256, /* what a partial path costs beside its products, in multiply-adds */
    TIES = 20000        /* partial paths that are looked at when only ties can be better */
};

static const double most_rounding = 0x1p-30; /* relative */

/* ---- what was found, and what was let go ---------------------------------------------------------------------------
 */

static void note_unseen(jc_top_search *s, int64_t partial)
{
    double bound = jc_top_partial(s, partial)->bound;
    if (!s->any_unseen || jc_top_compare(bound, s->unseen) > 0) s->unseen = bound;
    s->any_unseen = true;
}

static void let_go(jc_top_search *s, int64_t partial)
{
    note_unseen(s, partial);
    jc_top_partial_release(s, partial);
}

static bool is_full(const jc_top_search *s)
{
    return s->listed.items.count == s->k;
}

/* The smallest norm listed. */
static double least(const jc_top_search *s)
{
    return jc_top_partial(s, jc_heap_first(&s->listed))->key;
}

static bool is_hopeless(const jc_top_search *s, int64_t partial)
{
    return is_full(s) && jc_top_partial(s, partial)->bound < least(s);
}

/* A singular value to 46 bits, some bits less than LAPACK's error leaves: so that equal ones are equal, and are listed
 * by edge numbers. */
static double without_noise(double x)
{
    int exponent;
    if (!isfinite(x)) return x;
    double fraction = frexp(x, &exponent);
    return ldexp(nearbyint(ldexp(fraction, 46)), exponent - 46);
}

/* The key of a whole path, its Frobenius norm, becomes the norm asked for. */
static jc_status measure(jc_top_search *s, int64_t partial)
{
    jc_partial *p = jc_top_partial(s, partial);
    int64_t size = jc_top_size(s->bounds, s->bounds->end);
    jc_result product = {.blocks = 1,
                         .rows = s->bounds->rows,
                         .cols = size,
                         .kind = JC_RESULT_MATRIX,
                         .dtype = JC_F64,
                         .data = p->product,
                         .row_stride = size,
                         .col_stride = 1};
    p->value = p->product[0];
    if (s->norm == JC_NORM_FROBENIUS || is_hopeless(s, partial)) return JC_OK;
    jc_status status = jc_result_norm(&s->allocator, &product, s->norm, &p->key);
    p->key = without_noise(p->key);
    return status;
}

typedef struct same_path {
    const jc_top_search *search;
    int64_t partial;
} same_path;

static bool is_same_and_listed(const void *ctx, int64_t known)
{
    const same_path *key = ctx;
    return jc_top_partial(key->search, known)->listed && jc_top_is_same(key->search, known, key->partial);
}

/* Whether a whole path is listed already: what the beam found, the search finds again, with the same bits. */
static bool is_listed(const jc_top_search *s, int64_t partial)
{
    same_path key = {s, partial};
    return jc_table_find(&s->known, jc_top_partial(s, partial)->hash, is_same_and_listed, &key) >= 0;
}

static jc_status list(jc_top_search *s, int64_t partial)
{
    jc_status status = jc_table_reserve(&s->allocator, &s->known, 1, WHAT);
    if (!status) status = jc_heap_push(&s->allocator, &s->listed, partial, WHAT);
    if (status) return status;
    jc_top_partial(s, partial)->listed = true;
    jc_table_insert(&s->known, jc_top_partial(s, partial)->hash, partial);
    return JC_OK;
}

static void drop_worst(jc_top_search *s)
{
    int64_t worst = jc_heap_pop(&s->listed);
    jc_top_partial(s, worst)->listed = false;
    jc_top_partial_release(s, worst);
}

/* Takes a whole path into the list, where it belongs there. */
static jc_status offer(jc_top_search *s, int64_t partial)
{
    jc_status status = measure(s, partial);
    if (status) return status;
    jc_top_product_free(s, partial);
    if ((is_full(s) && !jc_top_listed_before(s, jc_heap_first(&s->listed), partial)) || is_listed(s, partial)) {
        jc_top_partial_release(s, partial);
        return JC_OK;
    }
    if (is_full(s)) drop_worst(s);
    return list(s, partial);
}

/* ---- extending ----------------------------------------------------------------------------------------------------
 */

int64_t jc_top_work(const jc_top_search *s, int64_t edge)
{
    const jc_top_bounds *b = s->bounds;
    int64_t node = jc_top_next(b, edge), size = jc_top_size(b, node);
    int64_t bound = isinf(b->trace[node]) || node == b->end ? b->columns : b->columns + size;
    int64_t product = jc_group_cost(jc_graph_group(b->walk->graph, b->walk->edge[edge]), 0, JC_TANGENT);
    return jc_cost_add(PARTIAL_WORK, jc_cost_mul(b->rows, jc_cost_add(product, jc_cost_mul(bound, size))));
}

/* P = P_parent op(D), and how far it may be from the exact product:
 *   error = error_parent |D|_2 + gamma_n |P_parent|_F | |D| |_2 + what underflow adds */
static jc_status multiply(jc_top_search *s, int64_t parent, int64_t partial, double parent_norm)
{
    const jc_top_bounds *b = s->bounds;
    const jc_partial *from = jc_top_partial(s, parent);
    jc_partial *to = jc_top_partial(s, partial);
    jc_jac jac = jc_top_jacobian(b->walk, to->edge);
    jc_step step = {.n_rows = b->rows, .transpose = b->forward, .first = true};
    step.a = from->parent < 0 ? JC_SEED_IDENTITY : 0;
    jc_roundoff roundoff = jc_roundoff_of(JC_PRECISION_F64);
    int64_t size = jc_top_size(b, jc_top_node(s, partial));
    double n = (double)jc_step_roundings(jac.group, false, step.transpose) + JC_TERM_ROUNDINGS;
    double norm = b->edge_norm[to->edge];
    jc_status status = jc_reference_step(NULL, &jac, &step, NULL, 0, b->rows, from->product, to->product, b->scratch);
    to->error = (from->error + jc_gamma(n, roundoff.sum) * parent_norm) * norm;
    to->error += n * jc_step_growth(&jac, step.transpose) * roundoff.subnormal * sqrt((double)b->rows * (double)size);
    s->work = jc_cost_add(s->work, jc_top_work(s, to->edge));
    s->looked_at++;
    return status;
}

static jc_status extend_by(jc_top_search *s, int64_t parent, double parent_norm, int64_t edge, jc_top_place *place,
                           void *ctx)
{
    const jc_top_bounds *b = s->bounds;
    int64_t partial;
    jc_status status = jc_top_partial_create(s, parent, edge, &partial);
    if (status) return status;
    if ((status = multiply(s, parent, partial, parent_norm))) return status;
    int64_t node = jc_top_node(s, partial);
    jc_partial *p = jc_top_partial(s, partial);
    double norm = jc_top_norm(p->product, b->rows * jc_top_size(b, node));
    p->key = node == b->end ? norm : jc_top_estimate(b, node, p->product, norm);
    p->bound = jc_top_bound(b, node, p->key, p->error);
    if (!isnan(p->bound)) p->bound = fmin(p->bound, jc_top_partial(s, parent)->bound);
    if (node == b->end) return offer(s, partial);
    if (is_hopeless(s, partial)) {
        let_go(s, partial);
        return JC_OK;
    }
    return place(ctx, partial);
}

jc_status jc_top_extend(jc_top_search *s, int64_t partial, jc_top_place *place, void *ctx)
{
    const jc_top_bounds *b = s->bounds;
    int64_t node = jc_top_node(s, partial);
    const jc_partial *p = jc_top_partial(s, partial);
    double norm = p->product ? jc_top_norm(p->product, b->rows * jc_top_size(b, node)) : sqrt((double)b->rows);
    jc_status status = JC_OK;
    for (int64_t i = s->start[node]; i < s->start[node + 1] && !status; i++)
        status = extend_by(s, partial, norm, s->list ? s->list[i] : i, place, ctx);
    jc_top_product_free(s, partial);
    jc_top_partial_release(s, partial);
    return status;
}

/* Where memory runs short the better half of those that wait stays, at least as many as there are to be paths. */
static jc_status shrink(jc_top_search *s)
{
    int64_t least_kept = jc_max(1, s->k - s->listed.items.count);
    while (s->bytes > s->memory_limit && s->open.items.count > least_kept) {
        jc_heap kept = jc_heap_of(s->open.before, s->open.ctx);
        int64_t n = jc_max(s->open.items.count / 2, least_kept);
        jc_status status = jc_vec_reserve(&s->allocator, &kept.items, n, WHAT);
        if (status) return status;
        for (int64_t i = 0; i < n; i++) jc_heap_push(&s->allocator, &kept, jc_heap_pop(&s->open), WHAT);
        for (int64_t i = 0; i < s->open.items.count; i++) let_go(s, ((const int64_t *)s->open.items.data)[i]);
        jc_vec_free(&s->allocator, &s->open.items);
        s->open = kept;
    }
    return JC_OK;
}

typedef struct chooser {
    jc_top_search *search;
    int64_t best; /* of what a partial path became; -1: nothing */
} chooser;

/* The best is kept aside, the others wait. */
static jc_status choose(void *ctx, int64_t partial)
{
    chooser *c = ctx;
    const jc_top_search *s = c->search;
    int64_t waits = partial;
    if (c->best < 0 || jc_top_compare(jc_top_partial(s, partial)->key, jc_top_partial(s, c->best)->key) > 0) {
        waits = c->best;
        c->best = partial;
    }
    return waits < 0 ? JC_OK : jc_heap_push(&s->allocator, &c->search->open, waits, WHAT);
}

/* Extends a partial path to the end by the best edge each time. */
static jc_status dive(jc_top_search *s, int64_t partial)
{
    jc_status status = JC_OK;
    while (partial >= 0 && !status) {
        chooser c = {s, -1};
        status = jc_top_extend(s, partial, choose, &c);
        if (!status) status = shrink(s);
        partial = c.best;
    }
    return status;
}

/* ---- the end ------------------------------------------------------------------------------------------------------
 */

/* What the worst norm listed may be exceeded by and still be equal but for rounding: not more than one would call so,
 * whatever the bounds on rounding are. */
static double tolerance(const jc_top_search *s)
{
    double rounding = 4 * s->bounds->relative * least(s) + 2 * jc_top_partial(s, jc_heap_first(&s->listed))->error;
    return fmin(rounding, most_rounding * least(s));
}

/* Whether nothing that waits is worth looking at, or the work is used up. Not before k paths are known. */
static bool is_done(jc_top_search *s)
{
    if (!s->open.items.count) return true;
    if (!is_full(s)) return false;
    double bound = jc_top_partial(s, jc_heap_first(&s->open))->bound, norm = least(s);
    if (bound < norm) return true;
    if (s->ties_since < 0 && bound <= norm + tolerance(s)) s->ties_since = s->looked_at;
    if (s->ties_since >= 0 && s->looked_at - s->ties_since > TIES) return true;
    return s->partial_limit ? s->looked_at >= s->partial_limit : s->work >= s->work_limit;
}

/* Where a fourth of the limit did not do, and the bounds are not exact. */
static bool wants_beam(const jc_top_search *s)
{
    if (s->has_beam || s->bounds->is_scalar) return false;
    return s->partial_limit ? s->looked_at >= s->partial_limit / 4 : s->work >= s->work_limit / 4;
}

bool jc_top_search_is_exact(const jc_top_search *s)
{
    if (!s->any_unseen) return true;
    return is_full(s) && isfinite(s->unseen) && s->unseen <= least(s) + tolerance(s);
}

/* ---- all of it ----------------------------------------------------------------------------------------------------
 */

/* The edges into each node are next to each other. */
static jc_status find_in_edges(jc_top_search *s)
{
    const jc_walk *w = s->bounds->walk;
    jc_status status = jc_alloc_zero(&s->allocator, w->n_nodes + 1, sizeof *s->in_start, WHAT, &s->in_start);
    if (status) return status;
    for (int64_t i = 0; i < w->n_edges; i++) s->in_start[w->of[i] + 1]++;
    for (int64_t v = 0; v < w->n_nodes; v++) s->in_start[v + 1] += s->in_start[v];
    s->start = s->in_start;
    return JC_OK;
}

static jc_status prepare(jc_top_search *s, const jc_paths *paths)
{
    s->start = paths->start, s->list = paths->out;
    s->partials = jc_vec_of(sizeof(jc_partial));
    s->open = jc_heap_of(jc_top_open_before, s);
    s->listed = jc_heap_of(jc_top_listed_before, s);
    s->free_one = s->ties_since = -1;
    if (s->bounds->forward) return JC_OK;
    s->list = NULL;
    return find_in_edges(s);
}

jc_status jc_top_search_run(jc_top_search *s, const jc_paths *paths)
{
    int64_t partial;
    jc_status status = prepare(s, paths);
    if (!status) status = jc_top_partial_create(s, -1, -1, &partial);
    if (!status) status = dive(s, partial);
    while (!status && !is_done(s)) {
        bool beam = wants_beam(s);
        s->has_beam |= beam;
        status = beam ? jc_top_beam(s) : dive(s, jc_heap_pop(&s->open));
        jc_progress_tell(&s->progress, "partial paths", s->looked_at, s->partial_limit);
    }
    for (int64_t i = 0; i < s->open.items.count && !status; i++)
        note_unseen(s, ((const int64_t *)s->open.items.data)[i]);
    return status;
}

void jc_top_search_fini(jc_top_search *s)
{
    const jc_allocator *a = &s->allocator;
    for (int64_t i = 0; i < s->partials.count; i++)
        if (jc_top_partial(s, i)->product) jc_top_product_free(s, i);
    jc_vec_free(a, &s->partials);
    jc_vec_free(a, &s->open.items);
    jc_vec_free(a, &s->listed.items);
    jc_table_free(a, &s->known);
    if (s->in_start) jc_free(a, s->in_start, s->bounds->walk->n_nodes + 1, sizeof *s->in_start);
}
