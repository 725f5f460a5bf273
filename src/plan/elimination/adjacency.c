#include "plan/elimination/adjacency.h"

#include <string.h>

#include "core/size.h"

static const char *const WHAT = "the search for an order of elimination";

static void set_bit(uint64_t *set, int64_t i)
{
    set[i >> 6] |= UINT64_C(1) << (i & 63);
}

static void clear_bit(uint64_t *set, int64_t i)
{
    set[i >> 6] &= ~(UINT64_C(1) << (i & 63));
}

static bool is_plain(const jc_pairs *p)
{
    for (int64_t i = 0; i < p->n_pairs && !p->structures; i++)
        if (p->pairs[i].explicit_cost < jc_pair_entries(p, p->pairs[i].of, p->pairs[i].wrt)) return false;
    return !p->has_operators && !p->structures;
}

static jc_status allocate_sets(jc_adjacency *a)
{
    const jc_allocator *alloc = a->pairs->allocator;
    int64_t n = a->n;
    jc_status status;
    if ((status = jc_alloc_zero(alloc, n * a->words, sizeof *a->in, WHAT, &a->in))) return status;
    if ((status = jc_alloc_zero(alloc, n * a->words, sizeof *a->out, WHAT, &a->out))) return status;
    if ((status = jc_alloc_zero(alloc, n * a->words, sizeof *a->fill, WHAT, &a->fill))) return status;
    if ((status = jc_alloc(alloc, n, sizeof *a->done, WHAT, &a->done))) return status;
    if ((status = jc_alloc(alloc, n, sizeof *a->done_log, WHAT, &a->done_log))) return status;
    if ((status = jc_alloc(alloc, n, sizeof *a->done_old, WHAT, &a->done_old))) return status;
    if ((status = jc_alloc(alloc, n, sizeof *a->left_factors, WHAT, &a->left_factors))) return status;
    return jc_alloc(alloc, n, sizeof *a->right_factors, WHAT, &a->right_factors);
}

static jc_status allocate_tables(jc_adjacency *a)
{
    const jc_allocator *alloc = a->pairs->allocator;
    int64_t n = a->n * a->n;
    jc_status status;
    if (a->plain) return JC_OK;
    if (a->structures && (status = jc_alloc_zero(alloc, n, sizeof *a->structure, WHAT, &a->structure))) return status;
    if ((status = jc_alloc_zero(alloc, n, sizeof *a->left, WHAT, &a->left))) return status;
    if (!a->pairs->has_operators) return a->right = a->left, JC_OK;
    if ((status = jc_alloc_zero(alloc, n, sizeof *a->right, WHAT, &a->right))) return status;
    if ((status = jc_alloc_zero(alloc, n, sizeof *a->left_operators, WHAT, &a->left_operators))) return status;
    if ((status = jc_alloc_zero(alloc, n, sizeof *a->right_operators, WHAT, &a->right_operators))) return status;
    return jc_alloc_zero(alloc, n, sizeof *a->convert, WHAT, &a->convert);
}

/* The matrices of operators between a source and a target are needed in any order: counted once, in `base`. */
static void fill_tables(jc_adjacency *a, int64_t number)
{
    const jc_pair *p = &a->pairs->pairs[number];
    int64_t at = p->of * a->n + p->wrt, dense = jc_pair_held(a->pairs, number);
    bool formed = jc_pairs_is_result(a->pairs, number);
    int64_t given = jc_min(p->explicit_cost, dense);
    if (a->structures) a->structure[at] = p->structure;
    if (!a->plain) {
        a->left[at] = jc_cost_add(given, p->tangent);
        a->right[at] = jc_cost_add(given, p->adjoint);
    }
    if (!a->convert) return;
    if (formed) {
        a->base = jc_cost_add(a->base, p->convert);
        a->left[at] = jc_min(a->left[at], dense), a->right[at] = jc_min(a->right[at], dense);
        return;
    }
    a->left_operators[at] = p->tangent, a->right_operators[at] = p->adjoint;
    a->convert[at] = p->convert;
}

jc_status jc_adjacency_init(jc_adjacency *a, const jc_pairs *pairs)
{
    *a = (jc_adjacency){.pairs = pairs,
                        .n = pairs->n_nodes,
                        .structures = pairs->structures,
                        .log = jc_vec_of(sizeof(uint64_t)),
                        .old = jc_vec_of(sizeof(int32_t))};
    a->words = (a->n + 63) / 64;
    a->plain = is_plain(pairs);
    jc_status status = allocate_sets(a);
    if (!status) status = allocate_tables(a);
    if (status) {
        jc_adjacency_fini(a);
        return status;
    }
    for (int64_t i = 0; i < pairs->n_pairs; i++) {
        set_bit(jc_bits(a, a->in, pairs->pairs[i].of), pairs->pairs[i].wrt);
        set_bit(jc_bits(a, a->out, pairs->pairs[i].wrt), pairs->pairs[i].of);
        fill_tables(a, i);
    }
    return JC_OK;
}

