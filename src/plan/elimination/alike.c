#include "plan/elimination/alike.h"

#include <string.h>

#include "plan/elimination/pattern.h"

static const char *const WHAT = "the structures of Jacobians";

/* What a pattern depends on, as words. */
enum { SHAPE_WORDS = 9, FIELD_WORDS = 3, WORDS = SHAPE_WORDS + FIELD_WORDS * JC_MAX_FIELDS };

typedef struct seen {
    int64_t words[WORDS];
    int32_t structure;
} seen;

typedef struct wanted {
    const jc_alike *alike;
    const int64_t *words;
} wanted;

jc_alike jc_alike_init(const jc_allocator *allocator, jc_structures *structures)
{
    return (jc_alike){.allocator = allocator, .structures = structures, .seen = jc_vec_of(sizeof(seen))};
}

void jc_alike_fini(jc_alike *alike)
{
    jc_vec_free(alike->allocator, &alike->seen);
    jc_table_free(alike->allocator, &alike->find);
}

/* The shape, and where each array of indices is and how it is read. */
static void describe(const jc_group *group, int64_t member, int64_t words[WORDS])
{
    const jc_shape *s = &group->shape;
    jc_jac jac = jc_group_member(group, member, NULL);
    int64_t shape[SHAPE_WORDS] = {s->kind, s->transpose, s->batch, s->inner, s->p, s->q, s->m, s->rows, s->cols};
    memset(words, 0, WORDS * sizeof *words);
    memcpy(words, shape, sizeof shape);
    for (int f = 0; f < jc_kinds[s->kind].n_fields; f++) {
        int64_t *field = words + SHAPE_WORDS + FIELD_WORDS * f;
        if (!jc_kinds[s->kind].field[f].is_index) continue;
        field[0] = (int64_t)(intptr_t)jac.data[f];
        field[1] = jac.dtype[f];
        field[2] = 2 * group->field[f].on_device + group->field[f].batched;
    }
}

static bool equal(const void *ctx, int64_t i)
{
    const wanted *w = ctx;
    const seen *at = (const seen *)w->alike->seen.data + i;
    return !memcmp(at->words, w->words, sizeof at->words);
}

/* Of a kind with a pattern, whose arrays are given. */
static jc_status look_up(jc_alike *alike, const jc_group *group, int64_t member, int32_t *structure)
{
    seen new;
    describe(group, member, new.words);
    wanted w = {alike, new.words};
    uint64_t hash = jc_hash(new.words, sizeof new.words);
    int64_t i = jc_table_find(&alike->find, hash, equal, &w);
    if (i >= 0) {
        *structure = ((const seen *)alike->seen.data + i)->structure;
        return JC_OK;
    }
    jc_status status = jc_structures_of(alike->structures, group, member, structure);
    if (status) return status;
    new.structure = *structure;
    status = jc_table_reserve(alike->allocator, &alike->find, 1, WHAT);
    if (!status) status = jc_vec_append(alike->allocator, &alike->seen, &new, 1, WHAT);
    if (!status) jc_table_insert(&alike->find, hash, alike->seen.count - 1);
    return status;
}

jc_status jc_alike_structure(jc_alike *alike, const jc_group *group, int64_t member, int32_t *structure)
{
    if (group == alike->last) {
        *structure = alike->last_structure;
        return JC_OK;
    }
    bool has_pattern = !jc_group_only_structure(group) && jc_pattern_entries(&group->shape) >= 0;
    jc_status status = has_pattern ? look_up(alike, group, member, structure)
                                   : jc_structures_of(alike->structures, group, member, structure);
    if (status || !jc_structures_share(group)) return status;
    alike->last = group, alike->last_structure = *structure;
    return JC_OK;
}
