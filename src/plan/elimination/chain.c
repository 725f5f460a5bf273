/* Chains: the best bracketing of D_j .. D_i by dynamic programming, C[j,i] the least cost of the matrix of the product
 * of the factors i .. j (i next to the source), D_k being m_k x n_k, with m_k = n_(k+1):
 *
 *     C[j,j] = convert_j                                  min(n_j t_j, m_j a_j) for an operator, else 0
 *     C[j,i] = min of
 *              C[j-1,i] + n_i t_j                         D_j applied to n_i columns
 *              C[j,i+1] + m_j a_i                         D_i applied to m_j rows
 *              min over i <= k < j of  C[j,k+1] + C[k,i] + m_j m_k n_i
 *
 * which is the recurrence of generalized Jacobian chains (Naumann, arXiv 2003.05755 and 2406.11862): a run of factors
 * applied one after the other is a run of the first or second line. Where structures are known, S[j,i] is that of
 * D_j .. D_i as it is bracketed, and the three products cost what structure.h says of it. A longer chain is cut at
 * narrow nodes into pieces, each bracketed for itself, and then the chain of their matrices is. */
#include <string.h>

#include "core/size.h"
#include "plan/elimination/search.h"

/* Factors of a chain, or of a piece of it. */
typedef struct factors {
    int64_t n;
    int64_t *size;                        /* [n + 1]: D_k is size[k + 1] x size[k] */
    int64_t *tangent, *adjoint, *convert; /* [n] t_k, a_k, C[k,k] */
    int32_t *structure;                   /* [n] */
    jc_structures *structures;            /* NULL: dense matrices */
} factors;

typedef struct bracketing {
    const jc_allocator *allocator;
    factors f;
    int64_t n_stack;
    int64_t *cost;      /* [n][n]: cost[j n + i], i <= j */
    int64_t *turned;    /* [n][n]: turned[i n + j] is the same, so that both are read in order */
    int64_t *stack;     /* [n_stack] */
    int64_t largest;    /* of size */
    int64_t highest;    /* of cost */
    int32_t *structure; /* [n][n]: S[j,i] at j n + i; NULL without a table */
    bool by_brackets;   /* S[j,i] depends on the bracketing: there are sparse factors */
    jc_status status;   /* of looking structures up: then costs are INT64_MAX */
} bracketing;

bool jc_pairs_are_chain(const jc_pairs *p)
{
    if (p->n_pairs != p->n_inner + 1 || p->n_nodes != p->n_inner + 2) return false;
    for (int64_t i = 0; i < p->n_pairs; i++)
        if (p->pairs[i].wrt != i || p->pairs[i].of != i + 1) return false;
    for (int64_t v = 1; v <= p->n_inner; v++)
        if (p->is_target[v] || p->is_source[v]) return false;
    return true;
}

/* ---- one bracketing ---------------------------------------------------------------------------------------------- */

/* The product of k+1 .. j and i .. k, of which the left one costs apply_left a column, the right one apply_right a row.
 */
static int64_t product_cost(bracketing *b, int64_t j, int64_t k, int64_t i, int64_t apply_left, int64_t apply_right)
{
    int64_t n = b->f.n;
    if (!b->structure) return jc_min(jc_cost_mul(b->f.size[i], apply_left), jc_cost_mul(b->f.size[j + 1], apply_right));
    int32_t left = b->structure[j * n + k + 1], right = b->structure[k * n + i], product = b->structure[j * n + i];
    if (b->by_brackets && !b->status) b->status = jc_structures_product(b->f.structures, left, right, &product);
    if (b->status) return INT64_MAX;
    return jc_structures_cost(b->f.structures, left, right, product, apply_left, apply_right);
}

/* C[j-1,i] + n_i t_j */
static int64_t tangent_cost(bracketing *b, int64_t j, int64_t i)
{
    return jc_cost_add(b->cost[(j - 1) * b->f.n + i], product_cost(b, j, j - 1, i, b->f.tangent[j], INT64_MAX));
}

/* C[j,i+1] + m_j a_i */
static int64_t adjoint_cost(bracketing *b, int64_t j, int64_t i)
{
    return jc_cost_add(b->cost[j * b->f.n + i + 1], product_cost(b, j, i, i, INT64_MAX, b->f.adjoint[i]));
}

