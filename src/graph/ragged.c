/* Groups of edges whose shapes differ: runs of members of equal shape, one after the other, become groups of their own,
 * so that everything behind the graph sees groups of one shape.
 *
 *   field:   flat, all members one after the other
 *   offsets: [E + 1], 0 = o_0 <= o_1 <= .. <= o_E = elements of the field; member i has elements o_i .. o_(i+1) - 1
 */
#include <stdio.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "graph/build.h"

enum { PART_BYTES = 64 };

static const struct {
    size_t array, offsets; /* in jc_jacobian */
} with_offsets[] = {
    {offsetof(jc_jacobian, values), offsetof(jc_jacobian, values_offsets)},
    {offsetof(jc_jacobian, indptr), offsetof(jc_jacobian, indptr_offsets)},
    {offsetof(jc_jacobian, indices), offsetof(jc_jacobian, indices_offsets)},
};
enum { N_WITH_OFFSETS = sizeof with_offsets / sizeof with_offsets[0] };

jc_array *jc_jacobian_offsets(jc_jacobian *jacobian, const jc_field_spec *spec)
{
    for (int i = 0; i < N_WITH_OFFSETS; i++)
        if (with_offsets[i].array == spec->offset) return (jc_array *)((char *)jacobian + with_offsets[i].offsets);
    return NULL;
}

/* A ragged group being read. */
typedef struct ragged {
    const jc_addition *add;
    const jc_jacobian *jacobian;
    const jc_kind_info *info;
    const jc_array *array[JC_MAX_FIELDS], *offsets[JC_MAX_FIELDS]; /* by field of the kind */
} ragged;

static const char *part_of(const char *field, char part[PART_BYTES])
{
    snprintf(part, PART_BYTES, "jacobian/offsets/%s", field);
    return part;
}

static int64_t offset_at(const ragged *r, int f, int64_t i)
{
    return jc_load_index(r->offsets[f]->dtype, r->offsets[f]->data, i);
}

static int64_t length_at(const ragged *r, int f, int64_t i)
{
    return offset_at(r, f, i + 1) - offset_at(r, f, i);
}

/* ---- checks ----------------------------------------------------------------------------------------------------- */

bool jc_jacobian_is_ragged(const jc_jacobian *j)
{
    for (int i = 0; i < N_WITH_OFFSETS; i++) {
        const jc_array *offsets = (const jc_array *)((const char *)j + with_offsets[i].offsets);
        if (offsets->data || offsets->rank) return true;
    }
    return false;
}

/* Offsets of all fields of the kind and of no others. */
static jc_status check_given(const ragged *r)
{
    const char *given[N_WITH_OFFSETS] = {"values", "indptr", "indices"};
    char part[PART_BYTES];
    if (!r->add->grouped)
        return jc_fail_at(JC_E_INPUT, "jacobian/offsets", -1, "a single edge has no offsets: they belong to a group");
    if (!r->info->may_be_ragged)
        return jc_fail_at(JC_E_INPUT, "jacobian/offsets", -1,
                          "groups of edges of different shapes are dense, diagonal, csr or select, not %s",
                          r->info->name);
    if (r->jacobian->batch > 1 || r->jacobian->inner > 1)
        return jc_fail_at(JC_E_INPUT, r->jacobian->batch > 1 ? "jacobian/batch" : "jacobian/inner", -1,
                          "groups of edges of different shapes have no %s", r->jacobian->batch > 1 ? "batch" : "inner");
    for (int i = 0; i < N_WITH_OFFSETS; i++) {
        const jc_array *offsets = (const jc_array *)((const char *)r->jacobian + with_offsets[i].offsets);
        bool there = offsets->data || offsets->rank, known = jc_kind_field(r->jacobian->kind, given[i]) >= 0;
        if (there != known)
            return jc_fail_at(JC_E_INPUT, known ? "jacobian/offsets" : part_of(given[i], part), -1,
                              known ? "the offsets of %s are not given" : "there is no field %s", given[i]);
    }
    return JC_OK;
}

