/* From the caller's jc_jacobian to a group: shapes, fields and their checks, driven by the table of kinds. */
#include <stdio.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "graph/build.h"

enum { PART_BYTES = 64, TEXT_BYTES = 160 };

/* Every array of a jc_jacobian. */
static const struct {
    const char *name;
    size_t offset;
} all_arrays[] = {
    {"values", offsetof(jc_jacobian, values)},
    {"indptr", offsetof(jc_jacobian, indptr)},
    {"indices", offsetof(jc_jacobian, indices)},
    {"u", offsetof(jc_jacobian, u)},
    {"v", offsetof(jc_jacobian, v)},
    {"x", offsetof(jc_jacobian, x)},
};
enum { N_ARRAYS = sizeof all_arrays / sizeof all_arrays[0] };

static const jc_array *array_at(const jc_jacobian *jacobian, size_t offset)
{
    return (const jc_array *)((const char *)jacobian + offset);
}

static bool is_given(const jc_array *array)
{
    return array->data || array->rank != 0;
}

static const char *part_of(const char *field, char part[PART_BYTES])
{
    snprintf(part, PART_BYTES, "jacobian/%s", field);
    return part;
}

jc_status jc_jacobian_take(const jc_jacobian *j, jc_jacobian *whole)
{
    const size_t without_offsets = offsetof(jc_jacobian, values_offsets);
    if (j->struct_size != without_offsets && j->struct_size < sizeof *j)
        return jc_fail(JC_E_USAGE, "jc_jacobian: struct_size is %zu, expected %zu (JC_JACOBIAN_INIT sets it)",
                       j->struct_size, sizeof *j);
    if ((unsigned)j->kind >= JC_KIND_COUNT)
        return jc_fail(JC_E_USAGE, "jc_jacobian: there is no kind %d", (int)j->kind);
    memset(whole, 0, sizeof *whole);
    memcpy(whole, j, j->struct_size < sizeof *j ? j->struct_size : sizeof *j);
    return JC_OK;
}

/* ---- shape ---------------------------------------------------------------------------------------------------- */

/* batch, inner and the p x q of D: rows = B p r and cols = B q r, the other way round under transpose. */
static jc_status describe_shape(const jc_jacobian *j, int64_t rows, int64_t cols, jc_shape *shape)
{
    if (j->batch < 0) return jc_fail_at(JC_E_INPUT, "jacobian/batch", -1, "batch is %lld", (long long)j->batch);
    if (j->inner < 0) return jc_fail_at(JC_E_INPUT, "jacobian/inner", -1, "inner is %lld", (long long)j->inner);
    *shape = (jc_shape){.kind = j->kind, .transpose = j->transpose != 0, .rows = rows, .cols = cols};
    shape->batch = jc_max(j->batch, 1);
    shape->inner = jc_max(j->inner, 1);
    int64_t blocks;
    bool fits = jc_size_mul(shape->batch, shape->inner, &blocks);
    if (!fits || rows % blocks || cols % blocks)
        return jc_fail_at(JC_E_INPUT, shape->batch > 1 ? "jacobian/batch" : "jacobian/inner", -1,
                          "the sizes %lld and %lld are not multiples of batch %lld x inner %lld", (long long)rows,
                          (long long)cols, (long long)shape->batch, (long long)shape->inner);
    shape->p = (shape->transpose ? cols : rows) / blocks;
    shape->q = (shape->transpose ? rows : cols) / blocks;
    return jc_kinds[j->kind].check_shape ? jc_kinds[j->kind].check_shape(shape) : JC_OK;
}

/* ---- fields --------------------------------------------------------------------------------------------------- */

/* All of the kind's fields are given, or none (*given); no other kind's are. */
static jc_status check_fields_given(const jc_jacobian *j, bool *given)
{
    const jc_kind_info *info = &jc_kinds[j->kind];
    const char *missing = NULL;
    char part[PART_BYTES];
    *given = false;
    for (int i = 0; i < N_ARRAYS; i++) {
        bool there = is_given(array_at(j, all_arrays[i].offset));
        bool known = jc_kind_field(j->kind, all_arrays[i].name) >= 0;
        if (there && !known)
            return jc_fail_at(JC_E_INPUT, part_of(all_arrays[i].name, part), -1, "%s has no field %s", info->name,
                              all_arrays[i].name);
        if (there) *given = true;
        if (known && !there) missing = all_arrays[i].name;
    }
    if (*given && missing)
        return jc_fail_at(JC_E_INPUT, part_of(missing, part), -1, "%s needs %s beside its other fields", info->name,
                          missing);
    return JC_OK;
}