void jc_adjacency_fini(jc_adjacency *a)
{
    const jc_allocator *alloc = a->pairs->allocator;
    int64_t n = a->n;
    jc_free(alloc, a->in, n * a->words, sizeof *a->in);
    jc_free(alloc, a->out, n * a->words, sizeof *a->out);
    jc_free(alloc, a->fill, n * a->words, sizeof *a->fill);
    jc_free(alloc, a->done, n, sizeof *a->done);
    jc_free(alloc, a->done_log, n, sizeof *a->done_log);
    jc_free(alloc, a->done_old, n, sizeof *a->done_old);
    jc_free(alloc, a->left_factors, n, sizeof *a->left_factors);
    jc_free(alloc, a->right_factors, n, sizeof *a->right_factors);
    if (a->right != a->left) jc_free(alloc, a->right, n * n, sizeof *a->right);
    jc_free(alloc, a->left, n * n, sizeof *a->left);
    jc_free(alloc, a->left_operators, n * n, sizeof *a->left_operators);
    jc_free(alloc, a->right_operators, n * n, sizeof *a->right_operators);
    jc_free(alloc, a->convert, n * n, sizeof *a->convert);
    jc_free(alloc, a->structure, n * n, sizeof *a->structure);
    jc_vec_free(alloc, &a->log);
    jc_vec_free(alloc, &a->old);
    memset(a, 0, sizeof *a);
}

/* Sum of the sizes of a set's members; *count: how many. */
static int64_t sum_sizes(const jc_adjacency *a, const uint64_t *set, int64_t *count)
{
    const int64_t *size = a->pairs->subgraph->size;
    int64_t sum = 0, n = 0;
    for (int64_t i = jc_bits_next(set, a->words, 0); i >= 0; i = jc_bits_next(set, a->words, i + 1))
        sum = jc_cost_add(sum, size[i]), n++;
    *count = n;
    return sum;
}

/* The pair (of, wrt) as a factor. */
static jc_factor factor_of(const jc_adjacency *a, int64_t of, int64_t wrt, bool left)
{
    int64_t at = of * a->n + wrt;
    jc_factor f = {.size = a->pairs->subgraph->size[left ? of : wrt], .dense = jc_pair_entries(a->pairs, of, wrt)};
    if (a->structures) {
        f.structure = a->structure[at];
        f.dense = jc_structures_at(a->structures, f.structure)->entries;
    }
    f.apply = (left ? a->left : a->right)[at];
    if (jc_bits_has(jc_bits(a, a->fill, of), wrt))
        f.apply = !a->convert ? f.dense : jc_cost_add(f.dense, (left ? a->left_operators : a->right_operators)[at]);
    if (a->convert) f.convert = a->convert[at];
    return f;
}

/* Entries of patterns looked at so far. */
static int64_t patterns_work(const jc_adjacency *a)
{
    return a->structures ? jc_structures_work(a->structures) : 0;
}

int64_t jc_adjacency_cost(jc_adjacency *a, int64_t node)
{
    const uint64_t *in = jc_bits(a, a->in, node), *out = jc_bits(a, a->out, node);
    if (a->plain) {
        int64_t n_in, n_out, cols = sum_sizes(a, in, &n_in), rows = sum_sizes(a, out, &n_out);
        a->work += n_in + n_out + 2;
        return jc_cost_mul(jc_cost_mul(rows, cols), a->pairs->subgraph->size[node]);
    }
    jc_factors f = {a->left_factors, a->right_factors, 0, 0, a->structures, a->status};
    for (int64_t t = jc_bits_next(out, a->words, 0); t >= 0; t = jc_bits_next(out, a->words, t + 1))
        f.left[f.n_left++] = factor_of(a, t, node, true);
    for (int64_t u = jc_bits_next(in, a->words, 0); u >= 0; u = jc_bits_next(in, a->words, u + 1))
        f.right[f.n_right++] = factor_of(a, node, u, false);
    a->work += f.n_left + f.n_right + (a->structures ? 8 : 2) * (a->convert ? 5 : 1) * f.n_left * f.n_right;
    int64_t looked_at = patterns_work(a), cost = jc_factors_cost(&f, JC_PRODUCTS_FREE);
    a->work += (patterns_work(a) - looked_at) / 4;
    a->status = f.status;
    return a->status ? INT64_MAX : cost;
}

static void log_set(jc_adjacency *a, const uint64_t *set)
{
    memcpy((uint64_t *)a->log.data + a->log.count, set, (size_t)a->words * sizeof *set);
    a->log.count += a->words;
}

static void unite(uint64_t *set, const uint64_t *other, int64_t words)
{
    for (int64_t w = 0; w < words; w++) set[w] |= other[w];
}

/* The structure of (t,u) with D[t,v] D[v,u] added. */
static jc_status add_structure(jc_adjacency *a, int64_t t, int64_t v, int64_t u)
{
    int32_t *at = &a->structure[t * a->n + u], product;
    jc_status status =
        jc_structures_product(a->structures, a->structure[t * a->n + v], a->structure[v * a->n + u], &product);
    if (status) return status;
    ((int32_t *)a->old.data)[a->old.count++] = *at;
    if (jc_bits_has(jc_bits(a, a->in, t), u)) return jc_structures_sum(a->structures, *at, product, at);
    *at = product;
    return JC_OK;
}

