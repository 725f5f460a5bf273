#include "plan/elimination/fill.h"

#include <string.h>

#include "core/size.h"

typedef struct key {
    const jc_fill *fill;
    int64_t of, wrt;
} key;

static bool equal(const void *ctx, int64_t pair)
{
    const key *k = ctx;
    const jc_fill_pair *p = jc_fill_at(k->fill, pair);
    return p->of == k->of && p->wrt == k->wrt;
}

static uint64_t hash(int64_t of, int64_t wrt)
{
    int64_t both[2] = {of, wrt};
    return jc_hash(both, sizeof both);
}

int64_t jc_fill_find(const jc_fill *fill, int64_t of, int64_t wrt)
{
    key k = {fill, of, wrt};
    return jc_table_find(&fill->find, hash(of, wrt), equal, &k);
}

/* Puts a pair in front of the lists of its ends. */
static void link_pair(jc_fill *f, int64_t pair)
{
    jc_fill_pair *p = jc_fill_at(f, pair);
    p->previous_in = p->previous_out = JC_NO_PAIR;
    p->next_in = f->first_in[p->of], p->next_out = f->first_out[p->wrt];
    if (p->next_in >= 0) jc_fill_at(f, p->next_in)->previous_in = pair;
    if (p->next_out >= 0) jc_fill_at(f, p->next_out)->previous_out = pair;
    f->first_in[p->of] = f->first_out[p->wrt] = pair;
    f->n_in[p->of]++, f->n_out[p->wrt]++;
}

static void unlink_pair(jc_fill *f, int64_t pair)
{
    jc_fill_pair *p = jc_fill_at(f, pair);
    if (p->previous_in >= 0)
        jc_fill_at(f, p->previous_in)->next_in = p->next_in;
    else
        f->first_in[p->of] = p->next_in;
    if (p->next_in >= 0) jc_fill_at(f, p->next_in)->previous_in = p->previous_in;
    if (p->previous_out >= 0)
        jc_fill_at(f, p->previous_out)->next_out = p->next_out;
    else
        f->first_out[p->wrt] = p->next_out;
    if (p->next_out >= 0) jc_fill_at(f, p->next_out)->previous_out = p->previous_out;
    f->n_in[p->of]--, f->n_out[p->wrt]--;
}

static jc_status add_pair(jc_fill *f, int64_t of, int64_t wrt, int64_t given, int64_t *pair)
{
    const jc_allocator *a = f->pairs->allocator;
    jc_fill_pair p = {.of = of, .wrt = wrt, .given = given, .value = -1};
    if (given >= 0) p.structure = f->pairs->pairs[given].structure;
    jc_status status = jc_table_reserve(a, &f->find, 1, "the fill-in of an elimination");
    if (!status) status = jc_vec_append(a, &f->at, &p, 1, "the fill-in of an elimination");
    if (status) return status;
    *pair = f->at.count - 1;
    jc_table_insert(&f->find, hash(of, wrt), *pair);
    link_pair(f, *pair);
    return JC_OK;
}

jc_status jc_fill_get(jc_fill *f, int64_t of, int64_t wrt, int64_t *pair)
{
    int64_t there = jc_fill_find(f, of, wrt);
    if (there < 0) return add_pair(f, of, wrt, JC_NO_PAIR, pair);
    *pair = there;
    return JC_OK;
}

int64_t jc_fill_held(const jc_fill *f, int64_t pair)
{
    const jc_fill_pair *p = jc_fill_at(f, pair);
    return f->structures ? jc_structures_at(f->structures, p->structure)->entries
                         : jc_pair_entries(f->pairs, p->of, p->wrt);
}

jc_status jc_fill_add_product(jc_fill *f, int64_t left, int64_t right, int64_t *pair, int32_t *product)
{
    const jc_fill_pair *l = jc_fill_at(f, left), *r = jc_fill_at(f, right);
    int64_t n = f->at.count;
    jc_status status = JC_OK;
    *product = 0;
    if (f->structures) status = jc_structures_product(f->structures, l->structure, r->structure, product);
    if (!status) status = jc_fill_get(f, l->of, r->wrt, pair);
    if (status) return status;
    jc_fill_pair *p = jc_fill_at(f, *pair);
    p->filled = true;
    if (f->at.count > n) p->structure = *product;
    return f->structures ? jc_structures_sum(f->structures, p->structure, *product, &p->structure) : JC_OK;
}

static jc_status allocate(jc_fill *f)
{
    const jc_allocator *a = f->pairs->allocator;
    const char *what = "the graph of an elimination";
    int64_t n = f->pairs->n_nodes;
    jc_status status;
    if ((status = jc_alloc(a, n, sizeof *f->first_in, what, &f->first_in))) return status;
    if ((status = jc_alloc(a, n, sizeof *f->first_out, what, &f->first_out))) return status;
    if ((status = jc_alloc_zero(a, n, sizeof *f->n_in, what, &f->n_in))) return status;
    if ((status = jc_alloc_zero(a, n, sizeof *f->n_out, what, &f->n_out))) return status;
    if ((status = jc_table_reserve(a, &f->find, f->pairs->n_pairs, what))) return status;
    return jc_vec_reserve(a, &f->at, f->pairs->n_pairs, what);
}

