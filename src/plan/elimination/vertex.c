#include "plan/elimination/vertex.h"

#include "core/size.h"

/* Applying a factor once, of which a matrix may have been formed. */
static int64_t apply_cost(const jc_factor *f)
{
    return f->matrix ? jc_min(f->apply, f->dense) : f->apply;
}

static bool is_matrix(const jc_factor *f)
{
    return f->matrix || !f->convert;
}

int64_t jc_factors_apply(jc_factors *f, int64_t i, int64_t j, bool adjoint, int64_t apply)
{
    const jc_factor *left = &f->left[i], *right = &f->right[j];
    if (!f->structures) return jc_cost_mul(adjoint ? left->size : right->size, apply);
    int32_t product;
    if (!f->status) f->status = jc_structures_product(f->structures, left->structure, right->structure, &product);
    if (f->status) return INT64_MAX;
    return jc_structures_cost(f->structures, left->structure, right->structure, product, adjoint ? INT64_MAX : apply,
                              adjoint ? apply : INT64_MAX);
}

bool jc_factors_adjoint(jc_factors *f, int64_t i, int64_t j, jc_products products, int64_t *cost)
{
    const jc_factor *left = &f->left[i], *right = &f->right[j];
    int64_t adjoint = INT64_MAX, tangent = INT64_MAX;
    if (products != JC_PRODUCTS_TANGENT && is_matrix(left))
        adjoint = jc_factors_apply(f, i, j, true, apply_cost(right));
    if (products != JC_PRODUCTS_ADJOINT && is_matrix(right))
        tangent = jc_factors_apply(f, i, j, false, apply_cost(left));
    *cost = jc_min(adjoint, tangent);
    return products == JC_PRODUCTS_FREE ? adjoint <= tangent : products == JC_PRODUCTS_ADJOINT;
}

/* Cost of the products and of forming the matrices that are marked. */
static int64_t marked_cost(jc_factors *f, jc_products products)
{
    int64_t sum = 0, cost;
    for (int64_t i = 0; i < f->n_left; i++)
        if (f->left[i].matrix) sum = jc_cost_add(sum, f->left[i].convert);
    for (int64_t j = 0; j < f->n_right; j++)
        if (f->right[j].matrix) sum = jc_cost_add(sum, f->right[j].convert);
    for (int64_t i = 0; i < f->n_left; i++)
        for (int64_t j = 0; j < f->n_right; j++) {
            jc_factors_adjoint(f, i, j, products, &cost);
            sum = jc_cost_add(sum, cost);
        }
    return sum;
}

static void mark(jc_factor *factors, int64_t n, bool matrix)
{
    for (int64_t i = 0; i < n; i++) factors[i].matrix = matrix && factors[i].convert;
}

/* Pair by pair, the cheapest of: the left one a matrix, the right one, both; what is formed for one pair is there for
 * the next. */
static void mark_greedily(jc_factors *f)
{
    mark(f->left, f->n_left, false);
    mark(f->right, f->n_right, false);
    for (int64_t i = 0; i < f->n_left; i++)
        for (int64_t j = 0; j < f->n_right; j++) {
            jc_factor *l = &f->left[i], *r = &f->right[j];
            int64_t left = l->matrix ? 0 : l->convert, right = r->matrix ? 0 : r->convert;
            int64_t adjoint = jc_cost_add(left, jc_factors_apply(f, i, j, true, apply_cost(r)));
            int64_t tangent = jc_cost_add(right, jc_factors_apply(f, i, j, false, apply_cost(l)));
            int64_t both = jc_cost_add(jc_cost_add(left, right), jc_factors_apply(f, i, j, true, r->dense));
            if (adjoint <= tangent && adjoint <= both)
                l->matrix = l->convert;
            else if (tangent <= both)
                r->matrix = r->convert;
            else
                l->matrix = l->convert, r->matrix = r->convert;
        }
}

/* Way number `way` of marking what becomes a matrix. */
static void mark_way(jc_factors *f, int way)
{
    if (way == 3) {
        mark_greedily(f);
        return;
    }
    mark(f->left, f->n_left, way != 1);
    mark(f->right, f->n_right, way != 0);
}

static bool need_forming(const jc_factor *factors, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (factors[i].convert) return true;
    return false;
}

int64_t jc_factors_cost(jc_factors *f, jc_products products)
{
    enum { LEFT, RIGHT, ALL, WAYS = 4 };
    int best = products == JC_PRODUCTS_TANGENT ? RIGHT : LEFT;
    int64_t least = INT64_MAX;
    bool choose =
        products == JC_PRODUCTS_FREE && (need_forming(f->left, f->n_left) || need_forming(f->right, f->n_right));
    for (int way = 0; choose && way < WAYS; way++) {
        mark_way(f, way);
        int64_t cost = marked_cost(f, products);
        if (cost < least) best = way, least = cost;
    }
    mark_way(f, best);
    return marked_cost(f, products);
}
