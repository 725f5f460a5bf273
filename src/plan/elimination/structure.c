#include "plan/elimination/structure.h"

#include <string.h>

#include "core/size.h"
#include "graph/table.h"
#include "plan/elimination/pattern.h"

static const char *const WHAT = "the structure of products";

/* Patterns of more entries are not held; nor are more entries in all; beyond so many entries looked at (some second)
 * no more patterns are made. */
enum { MOST_ENTRIES = 4000000, MOST_HELD = 16000000, MOST_MEETINGS = 16000000, MOST_WORK = 200000000 };

/* The quarter beyond which a pattern is held as its blocks. */
enum { PART = 4 };

typedef enum operation { PRODUCT, SUM } operation;

/* A product or sum that was looked up before. */
typedef struct known {
    operation operation;
    int32_t a, b, c;
    int64_t meetings;
} known;

struct jc_structures {
    jc_allocator allocator;
    jc_vec at;     /* jc_structure */
    jc_table find; /* them by content */
    jc_vec known;  /* known */
    jc_table known_by;
    int64_t held, work; /* entries of patterns: held, looked at */
    int64_t most_work;
};

/* ---- the table of structures ------------------------------------------------------------------------------------- */

jc_status jc_structures_create(const jc_allocator *allocator, jc_structures **structures)
{
    jc_structures *s;
    jc_status status = jc_alloc_zero(allocator, 1, sizeof *s, WHAT, &s);
    if (status) return status;
    s->allocator = *allocator;
    s->at = jc_vec_of(sizeof(jc_structure));
    s->known = jc_vec_of(sizeof(known));
    s->most_work = MOST_WORK;
    *structures = s;
    return JC_OK;
}

static jc_structure *at(const jc_structures *s, int32_t id)
{
    return (jc_structure *)s->at.data + id;
}

const jc_structure *jc_structures_at(const jc_structures *s, int32_t id)
{
    return at(s, id);
}

void jc_structures_limit(jc_structures *s, int64_t most_work)
{
    s->most_work = jc_min(most_work, MOST_WORK);
}

int64_t jc_structures_work(const jc_structures *s)
{
    return s->work;
}

static jc_pattern pattern_of(const jc_structure *s)
{
    return (jc_pattern){s->rows, s->cols, s->entries, s->indptr, s->indices};
}

static void free_pattern(const jc_allocator *a, const jc_structure *s)
{
    jc_pattern p = pattern_of(s);
    if (s->kind == JC_STRUCTURE_SPARSE) jc_pattern_free(a, &p);
}

void jc_structures_destroy(jc_structures *s)
{
    if (!s) return;
    jc_allocator a = s->allocator;
    for (int64_t i = 0; i < s->at.count; i++) free_pattern(&a, at(s, (int32_t)i));
    jc_vec_free(&a, &s->at);
    jc_table_free(&a, &s->find);
    jc_vec_free(&a, &s->known);
    jc_table_free(&a, &s->known_by);
    jc_free(&a, s, 1, sizeof *s);
}

static uint64_t hash_of(const jc_structure *s)
{
    int64_t words[6] = {s->kind, s->rows, s->cols, s->batch, s->inner, s->entries};
    uint64_t hash[3] = {jc_hash(words, sizeof words)};
    if (s->kind != JC_STRUCTURE_SPARSE) return hash[0];
    hash[1] = jc_hash(s->indptr, (size_t)(s->rows + 1) * sizeof *s->indptr);
    hash[2] = jc_hash(s->indices, (size_t)s->entries * sizeof *s->indices);
    return jc_hash(hash, sizeof hash);
}

typedef struct wanted {
    const jc_structures *table;
    const jc_structure *structure;
} wanted;

