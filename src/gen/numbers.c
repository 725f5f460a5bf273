#include <math.h>
#include <string.h>

#include "core/dtype.h"
#include "core/size.h"
#include "gen/gen.h"

double jc_gen_frame(const jc_gen *gen, int64_t frame, int64_t size, double *u)
{
    jc_random r = jc_random_stream(gen->seed, JC_RANDOM_FRAME, frame, 0);
    double sign = jc_random_bits(&r) >> 63 ? -1.0 : 1.0, square = 0.0;
    for (int64_t i = 0; i < size; i++) {
        u[i] = jc_random_normal(&r);
        square += u[i] * u[i];
    }
    double length = sqrt(square);
    for (int64_t i = 0; i < size; i++) u[i] /= length;
    return sign;
}

jc_status jc_gen_numbers_init(const jc_gen *gen, jc_gen_numbers *numbers)
{
    jc_gen_numbers n = {.gen = gen, .group = -1, .member = -1};
    for (int64_t g = 0; g < gen->groups.count; g++) {
        const jc_gen_group *group = jc_gen_group_at(gen, g);
        if (group->fill == JC_GEN_ROTATION) n.room = jc_max(n.room, jc_max(group->rows, group->cols));
    }
    jc_status status = jc_alloc(&gen->allocator, n.room, 4 * sizeof(double), "the rows of a Jacobian", &n.buffer);
    if (!status) *numbers = n;
    return status;
}

void jc_gen_numbers_fini(jc_gen_numbers *numbers)
{
    jc_free(&numbers->gen->allocator, numbers->buffer, numbers->room, 4 * sizeof(double));
    numbers->buffer = NULL;
}

/* With u = u_of, w = u_wrt, s = g s_of s_wrt and J the leading p x q part of an identity:
 *   g H_of J H_wrt = s (J - 2 u (u^T J) - 2 (J w) w^T + 4 (u^T J w) u w^T) = s J + u a + (J w) b,
 *   a = s (4 (u^T J w) w - 2 J^T u)^T,   b = -2 s w^T */
static void prepare_rotation(jc_gen_numbers *n, const jc_gen_group *group, int64_t g, int64_t member)
{
    const jc_gen *gen = n->gen;
    int64_t e = group->first_edge + member, p = group->rows, q = group->cols, least = jc_min(p, q);
    int64_t of = group->shared ? gen->sizes.count + 2 * g : jc_gen_of(gen, e);
    int64_t wrt = group->shared ? of + 1 : jc_gen_wrt(gen, e);
    double *u = n->buffer, *w = u + n->room, *a = w + n->room, *b = a + n->room, inner = 0.0;
    double s = jc_gen_weight(gen, e) * jc_gen_frame(gen, of, p, u) * jc_gen_frame(gen, wrt, q, w);
    for (int64_t i = 0; i < least; i++) inner += u[i] * w[i];
    for (int64_t j = 0; j < q; j++) {
        a[j] = s * (4.0 * inner * w[j] - (j < least ? 2.0 * u[j] : 0.0));
        b[j] = -2.0 * s * w[j];
    }
    n->diagonal = s;
    n->group = g;
    n->member = member;
}

static void store(jc_dtype dtype, void *dst, int64_t i, double value)
{
    if (dtype == JC_F64)
        ((double *)dst)[i] = value;
    else
        ((float *)dst)[i] = (float)value;
}

/* Row i of s J + u a + (J w) b. */
static void rotation_row(jc_gen_numbers *n, const jc_gen_group *group, int64_t i, void *dst)
{
    int64_t q = group->cols;
    const double *w = n->buffer + n->room, *a = w + n->room, *b = a + n->room;
    double ui = n->buffer[i], wi = i < q ? w[i] : 0.0;
    if (n->gen->dtype == JC_F64)
        for (int64_t j = 0; j < q; j++) ((double *)dst)[j] = ui * a[j] + wi * b[j];
    else
        for (int64_t j = 0; j < q; j++) ((float *)dst)[j] = (float)(ui * a[j] + wi * b[j]);
    if (i < q) store(n->gen->dtype, dst, i, ui * a[i] + wi * b[i] + n->diagonal);
}

/* A row of independent numbers, from a stream of its own. */
static void independent_row(const jc_gen *gen, const jc_gen_group *group, int64_t g, int64_t row, void *dst)
{
    jc_random r = jc_random_stream(gen->seed, JC_RANDOM_NUMBERS, g, row);
    for (int64_t j = 0; j < group->cols; j++) {
        double value = group->fill == JC_GEN_NORMAL ? jc_random_normal(&r) : jc_random_bits(&r) >> 63 ? -1.0 : 1.0;
        store(gen->dtype, dst, j, value);
    }
}

void jc_gen_rows(jc_gen_numbers *n, int64_t g, int64_t first, int64_t count, void *dst)
{
    const jc_gen_group *group = jc_gen_group_at(n->gen, g);
    int64_t row_bytes = group->cols * jc_dtype_bytes(n->gen->dtype);
    for (int64_t row = first; row < first + count; row++) {
        int64_t member = row / group->rows;
        unsigned char *out = (unsigned char *)dst + (row - first) * row_bytes;
        if (group->fill != JC_GEN_ROTATION) {
            independent_row(n->gen, group, g, row, out);
            continue;
        }
        if (n->group != g || n->member != member) prepare_rotation(n, group, g, member);
        rotation_row(n, group, row % group->rows, out);
    }
}
