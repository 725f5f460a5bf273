/* Structures of Jacobians of all kinds, of products and of sums, against boolean matrices. */
#include <criterion/criterion.h>
#include <string.h>

#include "graph/graph.h"
#include "plan/elimination/structure.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/jacobian.h"
#include "support/sanitized.h"

/* ---- boolean matrices -------------------------------------------------------------------------------------------- */

typedef struct matrix {
    int64_t rows, cols;
    bool *at; /* [rows * cols] */
} matrix;

static matrix matrix_of(jt_pool *pool, int64_t rows, int64_t cols)
{
    return (matrix){rows, cols, jt_alloc(pool, rows * cols, sizeof(bool))};
}

/* Pairs of entries that meet; the product's entries. */
static matrix multiply(jt_pool *pool, matrix a, matrix b, int64_t *meetings)
{
    matrix c = matrix_of(pool, a.rows, b.cols);
    *meetings = 0;
    for (int64_t i = 0; i < a.rows; i++)
        for (int64_t k = 0; k < a.cols; k++)
            for (int64_t j = 0; j < b.cols; j++)
                if (a.at[i * a.cols + k] && b.at[k * b.cols + j]) c.at[i * c.cols + j] = true, ++*meetings;
    return c;
}

static matrix add(jt_pool *pool, matrix a, matrix b)
{
    matrix c = matrix_of(pool, a.rows, a.cols);
    for (int64_t i = 0; i < a.rows * a.cols; i++) c.at[i] = a.at[i] || b.at[i];
    return c;
}

static int64_t count(matrix a)
{
    int64_t n = 0;
    for (int64_t i = 0; i < a.rows * a.cols; i++) n += a.at[i];
    return n;
}

static bool contains(matrix a, matrix b)
{
    for (int64_t i = 0; i < a.rows * a.cols; i++)
        if (b.at[i] && !a.at[i]) return false;
    return true;
}

/* Entries that blocks have: those of the same block of the batch, and of the same place within it. */
static matrix blocks(jt_pool *pool, int64_t rows, int64_t cols, int64_t batch, int64_t inner)
{
    matrix m = matrix_of(pool, rows, cols);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            m.at[i * cols + j] = i / (rows / batch) == j / (cols / batch) && i % inner == j % inner;
    return m;
}

static matrix expand(jt_pool *pool, const jc_structure *s)
{
    if (s->kind == JC_STRUCTURE_DIAGONAL) return blocks(pool, s->rows, s->cols, s->rows, 1);
    if (s->kind != JC_STRUCTURE_SPARSE) return blocks(pool, s->rows, s->cols, s->batch, s->inner);
    matrix m = matrix_of(pool, s->rows, s->cols);
    for (int64_t i = 0; i < s->rows; i++)
        for (int64_t k = s->indptr[i]; k < s->indptr[i + 1]; k++) {
            cr_assert(k == s->indptr[i] || s->indices[k] > s->indices[k - 1], "columns of a row increase");
            m.at[i * s->cols + s->indices[k]] = true;
        }
    return m;
}

/* ---- random Jacobians -------------------------------------------------------------------------------------------- */

static int64_t gcd(int64_t a, int64_t b)
{
    return b ? gcd(b, a % b) : a;
}

static int64_t divisor(jt_rng *rng, int64_t n)
{
    int64_t d = jt_between(rng, 1, n);
    while (n % d) d--;
    return d;
}