static bool equal(const void *ctx, int64_t id)
{
    const wanted *w = ctx;
    const jc_structure *x = w->structure, *y = at(w->table, (int32_t)id);
    if (x->kind != y->kind || x->rows != y->rows || x->cols != y->cols || x->batch != y->batch || x->inner != y->inner)
        return false;
    if (x->kind != JC_STRUCTURE_SPARSE) return true;
    return x->entries == y->entries && !memcmp(x->indptr, y->indptr, (size_t)(x->rows + 1) * sizeof *x->indptr) &&
           !memcmp(x->indices, y->indices, (size_t)x->entries * sizeof *x->indices);
}

/* The number of a structure, which gets one where it is new. A pattern is taken over, also on failure. */
static jc_status intern(jc_structures *s, const jc_structure *structure, int32_t *id)
{
    wanted w = {s, structure};
    uint64_t hash = hash_of(structure);
    int64_t found = jc_table_find(&s->find, hash, equal, &w);
    jc_status status = JC_OK;
    if (found < 0) {
        status = jc_table_reserve(&s->allocator, &s->find, 1, WHAT);
        if (!status) status = jc_vec_append(&s->allocator, &s->at, structure, 1, WHAT);
    }
    if (found >= 0 || status)
        free_pattern(&s->allocator, structure);
    else {
        found = s->at.count - 1;
        jc_table_insert(&s->find, hash, found);
        if (structure->kind == JC_STRUCTURE_SPARSE) s->held += structure->entries;
    }
    if (!status) *id = (int32_t)found;
    return status;
}

/* BLOCKS, or DENSE where it is one block. */
static jc_structure blocks(int64_t rows, int64_t cols, int64_t batch, int64_t inner)
{
    bool one = batch == 1 && inner == 1;
    return (jc_structure){.kind = one ? JC_STRUCTURE_DENSE : JC_STRUCTURE_BLOCKS,
                          .rows = rows,
                          .cols = cols,
                          .batch = batch,
                          .inner = inner,
                          .entries = jc_cost_mul(rows, cols / (batch * inner))};
}

static jc_status intern_blocks(jc_structures *s, int64_t rows, int64_t cols, int64_t batch, int64_t inner, int32_t *id)
{
    jc_structure structure = blocks(rows, cols, batch, inner);
    return intern(s, &structure, id);
}

/* A diagonal of one entry is a dense matrix of one. */
static jc_status intern_diagonal(jc_structures *s, int64_t n, int32_t *id)
{
    jc_structure diagonal = {JC_STRUCTURE_DIAGONAL, n, n, 1, 1, n, NULL, NULL};
    return n == 1 ? jc_structures_dense(s, 1, 1, id) : intern(s, &diagonal, id);
}

/* Takes the pattern over. */
static jc_status intern_pattern(jc_structures *s, const jc_pattern *p, int64_t batch, int64_t inner, int32_t *id)
{
    jc_structure sparse = {JC_STRUCTURE_SPARSE, p->rows, p->cols, batch, inner, p->entries, p->indptr, p->indices};
    return intern(s, &sparse, id);
}

jc_status jc_structures_dense(jc_structures *s, int64_t rows, int64_t cols, int32_t *id)
{
    return intern_blocks(s, rows, cols, 1, 1, id);
}

/* ---- kinds of Jacobians ------------------------------------------------------------------------------------------ */

/* What a Jacobian of each kind is. SPARSE: its pattern, jc_pattern_of. BLOCKS: of its batch and inner. */
static const jc_structure_kind structure_of[JC_KIND_COUNT] = {
    [JC_DENSE] = JC_STRUCTURE_BLOCKS,   [JC_DIAGONAL] = JC_STRUCTURE_DIAGONAL, [JC_IDENTITY] = JC_STRUCTURE_DIAGONAL,
    [JC_CSR] = JC_STRUCTURE_SPARSE,     [JC_LOW_RANK] = JC_STRUCTURE_BLOCKS,   [JC_SELECT] = JC_STRUCTURE_SPARSE,
    [JC_WEIGHT] = JC_STRUCTURE_SPARSE,  [JC_TILE] = JC_STRUCTURE_SPARSE,       [JC_TRACE] = JC_STRUCTURE_SPARSE,
    [JC_OPERATOR] = JC_STRUCTURE_DENSE,
};