static jc_status check_dtype(const jc_field_spec *spec, const jc_array *array, const char *part)
{
    if ((unsigned)array->dtype > JC_I32)
        return jc_fail_at(JC_E_USAGE, part, -1, "%s: there is no element type %d", spec->name, (int)array->dtype);
    if (jc_dtype_is_float(array->dtype) == spec->is_index)
        return jc_fail_at(JC_E_INPUT, part, -1, "%s must be %s, not %s", spec->name,
                          spec->is_index ? "I64 or I32" : "a floating type", jc_dtype_name(array->dtype));
    if (array->ownership == JC_DEVICE && !spec->is_index) return JC_OK;
    if (array->ownership != JC_BORROW && array->ownership != JC_COPY)
        return jc_fail_at(JC_E_USAGE, part, -1, "%s: there is no ownership %d", spec->name, array->ownership);
    return JC_OK;
}

/* The number of elements, and that they and their bytes can be counted. */
static jc_status count_elements(const char *name, const jc_array *array, const char *part, int64_t *elements)
{
    int64_t n = 1, bytes;
    bool fits = true, negative = false;
    for (int axis = 0; axis < array->rank; axis++) {
        negative = negative || array->dims[axis] < 0;
        fits = fits && jc_size_mul(n, array->dims[axis], &n);
    }
    if (negative) return jc_fail_at(JC_E_USAGE, part, -1, "%s have a negative length", name);
    if (!fits || !jc_size_mul(n, jc_dtype_bytes(array->dtype), &bytes))
        return jc_fail_at(JC_E_INPUT, part, -1, "%s: more bytes than can be addressed", name);
    if (n && !array->data && array->ownership != JC_DEVICE)
        return jc_fail_at(JC_E_USAGE, part, -1, "%s: rank %d without data", name, array->rank);
    *elements = n;
    return JC_OK;
}

/* "expected 2", "expected 2, or 3 with the 4 blocks of the batch first", "expected 3 (edges of the group first)". */
static jc_status fail_rank(const jc_field_spec *spec, const jc_array *array, int64_t batch, int lead, const char *part)
{
    char more[TEXT_BYTES] = "";
    if (spec->may_batch)
        snprintf(more, sizeof more, ", or %d with the %lld blocks of the batch %s", spec->rank + lead + 1,
                 (long long)batch, lead ? "second" : "first");
    return jc_fail_at(JC_E_INPUT, part, -1, "%s: the array has %d %s, expected %d%s%s", spec->name, array->rank,
                      array->rank == 1 ? "axis" : "axes", spec->rank + lead, lead ? " (edges of the group first)" : "",
                      more);
}

/* One array: its leading axes (edges of the group, blocks of the batch), then dims of one block. */
static jc_status describe_field(const jc_field_spec *spec, const jc_array *array, int64_t batch, int64_t count,
                                bool grouped, jc_field *field, int64_t dims[2])
{
    static const unsigned char nothing; /* what an array of no elements may point to */
    char part[PART_BYTES];
    part_of(spec->name, part);
    jc_status status = check_dtype(spec, array, part);
    if (status) return status;
    int lead = grouped ? 1 : 0;
    bool batched = spec->may_batch && array->rank == spec->rank + lead + 1;
    if (!batched && array->rank != spec->rank + lead) return fail_rank(spec, array, batch, lead, part);
    int64_t elements = 0;
    if ((status = count_elements(spec->name, array, part, &elements))) return status;
    if (grouped && array->dims[0] != count)
        return jc_fail_at(JC_E_INPUT, part, -1, "%s: the first axis is %lld long, expected the %lld edges of the group",
                          spec->name, (long long)array->dims[0], (long long)count);
    if (batched && array->dims[lead] != batch)
        return jc_fail_at(JC_E_INPUT, part, -1, "%s: the batch axis is %lld long, expected %lld", spec->name,
                          (long long)array->dims[lead], (long long)batch);
    int first = lead + (batched ? 1 : 0);
    for (int axis = 0; axis < spec->rank; axis++) dims[axis] = array->dims[first + axis];
    bool on_device = array->ownership == JC_DEVICE;
    *field = (jc_field){.data = array->data || on_device ? array->data : &nothing,
                        .on_device = on_device,
                        .dtype = array->dtype,
                        .batched = batched,
                        .literal = array->literal != 0,
                        .elements = elements / count};
    field->stride = grouped ? field->elements * jc_dtype_bytes(array->dtype) : 0;
    return JC_OK;
}