static jt_shape draw_shape(jt_rng *rng, int64_t rows, int64_t cols)
{
    jt_shape s = {.transpose = jt_below(rng, 2), .members = 1, .batched = jt_below(rng, 2)};
    int64_t P = s.transpose ? cols : rows, Q = s.transpose ? rows : cols;
    s.batch = jt_below(rng, 2) ? 1 : divisor(rng, gcd(P, Q));
    s.inner = jt_below(rng, 2) ? 1 : divisor(rng, gcd(P / s.batch, Q / s.batch));
    s.p = P / s.batch / s.inner, s.q = Q / s.batch / s.inner;
    for (;;) {
        s.kind = (jc_kind)jt_below(rng, JC_KIND_COUNT);
        if ((s.kind == JC_DIAGONAL || s.kind == JC_IDENTITY) && s.p != s.q) continue;
        if (s.kind == JC_TILE && s.p % s.q) continue;
        if (s.kind == JC_OPERATOR && s.batch * s.inner > 1) continue;
        break;
    }
    if (s.kind == JC_LOW_RANK) s.m = jt_between(rng, 1, 3);
    if (s.kind == JC_WEIGHT || s.kind == JC_TRACE) s.m = s.p / divisor(rng, gcd(s.p, s.q));
    return s;
}

typedef struct fixture {
    jt_pool pool;
    jt_rng rng;
    jc_structures *s;
    int64_t kinds[4]; /* how often each was met */
} fixture;

static void fixture_init(fixture *f, uint64_t seed)
{
    jc_allocator a = jc_allocator_or_default(NULL);
    *f = (fixture){.rng = {seed}};
    jt_ok(jc_structures_create(&a, &f->s), "structures");
}

static void fixture_fini(fixture *f)
{
    jc_structures_destroy(f->s);
    jt_pool_free(&f->pool);
}

static const jc_structure *at(const fixture *f, int32_t id)
{
    return jc_structures_at(f->s, id);
}