/* Most entries of a pattern in blocks of `full` entries that is made now: -1 where no more are. */
static int64_t most_entries(const jc_structures *s, int64_t full)
{
    if (s->work >= s->most_work) return -1;
    return jc_min(jc_min(full / PART, MOST_ENTRIES), MOST_HELD - s->held);
}

/* Whether its pattern is there to be read, and is neither empty nor too large; else its blocks hold it. */
static bool has_pattern(const jc_structures *s, const jc_group *group, const jc_structure *full)
{
    bool sparse = structure_of[group->shape.kind] == JC_STRUCTURE_SPARSE && !jc_group_only_structure(group);
    for (int f = 0; sparse && f < jc_kinds[group->shape.kind].n_fields; f++)
        if (jc_kinds[group->shape.kind].field[f].is_index && (!group->field[f].data || group->field[f].on_device))
            return false;
    if (!sparse) return false;
    int64_t entries = jc_pattern_entries(&group->shape);
    return entries > 0 && entries <= most_entries(s, full->entries);
}

jc_status jc_structures_of(jc_structures *s, const jc_group *group, int64_t member, int32_t *id)
{
    const jc_shape *shape = &group->shape;
    jc_structure_kind kind = jc_group_only_structure(group) ? JC_STRUCTURE_BLOCKS : structure_of[shape->kind];
    jc_structure full = blocks(shape->rows, shape->cols, shape->batch, shape->inner);
    if (kind == JC_STRUCTURE_DIAGONAL) return intern_diagonal(s, shape->rows, id);
    if (kind == JC_STRUCTURE_DENSE) return jc_structures_dense(s, shape->rows, shape->cols, id);
    if (!has_pattern(s, group, &full)) return intern(s, &full, id);
    jc_jac jac = jc_group_member(group, member, NULL);
    jc_pattern pattern;
    s->work += jc_pattern_entries(shape) + shape->rows;
    jc_status status = jc_pattern_of(&s->allocator, &jac, &pattern);
    return status ? status : intern_pattern(s, &pattern, shape->batch, shape->inner, id);
}

bool jc_structures_share(const jc_group *group)
{
    for (int f = 0; f < jc_kinds[group->shape.kind].n_fields; f++)
        if (jc_kinds[group->shape.kind].field[f].is_index && group->field[f].stride) return false;
    return true;
}

/* ---- products and sums ------------------------------------------------------------------------------------------- */

static int64_t divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b, b = rest;
    }
    return a;
}

/* What holds A B, or A + B: blocks of the batch and inner that both have. A diagonal is in blocks of any. */
static jc_structure common_blocks(const jc_structure *a, const jc_structure *b, operation how)
{
    const jc_structure *x = a->kind == JC_STRUCTURE_DIAGONAL ? b : a, *y = b->kind == JC_STRUCTURE_DIAGONAL ? a : b;
    int64_t cols = how == PRODUCT ? b->cols : a->cols;
    return blocks(a->rows, cols, divisor(x->batch, y->batch), divisor(x->inner, y->inner));
}

/* The pattern of a structure that is not DENSE; *made: it is to be freed. *fits = false: too large. */
static jc_status need_pattern(jc_structures *s, const jc_structure *x, bool *fits, bool *made, jc_pattern *p)
{
    bool diagonal = x->kind == JC_STRUCTURE_DIAGONAL;
    *p = pattern_of(x);
    *made = x->kind != JC_STRUCTURE_SPARSE;
    *fits = x->entries <= MOST_ENTRIES;
    if (!*made || !*fits) return *made = false, JC_OK;
    s->work += x->entries;
    if (diagonal) return jc_pattern_of_blocks(&s->allocator, 1, 1, x->rows, 1, p);
    return jc_pattern_of_blocks(&s->allocator, jc_structure_rows(x), jc_structure_cols(x), x->batch, x->inner, p);
}

