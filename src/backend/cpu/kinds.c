/* One row per kind: where its destination may be cut, when it is a product for BLAS, and its workspace. */
#include <limits.h>

#include "backend/cpu/blas.h"
#include "backend/cpu/rules.h"
#include "core/size.h"

enum {
    PANEL_ELEMENTS = 32768, /* pieces of a matrix while it is converted: they stay in the second-level cache */
    SPARE_ELEMENTS = 32768  /* vectors between two factors, unit vectors: as many at once */
};

/* A product of n x m by m x k as a kind hands it to BLAS. */
typedef struct matrices {
    int64_t n, m, k;
} matrices;

typedef struct rule {
    int64_t (*grain)(const jc_cpu_product *product);    /* with one block; NULL: never cut */
    matrices (*largest)(const jc_cpu_product *product); /* NULL: no products of matrices */
    int64_t (*panel)(const jc_cpu_product *product);    /* elements of its largest matrix; NULL: none */
    int64_t (*spare)(const jc_cpu_product *product);    /* NULL: none */
} rule;

/* ---- cuts ---- */

static int64_t any_column(const jc_cpu_product *k)
{
    (void)k;
    return 1;
}

static int64_t whole_inner(const jc_cpu_product *k)
{
    return k->group->shape.inner;
}

/* Gathers can be cut, scatters go over all columns. */
static int64_t gathers_only(const jc_cpu_product *k)
{
    return k->direction == JC_TANGENT ? k->group->shape.inner : 0;
}

/* Rows of W [h x w], or samples of Y [c x h]. */
static int64_t weight_rows(const jc_cpu_product *k)
{
    const jc_shape *s = &k->group->shape;
    int64_t h = s->p / s->m;
    return s->inner * (k->direction == JC_ADJOINT ? s->q / h : h);
}

/* ---- products of matrices ---- */

/* Rows of X that meet one D: with a D shared by the blocks and inner 1, the blocks are rows too (fold_blocks). */
static int64_t rows_of(const jc_cpu_product *k)
{
    const jc_group *g = k->group;
    bool shared = g->shape.inner == 1 && !g->field[0].batched && !g->field[1].batched;
    return shared ? jc_cost_mul(k->n, g->shape.batch) : k->n;
}

static matrices dense_matrices(const jc_cpu_product *k)
{
    const jc_shape *s = &k->group->shape;
    int64_t from = k->direction == JC_ADJOINT ? s->p : s->q, to = k->direction == JC_ADJOINT ? s->q : s->p;
    matrices row = {rows_of(k), from, to}, inner = {to, from, s->inner};
    return s->inner == 1 ? row : inner;
}

static matrices low_rank_matrices(const jc_cpu_product *k)
{
    const jc_shape *s = &k->group->shape;
    int64_t long_side = jc_max(s->p, s->q);
    matrices row = {rows_of(k), long_side, s->m}, inner = {s->m, long_side, s->inner};
    return s->inner == 1 ? row : inner;
}

static matrices weight_matrices(const jc_cpu_product *k)
{
    const jc_shape *s = &k->group->shape;
    int64_t h = s->p / s->m, w = s->q / h;
    matrices product = {h, s->m, w}, none = {0, 0, 0};
    return s->inner == 1 ? product : none;
}

/* ---- workspace ---- */

static int64_t dense_elements(const jc_cpu_product *k)
{
    return jc_cost_mul(k->group->shape.p, k->group->shape.q);
}

static int64_t low_rank_elements(const jc_cpu_product *k)
{
    return jc_cost_mul(jc_max(k->group->shape.p, k->group->shape.q), k->group->shape.m);
}

static int64_t weight_elements(const jc_cpu_product *k)
{
    return jc_cost_mul(k->group->shape.m, k->group->shape.q); /* at least c w */
}

/* Vectors of `size` for up to n rows, as many as the spare takes, at least one. */
static int64_t vectors(int64_t n, int64_t size)
{
    return jc_cost_mul(size, jc_max(1, jc_min(n, SPARE_ELEMENTS / jc_max(1, size))));
}

static int64_t low_rank_spare(const jc_cpu_product *k)
{
    return vectors(k->group->shape.inner > 1 ? 1 : rows_of(k), jc_cost_mul(k->group->shape.m, k->group->shape.inner));
}

static int64_t operator_spare(const jc_cpu_product *k)
{
    return k->identity ? vectors(k->n, k->in) : 0;
}