/* An edge's group in a graph that is to be destroyed, and where its entries are. */
static jc_graph *draw_edge(fixture *f, int64_t rows, int64_t cols, matrix *entries)
{
    jc_graph *graph;
    int64_t number;
    jt_shape shape = draw_shape(&f->rng, rows, cols);
    jt_jacobian jac = jt_jacobian_random(&f->pool, &f->rng, &f->rng, &shape, JT_SMALL, JC_F64,
                                         jt_below(&f->rng, 2) ? JC_I64 : JC_I32, (int)jt_below(&f->rng, 3));
    jc_jacobian j = jt_jacobian_public(&f->pool, &jac, false);
    const double *structure = jt_jacobian_structure(&f->pool, &jac, 0);
    *entries = matrix_of(&f->pool, rows, cols);
    for (int64_t i = 0; i < rows * cols; i++) entries->at[i] = structure[i] != 0;
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    jt_ok(jc_graph_add_variable(graph, "x", cols, &number), "x");
    jt_ok(jc_graph_add_variable(graph, "y", rows, &number), "y");
    jt_ok(jc_graph_add_edge(graph, 1, 0, &j, NULL, 0), "edge");
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

/* The structure of a random Jacobian, held against its entries. */
static int32_t draw(fixture *f, int64_t rows, int64_t cols)
{
    matrix entries;
    jc_graph *graph = draw_edge(f, rows, cols, &entries);
    const jc_group *group = jc_graph_group(graph, 0);
    int32_t id, again;
    jt_ok(jc_structures_of(f->s, group, 0, &id), "structure");
    jt_ok(jc_structures_of(f->s, group, 0, &again), "structure");
    cr_assert_eq(id, again, "equal structures have equal numbers");
    const jc_structure *s = at(f, id);
    matrix held = expand(&f->pool, s);
    const char *kind = jc_kind_name(group->shape.kind);
    cr_assert(contains(held, entries), "%s as %s", kind, jc_structure_name(s));
    cr_assert_eq(s->entries, count(held), "%s as %s", kind, jc_structure_name(s));
    if (s->kind >= JC_STRUCTURE_SPARSE) cr_assert(contains(entries, held), "%s as %s", kind, jc_structure_name(s));
    int64_t full = count(blocks(&f->pool, rows, cols, group->shape.batch, group->shape.inner));
    if (count(entries) && 4 * count(entries) <= full && group->shape.kind != JC_LOW_RANK &&
        group->shape.kind != JC_OPERATOR)
        cr_assert(s->kind >= JC_STRUCTURE_SPARSE, "%s is held whole", kind);
    f->kinds[s->kind]++;
    jc_graph_destroy(graph);
    return id;
}

/* ---- products and sums ------------------------------------------------------------------------------------------- */

/* What a result may be: it holds `exact`, a pattern holds nothing else, and blocks are taken where a pattern would have
 * more than a quarter of them. */
static void judge(fixture *f, const jc_structure *a, const jc_structure *b, const jc_structure *c, matrix exact)
{
    matrix held = expand(&f->pool, c);
    const char *what[3] = {jc_structure_name(a), jc_structure_name(b), jc_structure_name(c)};
    bool any_dense = a->kind == JC_STRUCTURE_DENSE || b->kind == JC_STRUCTURE_DENSE;
    bool any_sparse = a->kind == JC_STRUCTURE_SPARSE || b->kind == JC_STRUCTURE_SPARSE;
    cr_assert(contains(held, exact), "%s, %s: %s", what[0], what[1], what[2]);
    cr_assert_eq(c->entries, count(held), "%s, %s: %s", what[0], what[1], what[2]);
    if (c->kind >= JC_STRUCTURE_SPARSE) cr_assert(contains(exact, held), "%s, %s: %s", what[0], what[1], what[2]);
    if (c->kind == JC_STRUCTURE_SPARSE && a->kind != JC_STRUCTURE_DIAGONAL && b->kind != JC_STRUCTURE_DIAGONAL)
        cr_assert_leq(4 * c->entries, count(blocks(&f->pool, c->rows, c->cols, c->batch, c->inner)));
    if (c->kind <= JC_STRUCTURE_BLOCKS && any_sparse && !any_dense && count(exact))
        cr_assert_gt(4 * count(exact), c->entries, "%s, %s: %s", what[0], what[1], what[2]);
    f->kinds[c->kind]++;
}

static int32_t judge_product(fixture *f, int32_t a, int32_t b)
{
    int32_t c;
    int64_t meetings, apply_a = jt_between(&f->rng, 1, 50), apply_b = jt_between(&f->rng, 1, 50);
    jt_ok(jc_structures_product(f->s, a, b, &c), "product");
    const jc_structure sa = *at(f, a), sb = *at(f, b), sc = *at(f, c);
    matrix exact = multiply(&f->pool, expand(&f->pool, &sa), expand(&f->pool, &sb), &meetings);
    judge(f, &sa, &sb, &sc, exact);
    int64_t copies = sc.batch * sc.inner, adjoint = sc.rows / copies * apply_b, tangent = sc.cols / copies * apply_a;
    int64_t expected = sc.kind >= JC_STRUCTURE_SPARSE ? meetings : adjoint < tangent ? adjoint : tangent;
    cr_assert_eq(jc_structures_cost(f->s, a, b, c, apply_a, apply_b), expected);
    cr_assert_eq(jc_structures_cost(f->s, a, b, c, 0, apply_b), 0);
    return c;
}

static int32_t judge_sum(fixture *f, int32_t a, int32_t b)
{
    int32_t c, turned;
    jt_ok(jc_structures_sum(f->s, a, b, &c), "sum");
    jt_ok(jc_structures_sum(f->s, b, a, &turned), "sum");
    cr_assert_eq(c, turned, "a sum does not depend on the order");
    const jc_structure sa = *at(f, a), sb = *at(f, b), sc = *at(f, c);
    judge(f, &sa, &sb, &sc, add(&f->pool, expand(&f->pool, &sa), expand(&f->pool, &sb)));
    return c;
}

static int64_t draw_size(jt_rng *rng)
{
    static const int64_t sizes[] = {1, 2, 4, 6, 8, 12, 12, 18, 24, 24, 36};
    return sizes[jt_below(rng, sizeof sizes / sizeof *sizes)];
}

/* Sums of products of random Jacobians, three factors long. */
Test(elimination_structure, products_and_sums_hold_what_boolean_matrices_say)
{
    int64_t met[4] = {0};
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(400); seed++) {
        fixture f;
        fixture_init(&f, seed + 1);
        for (int i = 0; i < 6; i++) {
            int64_t n[4];
            for (int k = 0; k < 4; k++) n[k] = k && jt_below(&f.rng, 3) ? n[k - 1] : draw_size(&f.rng);
            int32_t a = draw(&f, n[0], n[1]), b = draw(&f, n[1], n[2]), c = draw(&f, n[2], n[3]);
            int32_t ab = judge_sum(&f, judge_product(&f, a, b), draw(&f, n[0], n[2]));
            int32_t abc = judge_product(&f, ab, c);
            judge_sum(&f, abc, draw(&f, n[0], n[3]));
            judge_sum(&f, judge_product(&f, a, judge_product(&f, b, c)), abc);
        }
        for (int k = 0; k < 4; k++) met[k] += f.kinds[k];
        fixture_fini(&f);
    }
    for (int k = 0; k < 4; k++) cr_assert_gt(met[k], 3 * jt_cases(400), "kind %d: %lld", k, (long long)met[k]);
}