static jc_status check_offsets_array(const ragged *r, int f)
{
    const jc_array *o = r->offsets[f];
    int64_t expected = r->add->count + 1;
    char part[PART_BYTES], found[JC_LENGTH_BYTES];
    part_of(r->info->field[f].name, part);
    if (o->dtype != JC_I64 && o->dtype != JC_I32) return jc_fail_at(JC_E_INPUT, part, -1, "offsets must be I64 or I32");
    if (o->rank != 1 || o->dims[0] != expected)
        return jc_fail_at(JC_E_INPUT, part, -1, "offsets have %s, expected 1 axis of %lld, one more than edges",
                          jc_array_length_text(o, found), (long long)expected);
    if (!o->data || o->ownership == JC_DEVICE)
        return jc_fail_at(JC_E_USAGE, part, -1, "offsets are given in host memory");
    return JC_OK;
}

/* From 0 to the field's length, none less than the one before. */
static jc_status check_offsets(const ragged *r, int f)
{
    const char *name = r->info->field[f].name;
    char part[PART_BYTES];
    part_of(name, part);
    int64_t length = r->array[f]->dims[0], last = offset_at(r, f, 0);
    if (last != 0) return jc_fail_at(JC_E_INPUT, part, -1, "offsets begin with %lld, expected 0", (long long)last);
    for (int64_t i = 0; i < r->add->count; i++) {
        int64_t next = offset_at(r, f, i + 1);
        if (next < last || next > length)
            return jc_fail_at(JC_E_INPUT, part, i, "offsets[%lld] is %lld, expected %lld to %lld, the length of %s",
                              (long long)(i + 1), (long long)next, (long long)last, (long long)length, name);
        last = next;
    }
    if (last == length) return JC_OK;
    return jc_fail_at(JC_E_INPUT, part, -1, "offsets end with %lld, expected %lld, the length of %s", (long long)last,
                      (long long)length, name);
}

static jc_status check_array(const ragged *r, int f)
{
    const jc_field_spec *spec = &r->info->field[f];
    const jc_array *a = r->array[f];
    char part[PART_BYTES];
    snprintf(part, sizeof part, "jacobian/%s", spec->name);
    if (!a->data && a->rank == 0)
        return jc_fail_at(JC_E_INPUT, part, -1, "%s has offsets, but is not given", spec->name);
    if (a->rank != 1)
        return jc_fail_at(JC_E_INPUT, part, -1, "%s: the array has %d axes, expected 1: with offsets a field is flat",
                          spec->name, a->rank);
    return jc_array_check(spec, a, part);
}

static jc_status open_ragged(ragged *r)
{
    jc_status status = check_given(r);
    for (int f = 0; f < r->info->n_fields && !status; f++) {
        const jc_field_spec *spec = &r->info->field[f];
        r->array[f] = (const jc_array *)((const char *)r->jacobian + spec->offset);
        r->offsets[f] = jc_jacobian_offsets((jc_jacobian *)r->jacobian, spec);
        status = check_offsets_array(r, f);
        if (!status) status = check_array(r, f);
        if (!status) status = check_offsets(r, f);
    }
    return status;
}

/* ---- runs ------------------------------------------------------------------------------------------------------- */

static bool same_shape(const jc_graph *g, const ragged *r, int64_t i, int64_t k)
{
    const jc_array *ends[] = {r->add->of, r->add->wrt};
    for (int e = 0; e < 2; e++) {
        if (jc_graph_size(g, jc_load_index(ends[e]->dtype, ends[e]->data, i)) !=
            jc_graph_size(g, jc_load_index(ends[e]->dtype, ends[e]->data, k)))
            return false;
    }
    for (int f = 0; f < r->info->n_fields; f++)
        if (length_at(r, f, i) != length_at(r, f, k)) return false;
    return true;
}