static const rule rules[JC_KIND_COUNT] = {
    [JC_DENSE] = {whole_inner, dense_matrices, dense_elements, NULL},
    [JC_DIAGONAL] = {whole_inner, NULL, NULL, NULL},
    [JC_IDENTITY] = {any_column, NULL, NULL, NULL},
    [JC_CSR] = {gathers_only, NULL, NULL, NULL},
    [JC_LOW_RANK] = {whole_inner, low_rank_matrices, low_rank_elements, low_rank_spare},
    [JC_SELECT] = {gathers_only, NULL, NULL, NULL},
    [JC_WEIGHT] = {weight_rows, weight_matrices, weight_elements, NULL},
    [JC_TILE] = {any_column, NULL, NULL, NULL},
    [JC_TRACE] = {weight_rows, NULL, NULL, NULL},
    [JC_OPERATOR] = {NULL, NULL, NULL, operator_spare},
};

/* ---- the table read ---- */

jc_cpu_product jc_cpu_product_of(const jc_plan *plan, const jc_cpu_op *op)
{
    const jc_group *g = jc_plan_group(plan, op->group);
    jc_cpu_product k = {.group = g, .n = op->n_rows, .identity = op->identity};
    k.in = op->transpose ? g->shape.cols : g->shape.rows;
    k.out = op->transpose ? g->shape.rows : g->shape.cols;
    k.direction = jc_shape_direction(&g->shape, op->transpose ? JC_TANGENT : JC_ADJOINT);
    return k;
}

/* A Jacobian without its arrays, which can be planned only, counts as dense: sizes that its arrays would tell are not
 * known. */
static const rule *rule_of(const jc_cpu_product *k)
{
    return &rules[jc_group_only_structure(k->group) ? JC_DENSE : k->group->shape.kind];
}

int64_t jc_cpu_grain(const jc_cpu_product *k)
{
    const rule *r = rule_of(k);
    if (!r->grain) return 0;
    if (k->identity) return 1;
    return k->group->shape.batch > 1 ? k->out / k->group->shape.batch : r->grain(k);
}

/* BLAS copies its operands before it multiplies: that has to be paid by use of each number for several others. */
bool jc_cpu_use_blas(const jc_cpu_product *k)
{
    const rule *r = rule_of(k);
    if (!jc_blas_gemm || k->identity || !r->largest) return false;
    matrices p = r->largest(k);
    if (jc_min(p.n, jc_min(p.m, p.k)) < 8 || jc_cost_mul(p.n, jc_cost_mul(p.m, p.k)) < 32768) return false;
    return jc_max(k->in, k->out) <= INT_MAX && jc_max(p.n, jc_max(p.m, p.k)) <= INT_MAX;
}

int64_t jc_cpu_panel(const jc_cpu_product *k)
{
    const rule *r = rule_of(k);
    return r->panel ? jc_min(PANEL_ELEMENTS, r->panel(k)) : 0;
}

int64_t jc_cpu_spare(const jc_cpu_product *k)
{
    const rule *r = rule_of(k);
    return r->spare ? r->spare(k) : 0;
}

enum { CHAIN_MOST_SAMPLES = 128, CHAIN_SAMPLES = 512, CHAIN_ELEMENTS = 131072 };

bool jc_cpu_can_chain(const jc_cpu_product *a, const jc_cpu_product *b)
{
    const jc_shape *s = &a->group->shape, *t = &b->group->shape;
    if (s->kind != JC_WEIGHT || t->kind != JC_WEIGHT || a->identity || b->identity) return false;
    if (jc_group_only_structure(a->group) || jc_group_only_structure(b->group)) return false;
    if (a->direction != JC_ADJOINT || b->direction != JC_ADJOINT || a->n != b->n) return false;
    if (s->batch != 1 || s->inner != 1 || t->batch != 1 || t->inner != 1) return false;
    if (s->m > CHAIN_MOST_SAMPLES || t->m > CHAIN_MOST_SAMPLES) return false;
    return s->q == t->q && s->p / s->m == t->p / t->m;
}

int64_t jc_cpu_chain_spare(const jc_cpu_product *k, int64_t samples)
{
    int64_t h = k->group->shape.p / k->group->shape.m, each = jc_cost_add(h, k->group->shape.q / h);
    int64_t fit = jc_max(k->group->shape.m, CHAIN_ELEMENTS / each);
    return jc_cost_mul(each, jc_min(samples, jc_min(fit, CHAIN_SAMPLES)));
}

const char *jc_cpu_routine_name(const jc_cpu_unit *unit, const jc_cpu_product *k, const jc_cpu_op *op, double scale)
{
    jc_kind kind = k->group->shape.kind;
    if (kind == JC_OPERATOR) return "operator";
    if (op->identity && kind != JC_LOW_RANK) return "copy";
    if (op->chained) return op->blas ? unit->packed_gemm : unit->packed_loops;
    if (op->fixed) return unit->fixed[op->fixed - 1].routine;
    if (op->blas) return unit->gemm;
    if (kind == JC_IDENTITY && scale == 1 && op->first) return "copy";
    return unit->loops;
}