/* Entries that hold the matrix of i .. j. */
static int64_t held(bracketing *b, int64_t j, int64_t i)
{
    return b->structure ? jc_structures_at(b->f.structures, b->structure[j * b->f.n + i])->entries
                        : jc_cost_mul(b->f.size[j + 1], b->f.size[i]);
}

/* C[j,k+1] + C[k,i] + m_j m_k n_i */
static int64_t split_cost(bracketing *b, int64_t j, int64_t i, int64_t k)
{
    int64_t product = product_cost(b, j, k, i, held(b, j, k + 1), held(b, k, i));
    return jc_cost_add(jc_cost_add(b->cost[j * b->f.n + k + 1], b->cost[k * b->f.n + i]), product);
}

/* The least split_cost, without the checks of each sum where nothing can be too large. */
static int64_t best_split(bracketing *b, int64_t j, int64_t i)
{
    const int64_t *left = b->cost + j * b->f.n + 1, *right = b->turned + i * b->f.n, *inner = b->f.size + 1;
    int64_t least = INT64_MAX, both = jc_cost_mul(b->f.size[j + 1], b->f.size[i]), most = INT64_MAX / 4;
    if (b->structure || jc_cost_mul(both, b->largest) > most || b->highest > most) {
        for (int64_t k = i; k < j; k++) least = jc_min(least, split_cost(b, j, i, k));
        return least;
    }
    for (int64_t k = i; k < j; k++) {
        int64_t cost = left[k] + right[k] + both * inner[k];
        least = cost < least ? cost : least;
    }
    return least;
}

static int64_t least_cost(bracketing *b, int64_t j, int64_t i)
{
    if (i == j) return b->f.convert[j];
    return jc_min(jc_min(tangent_cost(b, j, i), adjoint_cost(b, j, i)), best_split(b, j, i));
}

/* The node between the factors whose product was the last one to form i .. j; node k + 1 lies behind factor k. */
static int64_t last_node(bracketing *b, int64_t j, int64_t i)
{
    int64_t cost = b->cost[j * b->f.n + i];
    if (tangent_cost(b, j, i) == cost) return j;
    if (adjoint_cost(b, j, i) == cost) return i + 1;
    int64_t k = i;
    while (k < j - 1 && split_cost(b, j, i, k) != cost) k++;
    return k + 1;
}

/* S[j,i] of the product that `node` lies between; node j: of D_j (D_(j-1) .. D_i). */
static void set_structure(bracketing *b, int64_t j, int64_t i, int64_t node)
{
    int64_t n = b->f.n;
    if (i == j)
        b->structure[j * n + j] = b->f.structure[j];
    else if (!b->status)
        b->status = jc_structures_product(b->f.structures, b->structure[j * n + node], b->structure[(node - 1) * n + i],
                                          &b->structure[j * n + i]);
}

/* Structures of blocks are those of the products in any order, and are there before the costs; those of patterns, which
 * may become blocks, are those of the best bracketing. */
static void fill_costs(bracketing *b)
{
    b->largest = b->highest = 0;
    for (int64_t v = 0; v <= b->f.n; v++) b->largest = jc_max(b->largest, b->f.size[v]);
    for (int64_t j = 0; j < b->f.n && !b->status; j++)
        for (int64_t i = j; i >= 0 && !b->status; i--) {
            if (b->structure && !b->by_brackets) set_structure(b, j, i, j);
            int64_t cost = least_cost(b, j, i);
            b->cost[j * b->f.n + i] = b->turned[i * b->f.n + j] = cost;
            b->highest = jc_max(b->highest, cost);
            if (b->by_brackets) set_structure(b, j, i, i == j ? j : last_node(b, j, i));
        }
}

/* The order from its end: the node of the whole chain is the last one. */
static void write_order(bracketing *b, int64_t *order)
{
    int64_t depth = 0, n = b->f.n - 1, *stack = b->stack;
    stack[depth++] = b->f.n - 1, stack[depth++] = 0;
    while (depth) {
        int64_t i = stack[--depth], j = stack[--depth];
        if (i == j) continue;
        int64_t node = last_node(b, j, i);
        order[--n] = node;
        stack[depth++] = j, stack[depth++] = node;
        stack[depth++] = node - 1, stack[depth++] = i;
    }
}