/* The first member after `first` that has not its shape. */
static int64_t end_of_run(const jc_graph *g, const ragged *r, int64_t first)
{
    int64_t end = first + 1;
    while (end < r->add->count && same_shape(g, r, first, end)) end++;
    return end;
}

/* The arrays of members [first, end) as a group of one shape has them: [n, length], for a matrix [n, p, q]. */
static jc_status view_run(const ragged *r, int64_t first, int64_t end, int64_t p, int64_t q, jc_jacobian *view)
{
    memcpy(view, r->jacobian, sizeof *view);
    for (int f = 0; f < r->info->n_fields; f++) {
        const jc_field_spec *spec = &r->info->field[f];
        jc_array *a = (jc_array *)((char *)view + spec->offset);
        int64_t at = offset_at(r, f, first), length = length_at(r, f, first), entries;
        if (a->data) a->data = (const unsigned char *)a->data + at * jc_dtype_bytes(a->dtype);
        a->rank = 2;
        a->dims[0] = end - first, a->dims[1] = length;
        if (spec->rank == 1) continue;
        if (!jc_size_mul(p, q, &entries) || entries != length) {
            char part[PART_BYTES];
            snprintf(part, sizeof part, "jacobian/%s", spec->name);
            return jc_fail_at(JC_E_INPUT, part, -1, "%s are %lld numbers, expected %lld x %lld", spec->name,
                              (long long)length, (long long)p, (long long)q);
        }
        a->rank = 3;
        a->dims[1] = p, a->dims[2] = q;
    }
    if (view->scales) view->scales += first;
    return JC_OK;
}

static jc_status add_run(jc_graph *g, const ragged *r, int64_t first, int64_t end, int64_t number)
{
    jc_jacobian view;
    jc_group group;
    int64_t rows = jc_graph_size(g, jc_load_index(r->add->of->dtype, r->add->of->data, first));
    int64_t cols = jc_graph_size(g, jc_load_index(r->add->wrt->dtype, r->add->wrt->data, first));
    bool turned = r->jacobian->transpose != 0;
    jc_status status = view_run(r, first, end, turned ? cols : rows, turned ? rows : cols, &view);
    if (!status) status = jc_group_describe(&view, rows, cols, end - first, true, &group);
    if (status) return jc_addition_fail(g, r->add, first, first, status);
    group.first_edge = g->n_edges + first;
    group.ragged = number;
    return jc_vec_append(&g->allocator, &g->groups, &group, 1, "edges");
}

jc_status jc_graph_add_ragged(jc_graph *g, const jc_addition *add, const jc_jacobian *jacobian)
{
    ragged r = {.add = add, .jacobian = jacobian, .info = &jc_kinds[jacobian->kind]};
    int64_t n_runs = 0, number = g->groups.count;
    jc_status status = open_ragged(&r);
    if (status) return jc_addition_fail(g, add, jc_max(jc_fail_member(), 0), jc_fail_member(), status);
    for (int64_t i = 0; i < add->count; i = end_of_run(g, &r, i)) n_runs++;
    status = jc_vec_reserve(&g->allocator, &g->groups, n_runs, "edges");
    for (int64_t i = 0, end; i < add->count && !status; i = end) {
        end = end_of_run(g, &r, i);
        status = add_run(g, &r, i, end, number);
    }
    return status;
}

void jc_graph_addition(const jc_graph *g, int64_t edge, int64_t *element, int64_t *member)
{
    const jc_group *groups = g->groups.data;
    int64_t first = jc_graph_first_part(g, edge).first, later_parts = 0;
    for (int64_t k = 0; k < first; k++) later_parts += groups[k].ragged >= 0 && groups[k].ragged != k;
    *element = first - later_parts;
    *member = groups[first].n_edges > 1 || groups[first].ragged >= 0 ? edge - groups[first].first_edge : -1;
}