/* I_8 (x) D (x) I_3 and I_12 (x) D have blocks of 4 (x) D in common; a diagonal leaves what it meets as it is. */
static jc_group dense_group(int64_t batch, int64_t p, int64_t q, int64_t inner)
{
    int64_t copies = batch * inner;
    jc_group g = {.n_edges = 1, .scale = 1, .ragged = -1, .has_numbers = true};
    g.shape = (jc_shape){JC_DENSE, false, batch, inner, p, q, 0, copies * p, copies * q};
    return g;
}

Test(elimination_structure, blocks_keep_the_common_divisors_of_batch_and_inner)
{
    fixture f;
    int32_t a, b, c, d;
    fixture_init(&f, 1);
    jc_group left = dense_group(8, 5, 3, 6), right = dense_group(12, 3, 7, 4), one = dense_group(1, 2, 2, 1);
    jt_ok(jc_structures_of(f.s, &left, 0, &a), "left");
    jt_ok(jc_structures_of(f.s, &right, 0, &b), "right");
    jt_ok(jc_structures_product(f.s, a, b, &c), "product");
    cr_assert(at(&f, c)->kind == JC_STRUCTURE_BLOCKS && at(&f, c)->batch == 4 && at(&f, c)->inner == 2);
    cr_assert_eq(at(&f, c)->entries, 240 * 336 / 8);
    cr_assert_str_eq(jc_structure_name(at(&f, c)), "blocks");
    left = dense_group(3, 2, 2, 1), right = dense_group(1, 2, 2, 3);
    jt_ok(jc_structures_of(f.s, &left, 0, &a), "left");
    jt_ok(jc_structures_of(f.s, &right, 0, &b), "right");
    cr_assert_str_eq(jc_structure_name(at(&f, a)), "batch blocks");
    cr_assert_str_eq(jc_structure_name(at(&f, b)), "inner blocks");
    jt_ok(jc_structures_product(f.s, a, b, &c), "product");
    cr_assert_str_eq(jc_structure_name(at(&f, c)), "dense");
    one.shape.kind = JC_DIAGONAL;
    one.shape.rows = one.shape.cols = 6, one.shape.p = one.shape.q = 6;
    jt_ok(jc_structures_of(f.s, &one, 0, &d), "diagonal");
    jt_ok(jc_structures_product(f.s, a, d, &c), "product");
    cr_assert_eq(c, a);
    jt_ok(jc_structures_sum(f.s, d, b, &c), "sum");
    cr_assert_eq(c, b);
    one.has_numbers = false;
    jt_ok(jc_structures_of(f.s, &one, 0, &c), "without numbers");
    cr_assert_eq(at(&f, c)->kind, JC_STRUCTURE_DENSE, "a diagonal without numbers counts as a full D");
    fixture_fini(&f);
}