static jc_status bracketing_init(bracketing *b, const jc_allocator *a, const factors *f)
{
    *b = (bracketing){.allocator = a, .f = *f, .n_stack = 4 * f->n + 4};
    for (int64_t k = 0; k < f->n && f->structures; k++)
        b->by_brackets |= jc_structures_at(f->structures, f->structure[k])->kind == JC_STRUCTURE_SPARSE;
    const char *what = "the bracketing of a chain";
    jc_status status = jc_alloc(a, f->n * f->n, sizeof *b->cost, what, &b->cost);
    if (!status) status = jc_alloc(a, f->n * f->n, sizeof *b->turned, what, &b->turned);
    if (!status) status = jc_alloc(a, b->n_stack, sizeof *b->stack, what, &b->stack);
    if (!status && f->structures) status = jc_alloc(a, f->n * f->n, sizeof *b->structure, what, &b->structure);
    return status;
}

static void bracketing_fini(bracketing *b)
{
    jc_free(b->allocator, b->cost, b->f.n * b->f.n, sizeof *b->cost);
    jc_free(b->allocator, b->turned, b->f.n * b->f.n, sizeof *b->turned);
    jc_free(b->allocator, b->stack, b->n_stack, sizeof *b->stack);
    jc_free(b->allocator, b->structure, b->f.n * b->f.n, sizeof *b->structure);
}

/* order: [n - 1] nodes 1 .. n-1 of the factors. structure: of their product; 0 without a table. */
static jc_status bracket(const jc_allocator *a, const factors *f, int64_t *order, int64_t *cost, int32_t *structure)
{
    bracketing b;
    jc_status status = bracketing_init(&b, a, f);
    if (!status) fill_costs(&b), status = b.status;
    if (!status) {
        write_order(&b, order);
        *cost = b.cost[(f->n - 1) * f->n];
        *structure = b.structure ? b.structure[(f->n - 1) * f->n] : 0;
    }
    bracketing_fini(&b);
    return status;
}

/* ---- long chains ------------------------------------------------------------------------------------------------- */

enum { PIECE = 100 };

/* The end of the piece that begins at node `from`: the narrowest node about PIECE factors on. */
static int64_t piece_end(const factors *f, int64_t from)
{
    if (f->n - from <= PIECE + PIECE / 2) return f->n;
    int64_t end = from + PIECE / 2;
    for (int64_t v = end; v <= from + PIECE + PIECE / 2 && v < f->n; v++)
        if (f->size[v] < f->size[end]) end = v;
    return end;
}

static factors piece_of(const factors *f, int64_t from, int64_t end)
{
    return (factors){end - from,        f->size + from,      f->tangent + from, f->adjoint + from,
                     f->convert + from, f->structure + from, f->structures};
}

/* Brackets the pieces of `f`, whose nodes are written to `order` one piece after the other, and makes the chain of
 * their matrices: whole, with whole_node [..] the node of `f` behind each. */
static jc_status bracket_pieces(const jc_allocator *a, const factors *f, factors *whole, int64_t *whole_node,
                                int64_t *order, int64_t *n_order)
{
    jc_status status = JC_OK;
    int64_t n = 0;
    whole->size[0] = f->size[0];
    for (int64_t from = 0, end; from < f->n && !status; from = end, n++) {
        end = piece_end(f, from);
        factors piece = piece_of(f, from, end);
        int64_t *at = order + *n_order;
        status = bracket(a, &piece, at, &whole->convert[n], &whole->structure[n]);
        for (int64_t i = 0; i < piece.n - 1; i++) at[i] += from;
        *n_order += piece.n - 1;
        whole_node[n] = end;
        whole->size[n + 1] = f->size[end];
        whole->tangent[n] = whole->adjoint[n] = f->structures && !status
                                                    ? jc_structures_at(f->structures, whole->structure[n])->entries
                                                    : jc_cost_mul(f->size[from], f->size[end]);
    }
    whole->n = n;
    return status;
}

