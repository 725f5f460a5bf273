#include "support/folds.h"

#include "support/oracle.h"

/* What a variable has of a source. */
enum { FOLDED = 1, FULL = 2 };

typedef struct folds {
    const jt_graph *g;
    const jc_query *q;
    int64_t *h, *w; /* [n_wrt] of the fold of a source; 0: none */
    int **state;    /* [n_wrt][n_variables] FOLDED | FULL */
    bool *leads;    /* [n_variables] to a target */
} folds;

static bool keeps(const jt_edge *e)
{
    return e->kind == JC_DIAGONAL || e->kind == JC_IDENTITY;
}

static bool takes(const jt_edge *e)
{
    return keeps(e) || (e->kind == JC_DENSE && e->inner == 1);
}

static bool is_target(const folds *f, int64_t v)
{
    for (int64_t i = 0; i < f->q->n_of; i++)
        if (f->q->of[i] == v) return true;
    return false;
}

/* What an edge brings of source s to its head. */
static int brought(const folds *f, const jt_edge *e, int64_t s)
{
    bool begins = f->h[s] > 0 && e->h == f->h[s] && e->w == f->w[s];
    int from = f->state[s][e->wrt], out = e->wrt == f->q->wrt[s] ? (begins ? FOLDED : FULL) : 0;
    if (from & FULL) out |= FULL;
    if (from & FOLDED) out |= keeps(e) ? FOLDED : FULL;
    return out;
}

static void visit(const folds *f, int64_t v)
{
    bool plain = is_target(f, v);
    for (int64_t e = 0; e < f->g->n_edges; e++) {
        const jt_edge *edge = &f->g->edges[e];
        if (edge->wrt == v && f->leads[edge->of] && !takes(edge)) plain = true;
        for (int64_t s = 0; s < f->q->n_wrt && edge->of == v && f->leads[v]; s++) f->state[s][v] |= brought(f, edge, s);
    }
    for (int64_t s = 0; s < f->q->n_wrt; s++) plain = plain || f->state[s][v] == (FOLDED | FULL);
    for (int64_t s = 0; s < f->q->n_wrt && plain; s++) f->state[s][v] = f->state[s][v] ? FULL : 0;
}

int64_t **jt_forward_rows(jt_pool *pool, const jt_graph *g, const jc_query *q)
{
    folds f = {.g = g, .q = q};
    f.h = jt_alloc(pool, q->n_wrt, sizeof *f.h), f.w = jt_alloc(pool, q->n_wrt, sizeof *f.w);
    f.state = jt_alloc(pool, q->n_wrt, sizeof *f.state);
    f.leads = jt_alloc(pool, g->n_variables, sizeof *f.leads);
    for (int64_t v = 0; v < g->n_variables; v++)
        for (int64_t t = 0; t < q->n_of; t++) f.leads[v] = f.leads[v] || jt_count_paths(g, q->of[t], v) > 0;
    for (int64_t s = 0; s < q->n_wrt; s++) {
        f.state[s] = jt_alloc(pool, g->n_variables, sizeof **f.state);
        for (int64_t e = 0; e < g->n_edges; e++)
            if (g->edges[e].wrt == q->wrt[s] && f.leads[g->edges[e].of] && g->edges[e].h > 1 && g->edges[e].h > f.h[s])
                f.h[s] = g->edges[e].h, f.w[s] = g->edges[e].w;
    }
    for (int64_t i = 0; i < g->n_variables; i++) visit(&f, g->topological[i]);
    int64_t **rows = jt_alloc(pool, q->n_wrt, sizeof *rows);
    for (int64_t s = 0; s < q->n_wrt; s++) {
        rows[s] = jt_alloc(pool, g->n_variables, sizeof **rows);
        for (int64_t v = 0; v < g->n_variables; v++)
            rows[s][v] = f.state[s][v] == FULL ? g->size[q->wrt[s]] : f.state[s][v] == FOLDED ? f.w[s] : 0;
    }
    return rows;
}
