/* An operator is two callbacks, D x and D^T y. Whether they are of one matrix is seen from
 *   y . (D x) = (D^T y) . x
 * with random x and y: a difference E between the two has (y . E x) of mean 0 and variance |E|_F^2. */
#include <math.h>

#include "backend/reference/random.h"
#include "core/error.h"
#include "run/check_judge.h"

typedef struct pair {
    const jc_group *group;
    int64_t rows, cols;
    double *x, *dx; /* [cols], [rows] */
    double *y, *dy; /* [rows], [cols] */
} pair;

static jc_status apply(const pair *p, jc_direction direction, const double *in, int64_t n_in, double *out,
                       int64_t n_out)
{
    const jc_operator *op = &p->group->op;
    direction = jc_shape_direction(&p->group->shape, direction);
    int code = op->apply(op->user, direction, JC_F64, 1, in, n_in, out, n_out, 0);
    return code == 0 ? JC_OK : jc_fail(JC_E_DEVICE, "an operator's callback failed with code %d", code);
}

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

enum { N_PAIRS = 4 };

/* |y.(Dx) - (D^T y).x| <= 2 gamma |y| |D|_F |x|, with |D|_F taken from |Dx| and |D^T y|. */
static jc_status judge_pair(const pair *p, uint64_t *state, int64_t node, jc_worst *worst)
{
    jc_random_fill(state, p->x, p->cols);
    jc_random_fill(state, p->y, p->rows);
    jc_status status = apply(p, JC_TANGENT, p->x, p->cols, p->dx, p->rows);
    if (!status) status = apply(p, JC_ADJOINT, p->y, p->rows, p->dy, p->cols);
    if (status) return status;
    double norm = sqrt(dot(p->dx, p->dx, p->rows)) + sqrt(dot(p->dy, p->dy, p->cols));
    double lengths = sqrt(dot(p->x, p->x, p->cols) * dot(p->y, p->y, p->rows));
    double gamma = jc_gamma((double)p->rows + (double)p->cols + JC_TERM_ROUNDINGS, 0x1p-53);
    double error = fabs(dot(p->y, p->dx, p->rows) - dot(p->x, p->dy, p->cols));
    jc_worst_take(worst, error, 2 * gamma * norm * lengths, node, 0, 0);
    return JC_OK;
}

static jc_status judge_operator(const jc_plan *plan, const jc_group *group, int64_t node, jc_worst *worst)
{
    const jc_allocator *a = &plan->allocator;
    const char *what = "vectors for an operator";
    pair p = {.group = group, .rows = group->shape.rows, .cols = group->shape.cols};
    uint64_t state = 2;
    jc_status status = jc_alloc(a, p.cols, sizeof(double), what, &p.x);
    if (!status) status = jc_alloc(a, p.rows, sizeof(double), what, &p.dx);
    if (!status) status = jc_alloc(a, p.rows, sizeof(double), what, &p.y);
    if (!status) status = jc_alloc(a, p.cols, sizeof(double), what, &p.dy);
    for (int i = 0; i < N_PAIRS && !status; i++) status = judge_pair(&p, &state, node, worst);
    jc_free(a, p.dy, p.cols, sizeof(double));
    jc_free(a, p.y, p.rows, sizeof(double));
    jc_free(a, p.dx, p.rows, sizeof(double));
    jc_free(a, p.x, p.cols, sizeof(double));
    return status;
}

/* Those of the edges whose bit is not set in `seen`, which is set: copies of an edge are one operator. */
static jc_status judge_each(const jc_equations *eq, uint64_t *seen, jc_worst *worst)
{
    const jc_subgraph *g = &eq->plan->subgraph;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < g->n_edges && !status; i++) {
        int64_t member, e = g->jacobian[i];
        const jc_group *group = jc_plan_jacobian(eq->plan, e, &member);
        if (e < 0 || group->shape.kind != JC_OPERATOR || (seen[e / 64] >> (e % 64) & 1)) continue;
        seen[e / 64] |= UINT64_C(1) << (e % 64);
        status = judge_operator(eq->plan, group, eq->reverse ? g->wrt[i] : g->of[i], worst);
    }
    return status;
}

jc_status jc_judge_operators(const jc_equations *eq, jc_worst *worst)
{
    uint64_t *seen;
    int64_t n_words = eq->plan->graph->n_edges / 64 + 1;
    jc_status status = jc_alloc_zero(eq->allocator, n_words, sizeof *seen, "marks of the edges", &seen);
    if (status) return status;
    status = judge_each(eq, seen, worst);
    if (worst->any) jc_worst_name(&eq->plan->subgraph, worst);
    jc_free(eq->allocator, seen, n_words, sizeof *seen);
    return status;
}