static jc_status bracket_long(const jc_allocator *a, const factors *f, int64_t *order, int64_t *cost)
{
    int64_t most = f->n / (PIECE / 2) + 2, n_order = 0, *memory;
    int32_t *structure, whole_structure;
    jc_status status = jc_alloc(a, 5 * most + 1, sizeof *memory, "the bracketing of a chain", &memory);
    if (status) return status;
    status = jc_alloc(a, most, sizeof *structure, "the bracketing of a chain", &structure);
    if (status) goto done;
    int64_t *whole_node = memory + 4 * most + 1;
    factors whole = {0,         memory,       memory + most + 1, memory + 2 * most + 1, memory + 3 * most + 1,
                     structure, f->structures};
    status = bracket_pieces(a, f, &whole, whole_node, order, &n_order);
    if (!status) status = bracket(a, &whole, order + n_order, cost, &whole_structure);
    for (int64_t i = n_order; i < f->n - 1 && !status; i++) order[i] = whole_node[order[i] - 1];
    jc_free(a, structure, most, sizeof *structure);
done:
    jc_free(a, memory, 5 * most + 1, sizeof *memory);
    return status;
}

/* ---- the chain of the pairs -------------------------------------------------------------------------------------- */

/* Applying a pair: operators, and the rest edge by edge or as a dense matrix. */
static void fill_factors(const jc_pairs *p, factors *f)
{
    for (int64_t k = 0; k < f->n; k++) {
        int64_t given = jc_min(p->pairs[k].explicit_cost, jc_pair_held(p, k));
        f->structure[k] = p->pairs[k].structure;
        f->tangent[k] = jc_cost_add(given, p->pairs[k].tangent);
        f->adjoint[k] = jc_cost_add(given, p->pairs[k].adjoint);
        f->convert[k] = p->pairs[k].convert;
    }
}

/* n^3 / 6 products are looked at, each in a nanosecond, with structures in some twenty. */
int64_t jc_chain_limit(const jc_pairs *pairs, int64_t work)
{
    enum { STRUCTURED = 300, STRUCTURED_STEPS = 20, STEPS_OF_WORK = 30 };
    int64_t limit = pairs->structures ? STRUCTURED : JC_CHAIN_EXACT, steps = pairs->structures ? STRUCTURED_STEPS : 1;
    int64_t most = jc_cost_mul(STEPS_OF_WORK, work);
    while (limit > PIECE + PIECE / 2 && (limit - 1) * (limit - 1) * (limit - 1) / 6 * steps > most) limit--;
    return limit;
}

/* Pairs of entries that meet are counted for each of the n^3 / 6 products of sparse ones. */
bool jc_chain_is_cheap(const jc_pairs *p, int64_t work)
{
    enum { MOST = 200000000 };
    int64_t n = p->n_pairs, longest = jc_min(n, jc_chain_limit(p, work)), largest = 0;
    if (n >= JC_CHAIN_LONG) return false;
    for (int64_t k = 0; k < n && p->structures; k++)
        if (jc_structures_at(p->structures, p->pairs[k].structure)->kind == JC_STRUCTURE_SPARSE)
            largest = jc_max(largest, jc_pair_held(p, k));
    return jc_cost_mul(largest, jc_cost_mul(n, longest * longest / 6)) <= MOST;
}

jc_status jc_chain_order(const jc_pairs *pairs, int64_t work, int64_t *order, int64_t *cost)
{
    int64_t n = pairs->n_pairs, *memory;
    int32_t *structure = NULL, whole;
    const jc_allocator *a = pairs->allocator;
    jc_status status = jc_alloc(a, 3 * n, sizeof *memory, "the bracketing of a chain", &memory);
    if (status) return status;
    status = jc_alloc(a, n, sizeof *structure, "the bracketing of a chain", &structure);
    if (!status) {
        factors f = {n, pairs->subgraph->size, memory, memory + n, memory + 2 * n, structure, pairs->structures};
        fill_factors(pairs, &f);
        bool exact = n < jc_chain_limit(pairs, work);
        status = exact ? bracket(a, &f, order, cost, &whole) : bracket_long(a, &f, order, cost);
    }
    jc_free(a, structure, n, sizeof *structure);
    jc_free(a, memory, 3 * n, sizeof *memory);
    return status;
}