/* A weight and a trace without their x and values: how many inputs they have is not known, nor is a pattern. */
Test(elimination_structure, weights_without_numbers_count_as_a_full_D)
{
    const jc_kind kinds[2] = {JC_WEIGHT, JC_TRACE};
    fixture f;
    int32_t a;
    fixture_init(&f, 1);
    for (int i = 0; i < 2; i++) {
        jc_group weight = {.n_edges = 1, .scale = 1, .ragged = -1, .has_numbers = false};
        weight.shape = (jc_shape){kinds[i], false, 1, 1, 8, 16, 0, 8, 16};
        jt_ok(jc_structures_of(f.s, &weight, 0, &a), "without numbers");
        cr_assert_eq(at(&f, a)->kind, JC_STRUCTURE_DENSE);
        cr_assert_eq(at(&f, a)->entries, 8 * 16);
    }
    fixture_fini(&f);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

/* A tile of q columns has q entries a sample: of 3 10^6 samples of 2 columns half of the entries, of 5 10^6 columns
 * more entries than a pattern may have; sums that are too large for 64 bits are the largest number. */
Test(elimination_structure, what_is_too_large_is_not_looked_at)
{
    fixture f;
    int32_t a, b;
    fixture_init(&f, 1);
    jc_group tile = {.n_edges = 1, .scale = 1, .ragged = -1, .has_numbers = true};
    tile.shape = (jc_shape){JC_TILE, false, 1, 1, 5000000, 5000000, 1, 5000000, 5000000};
    jt_ok(jc_structures_of(f.s, &tile, 0, &a), "tile");
    cr_assert_eq(at(&f, a)->kind, JC_STRUCTURE_DENSE);
    tile.shape = (jc_shape){JC_TILE, false, 1, 1, 3000000, 3000000, 1, 3000000, 3000000};
    jt_ok(jc_structures_of(f.s, &tile, 0, &a), "tile");
    cr_assert_eq(at(&f, a)->kind, JC_STRUCTURE_SPARSE);
    jt_ok(jc_structures_dense(f.s, INT64_C(1) << 40, INT64_C(1) << 40, &b), "dense");
    cr_assert_eq(at(&f, b)->entries, INT64_MAX);
    jt_ok(jc_structures_product(f.s, b, b, &a), "product");
    cr_assert_eq(jc_structures_cost(f.s, b, b, a, INT64_MAX, INT64_MAX), INT64_MAX);
    fixture_fini(&f);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

typedef struct memory {
    failing_allocator allocator;
    jc_allocator public;
    fixture f;
    jc_graph *edge[3];
} memory;

static jc_status structures_body(void *ctx)
{
    memory *m = ctx;
    int32_t id[3], c = -7;
    jc_structures *s;
    jc_status status = jc_structures_create(&m->public, &s);
    if (status) return status;
    for (int i = 0; i < 3 && !status; i++) status = jc_structures_of(s, jc_graph_group(m->edge[i], 0), 0, &id[i]);
    if (!status) status = jc_structures_product(s, id[0], id[1], &c);
    if (!status) status = jc_structures_sum(s, c, id[2], &c);
    jc_structures_destroy(s);
    return status;
}

Test(elimination_structure, every_allocation_may_fail)
{
    memory m;
    matrix entries;
    fixture_init(&m.f, 3);
    m.public = failing_allocator_init(&m.allocator, -1);
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 3; i++) m.edge[i] = draw_edge(&m.f, 12, 12, &entries);
        failing_allocator_sweep(&m.allocator, "structures", structures_body, &m);
        for (int i = 0; i < 3; i++) jc_graph_destroy(m.edge[i]);
    }
    cr_assert(m.allocator.live_blocks == 0 && m.allocator.defects == 0);
    fixture_fini(&m.f);
}
