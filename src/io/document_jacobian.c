/* A Jacobian of a document: its kind, the fields that the table of kinds gives it, transpose, batch, inner, scale. */
#include <stdio.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/nearest.h"
#include "io/document.h"
#include "io/json.h"

enum { MAX_KEYS = 16 };

static jc_status read_kind(const json_t *value, jc_kind *kind)
{
    char shown[JC_SHORT_BYTES], names[JC_PLACE_BYTES] = "", hint[JC_HINT_BYTES];
    const json_t *name = json_object_get(value, "kind");
    if (!name) return jc_fail_at(JC_E_INPUT, "jacobian", -1, "a Jacobian needs its 'kind'");
    if (!json_is_string(name))
        return jc_fail_at(JC_E_INPUT, "jacobian/kind", -1, "expected the name of a kind, not %s", jc_json_what(name));
    const char *text = jc_json_text(name);
    jc_kind found = text ? jc_kind_find(text) : JC_KIND_COUNT;
    if (found != JC_KIND_COUNT) {
        *kind = found;
        return JC_OK;
    }
    jc_nearest nearest = jc_nearest_begin(json_string_value(name), strlen(json_string_value(name)));
    for (int i = 0, used = 0; i < JC_KIND_COUNT; i++) {
        used += snprintf(names + used, sizeof names - (size_t)used, "%s%s", i ? ", " : "", jc_kinds[i].name);
        jc_nearest_offer(&nearest, jc_kinds[i].name);
    }
    return jc_fail_at(JC_E_INPUT, "jacobian/kind", -1, "there is no kind '%s'; the kinds are %s%s",
                      jc_shorten(json_string_value(name), shown), names, jc_nearest_hint(&nearest, hint));
}

/* Every key must be one of the kind. */
static jc_status check_keys(const json_t *value, jc_kind kind, bool grouped)
{
    const jc_kind_info *info = &jc_kinds[kind];
    const char *known[MAX_KEYS] = {"kind", "transpose"};
    int n = 2;
    if (grouped) known[n++] = "offsets";
    for (int i = 0; i < info->n_fields; i++) known[n++] = info->field[i].name;
    if (info->has_scale) known[n++] = "scale";
    if (kind == JC_CSR) known[n++] = "file";
    if (kind == JC_OPERATOR) {
        known[n++] = "tangent_cost";
        known[n++] = "adjoint_cost";
        known[n++] = "edges";
    } else {
        known[n++] = "batch";
        known[n++] = "inner";
    }
    known[n] = NULL;
    return jc_document_keys(value, "jacobian", known);
}

static jc_status read_transpose(const json_t *value, int *transpose)
{
    const json_t *given = json_object_get(value, "transpose");
    if (given && !json_is_boolean(given))
        return jc_fail_at(JC_E_INPUT, "jacobian/transpose", -1, "expected true or false, not %s", jc_json_what(given));
    *transpose = json_is_true(given);
    return JC_OK;
}

/* *out stays as it is where the key is not given. */
static jc_status read_integer(const json_t *value, const char *key, int64_t least, int64_t *out)
{
    char part[JC_PLACE_BYTES];
    const json_t *given = json_object_get(value, key);
    snprintf(part, sizeof part, "jacobian/%s", key);
    return given ? jc_document_integer(given, part, least, out) : JC_OK;
}

static jc_status read_fields(jc_document *doc, const json_t *value, jc_jacobian *jacobian)
{
    const jc_kind_info *info = &jc_kinds[jacobian->kind];
    for (int i = 0; i < info->n_fields; i++) {
        const jc_field_spec *spec = &info->field[i];
        const json_t *given = json_object_get(value, spec->name);
        char part[JC_PLACE_BYTES];
        snprintf(part, sizeof part, "jacobian/%s", spec->name);
        jc_array *array = (jc_array *)((char *)jacobian + spec->offset);
        jc_status status = given ? jc_document_array(doc, given, part, spec->is_index, &doc->numbers[i], array) : JC_OK;
        if (status) return status;
    }
    return JC_OK;
}

/* "file" in place of the arrays of a csr Jacobian. */
static jc_status read_file(jc_document *doc, const json_t *value, int64_t count, jc_jacobian *jacobian)
{
    const json_t *given = json_object_get(value, "file");
    if (!given) return JC_OK;
    if (count > 0)
        return jc_fail_at(JC_E_INPUT, "jacobian/file", -1,
                          "a group of edges takes its arrays from tensors, not a file");
    return jc_document_matrix_file(doc, given, jacobian);
}