/* A B or A + B as a pattern, where it has at most a quarter of the entries of `full`. */
static jc_status combine(jc_structures *s, operation how, const jc_pattern *a, const jc_pattern *b,
                         const jc_structure *full, bool *fits, jc_pattern *c)
{
    int64_t work = how == PRODUCT ? jc_pattern_meetings(a, b) : a->entries + b->entries;
    int64_t most = most_entries(s, full->entries);
    *fits = work <= MOST_MEETINGS && most >= 0;
    s->work += a->entries + a->rows + (*fits ? work : 0);
    if (!*fits) return JC_OK;
    return how == PRODUCT ? jc_pattern_product(&s->allocator, a, b, most, fits, c)
                          : jc_pattern_sum(&s->allocator, a, b, most, fits, c);
}

static jc_status by_patterns(jc_structures *s, operation how, const jc_structure *a, const jc_structure *b, int32_t *id)
{
    jc_structure full = common_blocks(a, b, how);
    jc_pattern p[2], c;
    bool fits[2] = {false}, made[2] = {false}, fit = false;
    jc_status status = need_pattern(s, a, &fits[0], &made[0], &p[0]);
    if (!status && fits[0]) status = need_pattern(s, b, &fits[1], &made[1], &p[1]);
    if (!status && fits[0] && fits[1]) status = combine(s, how, &p[0], &p[1], &full, &fit, &c);
    for (int i = 0; i < 2; i++)
        if (made[i] && p[i].indptr) jc_pattern_free(&s->allocator, &p[i]);
    if (status) return status;
    if (fit && c.entries) return intern_pattern(s, &c, full.batch, full.inner, id);
    if (fit) jc_pattern_free(&s->allocator, &c);
    return intern(s, &full, id);
}

/* What the structure of a product or a sum is. */
typedef enum rule {
    LEFT,     /* that of A */
    RIGHT,    /* that of B */
    COMMON,   /* blocks of the common divisors of their batches and of their inners */
    PATTERNS, /* their patterns', where that is at most a quarter of COMMON; else COMMON */
    FULL      /* dense */
} rule;

/* [operation][A][B], in the order DENSE, BLOCKS, SPARSE, DIAGONAL. */
static const rule rules[2][4][4] = {
    [PRODUCT] = {{FULL, FULL, FULL, LEFT},
                 {FULL, COMMON, PATTERNS, LEFT},
                 {FULL, PATTERNS, PATTERNS, LEFT},
                 {RIGHT, RIGHT, RIGHT, RIGHT}},
    [SUM] = {{LEFT, LEFT, LEFT, LEFT},
             {RIGHT, COMMON, PATTERNS, COMMON},
             {RIGHT, PATTERNS, PATTERNS, PATTERNS},
             {RIGHT, COMMON, PATTERNS, LEFT}},
};

static jc_status apply_rule(jc_structures *s, operation how, int32_t ia, int32_t ib, int32_t *id)
{
    jc_structure a = *at(s, ia), b = *at(s, ib), c;
    switch (rules[how][a.kind][b.kind]) {
    case LEFT:
        *id = ia;
        return JC_OK;
    case RIGHT:
        *id = ib;
        return JC_OK;
    case COMMON:
        c = common_blocks(&a, &b, how);
        return intern(s, &c, id);
    case PATTERNS:
        return ia == ib && how == SUM ? (*id = ia, JC_OK) : by_patterns(s, how, &a, &b, id);
    default:
        return jc_structures_dense(s, a.rows, b.cols, id);
    }
}

/* ---- looked up --------------------------------------------------------------------------------------------------- */

typedef struct question {
    const jc_structures *table;
    operation operation;
    int32_t a, b;
} question;

static bool answers(const void *ctx, int64_t i)
{
    const question *q = ctx;
    const known *k = (const known *)q->table->known.data + i;
    return k->operation == q->operation && k->a == q->a && k->b == q->b;
}

