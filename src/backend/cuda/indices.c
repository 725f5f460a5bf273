/* csr and select by what is summed into an entry of the output, and scales: arrays that belong to the program's
 * structure and are written once, when a run is opened. csr TANGENT is as the graph has it; the others are sorted by
 * column, a counting sort per member and block. 32-bit numbers where all of them fit. */
#include <string.h>

#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

static const char *const WHAT = "the indices of a program";

/* ---- where they lie ---------------------------------------------------------------------------------------------- */

typedef struct placing {
    int64_t bytes;
    bool fits;
} placing;

static int64_t take(placing *p, int64_t n, int64_t element)
{
    int64_t at = p->bytes, bytes;
    p->fits =
        p->fits && jc_size_mul(n, element, &bytes) && jc_size_add(at, bytes, &p->bytes) && p->bytes < INT64_MAX / 2;
    if (p->fits) p->bytes = jc_round_up(p->bytes, JC_CUDA_ALIGN);
    return at;
}

/* Computed values have the pattern of their group, all of them. */
static int64_t members_of(const jc_cuda_operand *o)
{
    return o->computed ? 1 : o->last_member - o->first_member + 1;
}

static void place_operand(const jc_plan *plan, jc_cuda_operand *o, placing *p)
{
    const jc_group *group = jc_cuda_operand_group(plan, o);
    if (!group || !group->has_numbers) return;
    int64_t members = members_of(o);
    if (group->scales) o->scales = take(p, members, (int64_t)sizeof(double));
    if (o->kind != JC_CSR && o->kind != JC_SELECT) return;
    bool sorted = o->direction == JC_ADJOINT, csr = o->kind == JC_CSR;
    int64_t n = csr ? o->m : o->p, element;
    o->wide = jc_max(jc_max(o->p, o->q), n) > INT32_MAX;
    element = o->wide ? 8 : 4;
    o->index_blocks = group->field[csr ? 1 : 0].batched ? o->batch : 1;
    o->n_index = n;
    o->n_start = csr || sorted ? o->n_out + 1 : 0;
    int64_t all = jc_cost_mul(members, o->index_blocks);
    if (o->n_start) o->start = take(p, jc_cost_mul(all, o->n_start), element);
    o->index = take(p, jc_cost_mul(all, n), element);
    if (csr && sorted) o->place = take(p, jc_cost_mul(all, n), element);
}

jc_status jc_cuda_place_indices(jc_program *program)
{
    jc_cuda_program *impl = program->impl;
    placing p = {0, true};
    for (int64_t i = 0; i < impl->operands.count; i++)
        place_operand(program->plan, (jc_cuda_operand *)impl->operands.data + i, &p);
    impl->index_bytes = p.bytes;
    return p.fits ? JC_OK : jc_fail(JC_E_MEMORY, "not enough memory: the indices are more than can be addressed");
}

/* ---- writing them ------------------------------------------------------------------------------------------------ */

/* One member's and block's arrays. */
typedef struct lists {
    bool wide;
    unsigned char *start, *index, *place;
} lists;

static void put(const lists *l, unsigned char *array, int64_t i, int64_t n)
{
    if (l->wide)
        memcpy(array + i * 8, &n, 8);
    else {
        int32_t narrow = (int32_t)n;
        memcpy(array + i * 4, &narrow, 4);
    }
}

/* Entry e is (row(e), column(e)), rows increasing: sorted by column, so that rows increase in each. next: [q + 1]. */
typedef struct entries {
    const jc_jac *jac;
    int64_t n, block; /* of them; of the batch */
    int field;        /* of the columns */
    bool csr;         /* rows from indptr; else entry e is row e */
} entries;

static int64_t column_of(const entries *s, int64_t e)
{
    return jc_load_index(s->jac->dtype[s->field], s->jac->data[s->field], s->block * s->n + e);
}

static void sort_by_column(const entries *s, int64_t q, int64_t rows, int64_t *next, const lists *l)
{
    memset(next, 0, (size_t)(q + 1) * sizeof *next);
    for (int64_t e = 0; e < s->n; e++) next[column_of(s, e) + 1]++;
    for (int64_t j = 0; j < q; j++) next[j + 1] += next[j];
    for (int64_t j = 0; j <= q; j++) put(l, l->start, j, next[j]);
    for (int64_t i = 0; i < rows; i++) {
        int64_t first = s->csr ? jc_load_index(s->jac->dtype[0], s->jac->data[0], i) : i;
        int64_t end = s->csr ? jc_load_index(s->jac->dtype[0], s->jac->data[0], i + 1) : i + 1;
        for (int64_t e = first; e < end; e++) {
            int64_t at = next[column_of(s, e)]++;
            put(l, l->index, at, i);
            if (l->place) put(l, l->place, at, e);
        }
    }
}

static void copy_rows(const jc_jac *jac, const jc_cuda_operand *o, int64_t block, const lists *l)
{
    bool csr = o->kind == JC_CSR;
    for (int64_t i = 0; i < o->n_start; i++) put(l, l->start, i, jc_load_index(jac->dtype[0], jac->data[0], i));
    for (int64_t e = 0; e < o->n_index; e++)
        put(l, l->index, e, jc_load_index(jac->dtype[csr], jac->data[csr], block * o->n_index + e));
}

static void write_member(const jc_cuda_operand *o, const jc_jac *jac, int64_t member, int64_t *next,
                         unsigned char *region)
{
    bool csr = o->kind == JC_CSR, sorted = o->direction == JC_ADJOINT;
    int64_t element = o->wide ? 8 : 4;
    for (int64_t b = 0; b < o->index_blocks; b++) {
        int64_t list = member * o->index_blocks + b;
        lists l = {.wide = o->wide, .index = region + o->index + list * o->n_index * element};
        if (o->start >= 0) l.start = region + o->start + list * o->n_start * element;
        if (o->place >= 0) l.place = region + o->place + list * o->n_index * element;
        entries s = {.jac = jac, .n = o->n_index, .block = b, .field = csr, .csr = csr};
        if (sorted)
            sort_by_column(&s, o->q, o->p, next, &l);
        else
            copy_rows(jac, o, b, &l);
    }
}

jc_status jc_cuda_write_indices(const jc_program *program, const jc_cuda_operand *o, unsigned char *region)
{
    const jc_group *group = jc_cuda_operand_group(program->plan, o);
    int64_t *next, members = members_of(o);
    if (o->scales >= 0) memcpy(region + o->scales, group->scales + o->first_member, (size_t)members * sizeof(double));
    if (o->index < 0) return JC_OK;
    jc_status status = jc_alloc(&program->allocator, o->q + 1, sizeof *next, WHAT, &next);
    if (status) return status;
    for (int64_t m = 0; m < members; m++) {
        jc_jac jac = jc_group_member(group, o->computed ? 0 : o->first_member + m, NULL);
        write_member(o, &jac, m, next, region);
    }
    jc_free(&program->allocator, next, o->q + 1, sizeof *next);
    return JC_OK;
}
