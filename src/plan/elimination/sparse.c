/* Markowitz for graphs of any size: the node v of least size(v) (sum of sizes into it) (sum of sizes out of it), kept
 * up to date by every pair that comes and goes, in a heap. When it only contracts, a node is left where eliminating it
 * would make more entries than it removes: what a sweep over the rest costs grows with those. */
#include "core/size.h"
#include "plan/elimination/fill.h"
#include "plan/elimination/search.h"

enum { GONE = -1, LEFT = -2 };

typedef struct sparse {
    jc_fill fill;
    const jc_pairs *pairs;
    const jc_sparse *how;
    int64_t products, cost;
    double *sum_in, *sum_out; /* [nodes] sizes of the nodes before and behind it */
    double *key;              /* [nodes] as the heap has them */
    int64_t n_heap;
    int64_t *heap;  /* [nodes] nodes; the first one is next */
    int64_t *place; /* [nodes] in the heap, or one of these */
} sparse;

/* ---- heap -------------------------------------------------------------------------------------------------------- */

static double key_of(const sparse *s, int64_t node)
{
    return s->sum_in[node] * s->sum_out[node] * (double)s->pairs->subgraph->size[node];
}

static bool before(const sparse *s, int64_t a, int64_t b)
{
    double x = s->key[a], y = s->key[b];
    return x != y ? x < y : s->how->late ? a > b : a < b;
}

static void put(sparse *s, int64_t place, int64_t node)
{
    s->heap[place] = node;
    s->place[node] = place;
}

static void rise(sparse *s, int64_t place)
{
    int64_t node = s->heap[place];
    for (; place > 0 && before(s, node, s->heap[(place - 1) / 2]); place = (place - 1) / 2)
        put(s, place, s->heap[(place - 1) / 2]);
    put(s, place, node);
}

static void sink(sparse *s, int64_t place)
{
    int64_t node = s->heap[place];
    for (int64_t child = 2 * place + 1; child < s->n_heap; child = 2 * place + 1) {
        if (child + 1 < s->n_heap && before(s, s->heap[child + 1], s->heap[child])) child++;
        if (!before(s, s->heap[child], node)) break;
        put(s, place, s->heap[child]);
        place = child;
    }
    put(s, place, node);
}

static int64_t take_first(sparse *s)
{
    int64_t node = s->heap[0];
    s->place[node] = LEFT;
    s->n_heap--;
    if (s->n_heap) put(s, 0, s->heap[s->n_heap]), sink(s, 0);
    return node;
}

/* To its place after its key changed; one that was left comes back. */
static void renew(sparse *s, int64_t node)
{
    if (s->place[node] == GONE) return;
    if (s->place[node] == LEFT) put(s, s->n_heap++, node);
    s->key[node] = key_of(s, node);
    rise(s, s->place[node]);
    sink(s, s->place[node]);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

static void count_pair(sparse *s, int64_t of, int64_t wrt, int sign)
{
    s->sum_in[of] += sign * (double)s->pairs->subgraph->size[wrt];
    s->sum_out[wrt] += sign * (double)s->pairs->subgraph->size[of];
}

/* The pairs of a node that go with it. */
static void uncount(sparse *s, int64_t node)
{
    const jc_fill *f = &s->fill;
    for (int64_t p = f->first_in[node]; p >= 0 && !s->pairs->is_target[node]; p = jc_fill_at(f, p)->next_in)
        count_pair(s, node, jc_fill_at(f, p)->wrt, -1);
    for (int64_t p = f->first_out[node]; p >= 0 && !s->pairs->is_source[node]; p = jc_fill_at(f, p)->next_out)
        count_pair(s, jc_fill_at(f, p)->of, node, -1);
}

static jc_status join(sparse *s, int64_t left, int64_t right)
{
    int64_t pair, n = s->fill.at.count;
    int32_t product;
    jc_status status = jc_fill_add_product(&s->fill, left, right, &pair, &product);
    if (status) return status;
    const jc_fill_pair *p = jc_fill_at(&s->fill, pair);
    if (s->fill.at.count > n) count_pair(s, p->of, p->wrt, 1);
    return JC_OK;
}

/* Its factors' far ends are joined. */
static jc_status join_all(sparse *s, const jc_factors *f)
{
    const jc_fill *fill = &s->fill;
    const int64_t *left = fill->left_at.data, *right = fill->right_at.data;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < f->n_left && !status; i++)
        for (int64_t j = 0; j < f->n_right && !status; j++) status = join(s, left[i], right[j]);
    return status;
}

static bool too_much(const sparse *s)
{
    return s->products > s->how->most || (s->how->bound != INT64_MAX && s->cost >= s->how->bound);
}

static jc_status eliminate(sparse *s, int64_t node)
{
    jc_factors f;
    jc_fill *fill = &s->fill;
    jc_status status = jc_fill_factors(fill, node, JC_PRODUCTS_FREE, &f);
    if (status) return status;
    s->products = jc_cost_add(s->products, jc_cost_mul(f.n_left, f.n_right));
    if (s->products > s->how->most) return JC_OK;
    s->cost = jc_cost_add(s->cost, jc_factors_cost(&f, JC_PRODUCTS_FREE));
    status = f.status ? f.status : join_all(s, &f);
    if (status) return status;
    uncount(s, node);
    jc_fill_remove(fill, node);
    s->place[node] = GONE;
    const int64_t *left = fill->left_at.data, *right = fill->right_at.data;
    for (int64_t i = 0; i < f.n_left; i++) renew(s, jc_fill_at(fill, left[i])->of);
    for (int64_t j = 0; j < f.n_right; j++) renew(s, jc_fill_at(fill, right[j])->wrt);
    return JC_OK;
}