/* Structures of the pairs that eliminating the node makes or adds to, while those of before are there. */
static jc_status add_structures(jc_adjacency *a, int64_t node)
{
    const uint64_t *in = jc_bits(a, a->in, node), *out = jc_bits(a, a->out, node);
    int64_t first = a->old.count, looked_at = patterns_work(a), n_in, n_out;
    sum_sizes(a, in, &n_in), sum_sizes(a, out, &n_out);
    jc_status status = jc_vec_reserve(a->pairs->allocator, &a->old, n_in * n_out, WHAT);
    for (int64_t t = jc_bits_next(out, a->words, 0); t >= 0 && !status; t = jc_bits_next(out, a->words, t + 1))
        for (int64_t u = jc_bits_next(in, a->words, 0); u >= 0 && !status; u = jc_bits_next(in, a->words, u + 1))
            status = add_structure(a, t, node, u);
    a->work += 8 * (a->old.count - first) + (patterns_work(a) - looked_at) / 4;
    a->status = status;
    return status;
}

/* Structures as they were before the node was eliminated, whose own sets are as they were then. */
static void take_structures_back(jc_adjacency *a, int64_t node)
{
    const uint64_t *in = jc_bits(a, a->in, node), *out = jc_bits(a, a->out, node);
    const int32_t *old = (const int32_t *)a->old.data + a->done_old[a->n_done];
    a->old.count = a->done_old[a->n_done];
    for (int64_t t = jc_bits_next(out, a->words, 0); t >= 0; t = jc_bits_next(out, a->words, t + 1))
        for (int64_t u = jc_bits_next(in, a->words, 0); u >= 0; u = jc_bits_next(in, a->words, u + 1))
            a->structure[t * a->n + u] = *old++;
}

jc_status jc_adjacency_eliminate(jc_adjacency *a, int64_t node)
{
    if (a->status) return a->status;
    int64_t first_old = a->old.count;
    jc_status status = jc_vec_reserve(a->pairs->allocator, &a->log, 3 * a->n * a->words, WHAT);
    if (!status && a->structures) status = add_structures(a, node);
    if (status) return status;
    const uint64_t *in = jc_bits(a, a->in, node), *out = jc_bits(a, a->out, node);
    bool stays_target = a->pairs->is_target[node], stays_source = a->pairs->is_source[node];
    a->done[a->n_done] = node, a->done_old[a->n_done] = first_old, a->done_log[a->n_done++] = a->log.count;
    for (int64_t t = jc_bits_next(out, a->words, 0); t >= 0; t = jc_bits_next(out, a->words, t + 1)) {
        uint64_t *into = jc_bits(a, a->in, t), *filled = jc_bits(a, a->fill, t);
        log_set(a, into), log_set(a, filled);
        unite(into, in, a->words), unite(filled, in, a->words);
        if (!stays_source) clear_bit(into, node);
    }
    for (int64_t u = jc_bits_next(in, a->words, 0); u >= 0; u = jc_bits_next(in, a->words, u + 1)) {
        uint64_t *from = jc_bits(a, a->out, u);
        log_set(a, from);
        unite(from, out, a->words);
        if (!stays_target) clear_bit(from, node);
    }
    a->work += (a->log.count - a->done_log[a->n_done - 1]) / 4 + 2; /* and to take it back */
    return JC_OK;
}

/* Takes the last elimination back. The node's own sets are as they were when it was eliminated, and each set was logged
 * once. */
static void take_back(jc_adjacency *a)
{
    int64_t node = a->done[--a->n_done];
    const uint64_t *in = jc_bits(a, a->in, node), *out = jc_bits(a, a->out, node);
    a->log.count = a->done_log[a->n_done];
    const uint64_t *log = (const uint64_t *)a->log.data + a->log.count;
    size_t bytes = (size_t)a->words * sizeof *log;
    for (int64_t t = jc_bits_next(out, a->words, 0); t >= 0; t = jc_bits_next(out, a->words, t + 1)) {
        memcpy(jc_bits(a, a->in, t), log, bytes), log += a->words;
        memcpy(jc_bits(a, a->fill, t), log, bytes), log += a->words;
    }
    for (int64_t u = jc_bits_next(in, a->words, 0); u >= 0; u = jc_bits_next(in, a->words, u + 1))
        memcpy(jc_bits(a, a->out, u), log, bytes), log += a->words;
    if (a->structures) take_structures_back(a, node);
}

void jc_adjacency_rewind(jc_adjacency *a, int64_t n_done)
{
    while (a->n_done > n_done) take_back(a);
}

jc_status jc_adjacency_order_cost(jc_adjacency *a, const int64_t *order, int64_t n, int64_t *cost)
{
    jc_status status = JC_OK;
    int64_t sum = a->base;
    for (int64_t i = 0; i < n && !status; i++) {
        sum = jc_cost_add(sum, jc_adjacency_cost(a, order[i]));
        status = jc_adjacency_eliminate(a, order[i]);
    }
    jc_adjacency_rewind(a, 0);
    if (!status) status = a->status;
    if (!status) *cost = sum;
    return status;
}