jc_status jc_fill_init(jc_fill *f, const jc_pairs *pairs)
{
    *f = (jc_fill){.pairs = pairs,
                   .structures = pairs->structures,
                   .at = jc_vec_of(sizeof(jc_fill_pair)),
                   .left = jc_vec_of(sizeof(jc_factor)),
                   .right = jc_vec_of(sizeof(jc_factor)),
                   .left_at = jc_vec_of(sizeof(int64_t)),
                   .right_at = jc_vec_of(sizeof(int64_t))};
    jc_status status = allocate(f);
    for (int64_t v = 0; v < pairs->n_nodes && !status; v++) f->first_in[v] = f->first_out[v] = JC_NO_PAIR;
    /* Backwards: lists begin with the pair added last. */
    for (int64_t i = pairs->n_pairs, pair; i-- > 0 && !status;)
        status = add_pair(f, pairs->pairs[i].of, pairs->pairs[i].wrt, i, &pair);
    if (status) jc_fill_fini(f);
    return status;
}

void jc_fill_fini(jc_fill *f)
{
    const jc_allocator *a = f->pairs->allocator;
    int64_t n = f->pairs->n_nodes;
    jc_free(a, f->first_in, n, sizeof *f->first_in);
    jc_free(a, f->first_out, n, sizeof *f->first_out);
    jc_free(a, f->n_in, n, sizeof *f->n_in);
    jc_free(a, f->n_out, n, sizeof *f->n_out);
    jc_table_free(a, &f->find);
    jc_vec_free(a, &f->at);
    jc_vec_free(a, &f->left);
    jc_vec_free(a, &f->right);
    jc_vec_free(a, &f->left_at);
    jc_vec_free(a, &f->right_at);
    memset(f, 0, sizeof *f);
}

/* What a pair costs as the factor on one side; `size` rows or columns of the other one go through it. */
static jc_factor factor_of(const jc_fill *f, int64_t pair, bool left, jc_products products)
{
    const jc_fill_pair *p = jc_fill_at(f, pair);
    static const jc_pair fill_in;
    const jc_pair *given = p->given < 0 ? &fill_in : &f->pairs->pairs[p->given];
    jc_factor factor = {.size = f->pairs->subgraph->size[left ? p->of : p->wrt],
                        .dense = jc_fill_held(f, pair),
                        .structure = p->structure};
    factor.apply = p->filled ? factor.dense : given->explicit_cost;
    if (products == JC_PRODUCTS_FREE) factor.apply = jc_min(factor.apply, factor.dense);
    factor.apply = jc_cost_add(factor.apply, left ? given->tangent : given->adjoint);
    factor.convert = products == JC_PRODUCTS_FREE ? given->convert
                                                  : jc_cost_mul(factor.size, left ? given->adjoint : given->tangent);
    if (p->converted) factor.apply = jc_min(factor.apply, factor.dense), factor.convert = 0;
    return factor;
}

static jc_status add_factor(jc_fill *f, int64_t pair, bool left, jc_products products)
{
    const jc_allocator *a = f->pairs->allocator;
    jc_factor factor = factor_of(f, pair, left, products);
    jc_status status = jc_vec_append(a, left ? &f->left : &f->right, &factor, 1, "the factors of a node");
    if (status) return status;
    return jc_vec_append(a, left ? &f->left_at : &f->right_at, &pair, 1, "the factors of a node");
}

jc_status jc_fill_factors(jc_fill *f, int64_t node, jc_products products, jc_factors *factors)
{
    jc_status status = JC_OK;
    f->left.count = f->right.count = f->left_at.count = f->right_at.count = 0;
    for (int64_t p = f->first_out[node]; p >= 0 && !status; p = jc_fill_at(f, p)->next_out)
        status = add_factor(f, p, true, products);
    for (int64_t p = f->first_in[node]; p >= 0 && !status; p = jc_fill_at(f, p)->next_in)
        status = add_factor(f, p, false, products);
    *factors = (jc_factors){f->left.data, f->right.data, f->left.count, f->right.count, f->structures, JC_OK};
    return status;
}

void jc_fill_remove(jc_fill *f, int64_t node)
{
    const jc_pairs *p = f->pairs;
    while (!p->is_target[node] && f->first_in[node] >= 0) unlink_pair(f, f->first_in[node]);
    while (!p->is_source[node] && f->first_out[node] >= 0) unlink_pair(f, f->first_out[node]);
}

int64_t jc_fill_convert_results(jc_fill *fill)
{
    const jc_pairs *p = fill->pairs;
    int64_t cost = 0;
    for (int64_t i = 0; i < p->n_pairs && p->has_operators; i++) {
        if (!jc_pairs_is_result(p, i) || !p->pairs[i].convert) continue;
        jc_fill_at(fill, jc_fill_find(fill, p->pairs[i].of, p->pairs[i].wrt))->converted = true;
        cost = jc_cost_add(cost, p->pairs[i].convert);
    }
    return cost;
}