static jc_status product_entries(const jc_fill *f, int64_t left, int64_t right, int64_t *entries)
{
    const jc_fill_pair *l = jc_fill_at(f, left), *r = jc_fill_at(f, right);
    int32_t product;
    *entries = jc_pair_entries(f->pairs, l->of, r->wrt);
    if (!f->structures) return JC_OK;
    jc_status status = jc_structures_product(f->structures, l->structure, r->structure, &product);
    if (!status) *entries = jc_structures_at(f->structures, product)->entries;
    return status;
}

/* Entries of the pairs that eliminating a node would make, less those of its own. */
static jc_status growth(const sparse *s, int64_t node, int64_t *grown)
{
    enum { MANY = 256 };
    const jc_fill *f = &s->fill;
    int64_t made = 0, removed = 0, entries;
    jc_status status = JC_OK;
    *grown = 1;
    if (jc_cost_mul(f->n_in[node], f->n_out[node]) > MANY) return JC_OK;
    for (int64_t p = f->first_out[node]; p >= 0; p = jc_fill_at(f, p)->next_out) {
        int64_t of = jc_fill_at(f, p)->of;
        removed = jc_cost_add(removed, jc_fill_held(f, p));
        for (int64_t q = f->first_in[node]; q >= 0 && !status; q = jc_fill_at(f, q)->next_in) {
            if (jc_fill_find(f, of, jc_fill_at(f, q)->wrt) >= 0) continue;
            status = product_entries(f, p, q, &entries);
            made = jc_cost_add(made, entries);
        }
    }
    for (int64_t q = f->first_in[node]; q >= 0; q = jc_fill_at(f, q)->next_in)
        removed = jc_cost_add(removed, jc_fill_held(f, q));
    *grown = made - removed;
    return status;
}

/* The heap, then the nodes that were left, as a sweep takes them. */
static jc_status run(sparse *s, int64_t *order)
{
    const jc_pairs *p = s->pairs;
    jc_status status = JC_OK;
    int64_t n = 0;
    while (s->n_heap && s->how->way != JC_SPARSE_SWEEP && !status && !too_much(s)) {
        int64_t node = take_first(s);
        int64_t grown = 0;
        if (s->how->way == JC_SPARSE_CONTRACT) status = growth(s, node, &grown);
        if (grown <= 0 && !status) status = eliminate(s, order[n++] = node);
    }
    for (int64_t i = 0; i < p->n_inner && !status && !too_much(s); i++) {
        int64_t node = p->inner[s->how->late ? p->n_inner - 1 - i : i];
        if (s->place[node] != GONE) status = eliminate(s, order[n++] = node);
    }
    return status;
}

static void start(sparse *s)
{
    const jc_pairs *p = s->pairs;
    for (int64_t i = 0; i < p->n_pairs; i++) count_pair(s, p->pairs[i].of, p->pairs[i].wrt, 1);
    for (int64_t v = 0; v < p->n_nodes; v++) s->place[v] = GONE, s->key[v] = key_of(s, v);
    for (int64_t i = 0; i < p->n_inner; i++) put(s, s->n_heap++, p->inner[i]);
    for (int64_t i = s->n_heap / 2; i-- > 0;) sink(s, i);
    s->cost = jc_fill_convert_results(&s->fill);
}

static jc_status allocate(sparse *s)
{
    const jc_allocator *a = s->pairs->allocator;
    const char *what = "an order of elimination";
    int64_t n = s->pairs->n_nodes;
    jc_status status = jc_alloc_zero(a, n, sizeof *s->sum_in, what, &s->sum_in);
    if (!status) status = jc_alloc_zero(a, n, sizeof *s->sum_out, what, &s->sum_out);
    if (!status) status = jc_alloc(a, n, sizeof *s->key, what, &s->key);
    if (!status) status = jc_alloc(a, n, sizeof *s->heap, what, &s->heap);
    if (!status) status = jc_alloc(a, n, sizeof *s->place, what, &s->place);
    return status;
}

jc_status jc_sparse_order(const jc_pairs *pairs, const jc_sparse *how, bool *found, int64_t *order, int64_t *cost,
                          int64_t *products)
{
    const jc_allocator *a = pairs->allocator;
    int64_t n = pairs->n_nodes;
    sparse s = {.pairs = pairs, .how = how};
    jc_status status = jc_fill_init(&s.fill, pairs);
    if (status) return status;
    status = allocate(&s);
    if (!status) {
        start(&s);
        status = run(&s, order);
    }
    if (!status) *found = !too_much(&s), *cost = s.cost, *products = s.products;
    jc_free(a, s.sum_in, n, sizeof *s.sum_in);
    jc_free(a, s.sum_out, n, sizeof *s.sum_out);
    jc_free(a, s.key, n, sizeof *s.key);
    jc_free(a, s.heap, n, sizeof *s.heap);
    jc_free(a, s.place, n, sizeof *s.place);
    jc_fill_fini(&s.fill);
    return status;
}
