/* Chains: the best bracketing of D_j .. D_i by dynamic programming, C[j,i] the least cost of the matrix of the product of
 * the factors i .. j (i next to the source), D_k being m_k x n_k, with m_k = n_(k+1):
 *
 *     C[j,j] = convert_j                                                   min(n_j t_j, m_j a_j) for an operator, else 0
 *     C[j,i] = min of  C[j-1,i] + n_i t_j                                  D_j applied to n_i columns
 *                      C[j,i+1] + m_j a_i                                  D_i applied to m_j rows
 *                      min over i <= k < j of  C[j,k+1] + C[k,i] + m_j m_k n_i
 *
 * which is the recurrence of generalized Jacobian chains (Naumann, arXiv 2003.05755 and 2406.11862): a run of factors
 * applied one after the other is a run of the first or second line. */
#include "core/size.h"
#include "plan/elimination/search.h"

typedef struct chain {
    const jc_pairs *pairs;
    int64_t n;      /* factors */
    int64_t *size;  /* [n + 1]: D_k is size[k + 1] x size[k] */
    int64_t *cost;  /* [n][n]: cost[j n + i], i <= j */
    int64_t *turned; /* [n][n]: turned[i n + j] is the same, so that both are read in order */
    int64_t largest; /* of size */
    int64_t highest; /* of cost */
} chain;

bool jc_pairs_are_chain(const jc_pairs *p)
{
    if (p->n_pairs != p->n_inner + 1 || p->n_nodes != p->n_inner + 2) return false;
    for (int64_t i = 0; i < p->n_pairs; i++)
        if (p->pairs[i].wrt != i || p->pairs[i].of != i + 1) return false;
    for (int64_t v = 1; v <= p->n_inner; v++)
        if (p->is_target[v] || p->is_source[v]) return false;
    return true;
}

/* The one-sided ways to C[j,i]. */
static int64_t applied_cost(const chain *c, int64_t j, int64_t i)
{
    const jc_pair *left = &c->pairs->pairs[j], *right = &c->pairs->pairs[i];
    int64_t m = c->size[j + 1], n = c->size[i];
    int64_t t = jc_cost_add(jc_min(left->explicit_cost, jc_cost_mul(m, c->size[j])), left->tangent);
    int64_t a = jc_cost_add(jc_min(right->explicit_cost, jc_cost_mul(c->size[i + 1], n)), right->adjoint);
    return jc_min(jc_cost_add(c->cost[(j - 1) * c->n + i], jc_cost_mul(n, t)),
                  jc_cost_add(c->cost[j * c->n + i + 1], jc_cost_mul(m, a)));
}

/* C[j,k+1] + C[k,i] + m_j m_k n_i */
static int64_t split_cost(const chain *c, int64_t j, int64_t i, int64_t k)
{
    int64_t product = jc_cost_mul(jc_cost_mul(c->size[j + 1], c->size[i]), c->size[k + 1]);
    return jc_cost_add(jc_cost_add(c->cost[j * c->n + k + 1], c->cost[k * c->n + i]), product);
}

/* The least split_cost, without the checks of each sum where nothing can be too large. */
static int64_t best_split(const chain *c, int64_t j, int64_t i)
{
    const int64_t *left = c->cost + j * c->n + 1, *right = c->turned + i * c->n, *inner = c->size + 1;
    int64_t least = INT64_MAX, both = jc_cost_mul(c->size[j + 1], c->size[i]), most = INT64_MAX / 4;
    if (jc_cost_mul(both, c->largest) > most || c->highest > most) {
        for (int64_t k = i; k < j; k++) least = jc_min(least, split_cost(c, j, i, k));
        return least;
    }
    for (int64_t k = i; k < j; k++) {
        int64_t cost = left[k] + right[k] + both * inner[k];
        least = cost < least ? cost : least;
    }
    return least;
}

static void fill_costs(chain *c)
{
    for (int64_t j = 0; j < c->n; j++)
        for (int64_t i = j; i >= 0; i--) {
            int64_t cost = i == j ? c->pairs->pairs[j].convert : jc_min(applied_cost(c, j, i), best_split(c, j, i));
            c->cost[j * c->n + i] = c->turned[i * c->n + j] = cost;
            c->highest = jc_max(c->highest, cost);
        }
}

/* The node between the factors whose product was the last one to form i .. j. */
static int64_t last_node(const chain *c, int64_t j, int64_t i)
{
    const jc_pair *left = &c->pairs->pairs[j];
    int64_t cost = c->cost[j * c->n + i];
    if (applied_cost(c, j, i) == cost) {
        int64_t t = jc_cost_add(jc_min(left->explicit_cost, jc_cost_mul(c->size[j + 1], c->size[j])), left->tangent);
        bool tangent = jc_cost_add(c->cost[(j - 1) * c->n + i], jc_cost_mul(c->size[i], t)) == cost;
        return tangent ? j : i + 1;
    }
    int64_t k = i;
    while (split_cost(c, j, i, k) != cost) k++;
    return k + 1;
}

/* The order from its end: the node of the whole chain is the last one. stack: [2 n] factors still to bracket. */
static void write_order(const chain *c, int64_t *stack, int64_t *order)
{
    int64_t depth = 0, n = c->n - 1;
    stack[depth++] = c->n - 1, stack[depth++] = 0;
    while (depth) {
        int64_t i = stack[--depth], j = stack[--depth];
        if (i == j) continue;
        int64_t node = last_node(c, j, i);
        order[--n] = node;
        stack[depth++] = j, stack[depth++] = node;
        stack[depth++] = node - 1, stack[depth++] = i;
    }
}

jc_status jc_chain_order(const jc_pairs *pairs, int64_t *order, int64_t *cost)
{
    const jc_allocator *a = pairs->allocator;
    chain c = {.pairs = pairs, .n = pairs->n_pairs, .size = pairs->subgraph->size};
    int64_t *stack = NULL, stacked = 4 * c.n + 4;
    jc_status status = jc_alloc(a, c.n * c.n, sizeof *c.cost, "the bracketing of a chain", &c.cost);
    if (!status) status = jc_alloc(a, c.n * c.n, sizeof *c.turned, "the bracketing of a chain", &c.turned);
    if (!status) status = jc_alloc(a, stacked, sizeof *stack, "the bracketing of a chain", &stack);
    if (!status) {
        for (int64_t v = 0; v <= c.n; v++) c.largest = jc_max(c.largest, c.size[v]);
        fill_costs(&c);
        write_order(&c, stack, order);
        *cost = c.cost[(c.n - 1) * c.n];
    }
    jc_free(a, c.cost, c.n * c.n, sizeof *c.cost);
    jc_free(a, c.turned, c.n * c.n, sizeof *c.turned);
    jc_free(a, stack, stacked, sizeof *stack);
    return status;
}