static jc_status describe_fields(const jc_jacobian *j, int64_t count, bool grouped, jc_group *group)
{
    const jc_kind_info *info = &jc_kinds[j->kind];
    int64_t dims[JC_MAX_FIELDS][2] = {{0}};
    for (int f = 0; f < info->n_fields; f++) {
        const jc_array *array = array_at(j, info->field[f].offset);
        jc_status status =
            describe_field(&info->field[f], array, group->shape.batch, count, grouped, &group->field[f], dims[f]);
        if (status) return status;
    }
    return info->check_dims(&group->shape, (const int64_t(*)[2])dims);
}

/* ---- scale, operator -------------------------------------------------------------------------------------------- */

static jc_status describe_scale(const jc_jacobian *j, jc_group *group)
{
    bool has_scale = jc_kinds[j->kind].has_scale;
    if (!has_scale && (j->scales || j->scale != 1.0))
        return jc_fail_at(JC_E_INPUT, "jacobian/scale", -1, "%s has no scale (%g)", jc_kind_name(j->kind), j->scale);
    group->scale = j->scale;
    group->scales = j->scales;
    return JC_OK;
}

static jc_status describe_operator(const jc_jacobian *j, jc_group *group)
{
    const jc_operator *op = &j->op;
    group->op = *op;
    if (op->tangent_cost < 0)
        return jc_fail_at(JC_E_INPUT, "jacobian/tangent_cost", -1, "tangent_cost is %lld", (long long)op->tangent_cost);
    if (op->adjoint_cost < 0)
        return jc_fail_at(JC_E_INPUT, "jacobian/adjoint_cost", -1, "adjoint_cost is %lld", (long long)op->adjoint_cost);
    if (op->edges < 0) return jc_fail_at(JC_E_INPUT, "jacobian/edges", -1, "edges is %lld", (long long)op->edges);
    if (j->kind == JC_OPERATOR || !op->apply) return JC_OK;
    return jc_fail_at(JC_E_USAGE, "jacobian", -1, "%s has no callbacks", jc_kind_name(j->kind));
}

jc_status jc_group_describe(const jc_jacobian *jacobian, int64_t rows, int64_t cols, int64_t count, bool grouped,
                            jc_group *group)
{
    jc_group g = {.n_edges = count, .ragged = -1};
    bool given;
    jc_status status;
    if ((status = check_fields_given(jacobian, &given))) return status;
    if ((status = describe_shape(jacobian, rows, cols, &g.shape))) return status;
    if (given && (status = describe_fields(jacobian, count, grouped, &g))) return status;
    if ((status = describe_scale(jacobian, &g))) return status;
    if ((status = describe_operator(jacobian, &g))) return status;
    g.has_numbers = given || (jc_kinds[jacobian->kind].n_fields == 0 && (jacobian->kind != JC_OPERATOR || g.op.apply));
    *group = g;
    return JC_OK;
}

jc_status jc_array_check(const jc_field_spec *spec, const jc_array *array, const char *part)
{
    int64_t elements;
    jc_status status = check_dtype(spec, array, part);
    return status ? status : count_elements(spec->name, array, part, &elements);
}

int64_t jc_array_bytes(const jc_array *array)
{
    int64_t bytes = jc_dtype_bytes(array->dtype);
    for (int axis = 0; axis < array->rank; axis++) bytes *= array->dims[axis];
    return bytes;
}