/* Fibonacci hashing of the question, packed in a word (Knuth, The Art of Computer Programming 3, 6.4). */
static uint64_t hash_question(const question *q)
{
    uint64_t word = ((uint64_t)(uint32_t)q->a << 32 | (uint32_t)q->b) * 2 + q->operation;
    word *= UINT64_C(0x9E3779B97F4A7C15);
    return word ^ word >> 32;
}

/* What is known of it, or NULL. */
static const known *look_up(const question *q)
{
    int64_t i = jc_table_find(&q->table->known_by, hash_question(q), answers, q);
    return i < 0 ? NULL : (const known *)q->table->known.data + i;
}

static jc_status find_out(jc_structures *s, const question *q, int32_t *id)
{
    known k = {q->operation, q->a, q->b, 0, 0};
    jc_status status = apply_rule(s, q->operation, q->a, q->b, &k.c);
    if (!status) status = jc_table_reserve(&s->allocator, &s->known_by, 1, WHAT);
    if (status) return status;
    if (q->operation == PRODUCT && at(s, k.c)->kind >= JC_STRUCTURE_SPARSE)
        k.meetings = jc_structures_meetings(s, q->a, q->b);
    status = jc_vec_append(&s->allocator, &s->known, &k, 1, WHAT);
    if (status) return status;
    jc_table_insert(&s->known_by, hash_question(q), s->known.count - 1);
    *id = k.c;
    return JC_OK;
}

static jc_status answer(jc_structures *s, operation how, int32_t a, int32_t b, int32_t *id)
{
    question q = {s, how, a, b};
    const known *k = look_up(&q);
    if (!k) return find_out(s, &q, id);
    *id = k->c;
    return JC_OK;
}

jc_status jc_structures_product(jc_structures *s, int32_t a, int32_t b, int32_t *id)
{
    return answer(s, PRODUCT, a, b, id);
}

jc_status jc_structures_sum(jc_structures *s, int32_t a, int32_t b, int32_t *id)
{
    if (a != b) return answer(s, SUM, a, b, id);
    *id = a;
    return JC_OK;
}

/* ---- costs ------------------------------------------------------------------------------------------------------- */

int64_t jc_structures_meetings(const jc_structures *s, int32_t ia, int32_t ib)
{
    const jc_structure *a = at(s, ia), *b = at(s, ib);
    jc_pattern pa = pattern_of(a), pb = pattern_of(b);
    if (a->kind == JC_STRUCTURE_DIAGONAL) return b->entries;
    if (b->kind == JC_STRUCTURE_DIAGONAL) return a->entries;
    if (b->kind != JC_STRUCTURE_SPARSE) return jc_cost_mul(a->entries, jc_structure_cols(b));
    if (a->kind != JC_STRUCTURE_SPARSE) return jc_cost_mul(b->entries, jc_structure_rows(a));
    return jc_pattern_meetings(&pa, &pb);
}

int64_t jc_structures_cost(jc_structures *s, int32_t a, int32_t b, int32_t ic, int64_t apply_a, int64_t apply_b)
{
    const jc_structure *c = at(s, ic);
    if (c->kind == JC_STRUCTURE_DENSE || c->kind == JC_STRUCTURE_BLOCKS)
        return jc_min(jc_cost_mul(jc_structure_rows(c), apply_b), jc_cost_mul(jc_structure_cols(c), apply_a));
    if (!apply_a || !apply_b) return 0;
    question q = {s, PRODUCT, a, b};
    const known *k = look_up(&q);
    return k && at(s, k->c)->kind >= JC_STRUCTURE_SPARSE ? k->meetings : jc_structures_meetings(s, a, b);
}

const char *jc_structure_name(const jc_structure *s)
{
    switch (s->kind) {
    case JC_STRUCTURE_BLOCKS:
        return s->inner == 1 ? "batch blocks" : s->batch == 1 ? "inner blocks" : "blocks";
    case JC_STRUCTURE_SPARSE:
        return "sparse";
    case JC_STRUCTURE_DIAGONAL:
        return "diagonal";
    default:
        return "dense";
    }
}