/* Of a group whose shapes differ: for each field of the kind where each edge's part begins. The builder checks them. */
static jc_status read_offsets(const jc_document *doc, const json_t *value, jc_jacobian *jacobian)
{
    const jc_kind_info *info = &jc_kinds[jacobian->kind];
    const json_t *given = json_object_get(value, "offsets");
    const char *known[JC_MAX_FIELDS + 1] = {NULL};
    if (!given) return JC_OK;
    if (!info->may_be_ragged)
        return jc_fail_at(JC_E_INPUT, "jacobian/offsets", -1,
                          "the edges of a group may differ in shape where they are dense, diagonal, csr or select");
    if (!json_is_object(given))
        return jc_fail_at(JC_E_INPUT, "jacobian/offsets", -1, "expected {FIELD: {\"tensor\": NAME}}, not %s",
                          jc_json_what(given));
    for (int i = 0; i < info->n_fields; i++) known[i] = info->field[i].name;
    jc_status status = jc_document_keys(given, "jacobian/offsets", known);
    for (int i = 0; i < info->n_fields && !status; i++) {
        const json_t *offsets = json_object_get(given, known[i]);
        char part[JC_PLACE_BYTES];
        snprintf(part, sizeof part, "jacobian/offsets/%s", known[i]);
        if (!offsets)
            return jc_fail_at(JC_E_INPUT, "jacobian/offsets", -1, "the offsets of '%s' are not given", known[i]);
        status = jc_document_tensor(doc, offsets, part, jc_jacobian_offsets(jacobian, &info->field[i]));
    }
    return status;
}

/* E scales of a group, as doubles. */
static jc_status read_scales(jc_document *doc, const json_t *given, int64_t count, const double **scales)
{
    static const char part[] = "jacobian/scale";
    jc_array array;
    jc_status status = jc_document_array(doc, given, part, false, &doc->scales, &array);
    if (status) return status;
    if (!jc_dtype_is_float(array.dtype) || array.rank != 1 || array.dims[0] != count)
        return jc_fail_at(JC_E_INPUT, part, -1, "expected one number for each of the %lld edges of the group",
                          (long long)count);
    if (array.data != doc->scales.data) {
        doc->scales.count = 0;
        status = jc_vec_reserve(&doc->graph->allocator, &doc->scales, count, "scales");
        if (status) return status;
        double *out = doc->scales.data;
        for (int64_t i = 0; i < count; i++) out[i] = jc_load_float(array.dtype, array.data, i);
    }
    *scales = doc->scales.data;
    return JC_OK;
}

static jc_status read_scale(jc_document *doc, const json_t *value, int64_t count, jc_jacobian *jacobian)
{
    const json_t *given = json_object_get(value, "scale");
    if (!given) return JC_OK;
    if (json_is_number(given)) {
        jacobian->scale = json_number_value(given);
        return JC_OK;
    }
    if (count > 0) return read_scales(doc, given, count, &jacobian->scales);
    return jc_fail_at(JC_E_INPUT, "jacobian/scale", -1, "expected a number, not %s", jc_json_what(given));
}

static jc_status read_operator(const json_t *value, jc_operator *op)
{
    if (!json_object_get(value, "tangent_cost") || !json_object_get(value, "adjoint_cost"))
        return jc_fail_at(JC_E_INPUT, "jacobian", -1, "an operator needs 'tangent_cost' and 'adjoint_cost'");
    jc_status status = read_integer(value, "tangent_cost", 0, &op->tangent_cost);
    if (!status) status = read_integer(value, "adjoint_cost", 0, &op->adjoint_cost);
    if (!status) status = read_integer(value, "edges", 0, &op->edges);
    return status;
}

jc_status jc_document_jacobian(jc_document *doc, const json_t *value, int64_t count, jc_jacobian *jacobian)
{
    if (!json_is_object(value))
        return jc_fail_at(JC_E_INPUT, value ? "jacobian" : NULL, -1, "an edge needs its 'jacobian', an object, not %s",
                          jc_json_what(value));
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    jc_status status = read_kind(value, &j.kind);
    if (!status) status = check_keys(value, j.kind, count > 0);
    if (!status) status = read_transpose(value, &j.transpose);
    if (!status) status = read_integer(value, "batch", 1, &j.batch);
    if (!status) status = read_integer(value, "inner", 1, &j.inner);
    if (!status && j.kind == JC_OPERATOR) status = read_operator(value, &j.op);
    if (!status) status = read_scale(doc, value, count, &j);
    if (!status) status = read_fields(doc, value, &j);
    if (!status) status = read_file(doc, value, count, &j);
    if (!status) status = read_offsets(doc, value, &j);
    if (!status) *jacobian = j;
    return status;
}
