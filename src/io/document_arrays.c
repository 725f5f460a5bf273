/* Array fields of a document: nested lists of numbers, and references to tensors of the side file. */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "io/document.h"
#include "io/json.h"

/* A list being read: its shape so far, and where we are in it. */
typedef struct reading {
    const jc_allocator *allocator;
    const char *part;
    bool is_index;
    int rank;
    int64_t dims[JC_MAX_RANK];
    int64_t at[JC_MAX_RANK];
    jc_vec *numbers; /* double, or int64_t where is_index */
} reading;

/* "jacobian/values/2/1" for the element at r->at of the first `levels` levels. */
static const char *element_place(const reading *r, int levels, char place[JC_PLACE_BYTES])
{
    size_t used = (size_t)snprintf(place, JC_PLACE_BYTES, "%s", r->part);
    for (int i = 0; i < levels && used < JC_PLACE_BYTES; i++)
        used += (size_t)snprintf(place + used, JC_PLACE_BYTES - used, "/%lld", (long long)r->at[i]);
    return place;
}

static jc_status fail_number(const reading *r, const json_t *value)
{
    char place[JC_PLACE_BYTES], shown[JC_SHOW_BYTES];
    element_place(r, r->rank, place);
    if (json_is_array(value))
        return jc_fail_at(JC_E_INPUT, place, -1, "expected %s, not a list: those before it hold none",
                          r->is_index ? "an integer" : "a number");
    return jc_fail_at(JC_E_INPUT, place, -1, "expected %s, not %s",
                      r->is_index ? "an integer below 2^63 without fraction or exponent" : "a number",
                      jc_json_show(value, shown));
}

/* The innermost lists: numbers. */
static jc_status read_numbers(reading *r, const json_t *list)
{
    int64_t n = (int64_t)json_array_size(list), *at = &r->at[r->rank - 1];
    jc_status status = jc_vec_reserve(r->allocator, r->numbers, n, "an array of the document");
    if (status || n == 0) return status; /* where nothing was read yet there is no memory to point into */
    int64_t *integers = (int64_t *)r->numbers->data + r->numbers->count;
    double *reals = (double *)r->numbers->data + r->numbers->count;
    for (*at = 0; *at < n; (*at)++) {
        const json_t *value = json_array_get(list, (size_t)*at);
        if (r->is_index ? !json_is_integer(value) : !json_is_number(value)) return fail_number(r, value);
        if (r->is_index)
            integers[*at] = json_integer_value(value);
        else
            reals[*at] = json_number_value(value);
    }
    r->numbers->count += n;
    return JC_OK;
}

/* A list at `level`, of which there are at most JC_MAX_RANK: the recursion does not follow the document's depth. */
static jc_status read_level(reading *r, const json_t *list, int level)
{
    char place[JC_PLACE_BYTES];
    if (!json_is_array(list))
        return jc_fail_at(JC_E_INPUT, element_place(r, level, place), -1, "expected a list, not %s",
                          jc_json_what(list));
    int64_t n = (int64_t)json_array_size(list);
    if (n != r->dims[level])
        return jc_fail_at(JC_E_INPUT, element_place(r, level, place), -1,
                          "the list has %lld elements, expected %lld as in those before it", (long long)n,
                          (long long)r->dims[level]);
    if (level == r->rank - 1) return read_numbers(r, list);
    for (int64_t i = 0; i < n; i++) {
        r->at[level] = i;
        jc_status status = read_level(r, json_array_get(list, (size_t)i), level + 1);
        if (status) return status;
    }
    return JC_OK;
}

/* The shape as the first elements have it; read_level holds the others to it. */
static jc_status find_shape(reading *r, const json_t *list)
{
    for (const json_t *first = list; json_is_array(first); first = json_array_get(first, 0)) {
        if (r->rank == JC_MAX_RANK)
            return jc_fail_at(JC_E_INPUT, r->part, -1,
                              "lists are nested more than %d deep, the most that any array has", JC_MAX_RANK);
        r->dims[r->rank++] = (int64_t)json_array_size(first);
    }
    return JC_OK;
}

static jc_status read_inline(const jc_document *doc, const json_t *list, const char *part, bool is_index,
                             jc_vec *numbers, jc_array *array)
{
    reading r = {&doc->graph->allocator, part, is_index, 0, {0}, {0}, numbers};
    numbers->count = 0;
    jc_status status = find_shape(&r, list);
    if (!status) status = read_level(&r, list, 0);
    if (status) return status;
    jc_array a = {.dtype = is_index ? JC_I64 : JC_F64, .rank = r.rank, .ownership = JC_COPY, .literal = 1};
    memcpy(a.dims, r.dims, sizeof a.dims);
    a.data = numbers->data;
    *array = a;
    return JC_OK;
}

static jc_status find_tensor(const jc_document *doc, const json_t *name, const char *part, jc_tensor *tensor)
{
    char shown[JC_SHORT_BYTES], file[JC_SHORT_BYTES], hint[JC_HINT_BYTES];
    if (!json_is_string(name))
        return jc_fail_at(JC_E_INPUT, part, -1, "a reference has \"tensor\": NAME, a text, not %s", jc_json_what(name));
    if (!doc->tensors)
        return jc_fail_at(JC_E_INPUT, part, -1, "tensor '%s' is wanted, but the document names no 'tensors' file",
                          jc_shorten(json_string_value(name), shown));
    const char *text = jc_json_text(name);
    const jc_tensor *found = text ? jc_safetensors_find(doc->tensors, text) : NULL;
    if (!found)
        return jc_fail_at(JC_E_INPUT, part, -1, "there is no tensor '%s' in %s%s",
                          jc_shorten(json_string_value(name), shown),
                          jc_shorten(jc_safetensors_path(doc->tensors), file),
                          jc_safetensors_hint(doc->tensors, json_string_value(name), hint));
    *tensor = *found;
    return JC_OK;
}

jc_status jc_document_tensor(const jc_document *doc, const json_t *value, const char *part, jc_array *array)
{
    static const char *const known[] = {"tensor", "index", NULL};
    if (!json_is_object(value))
        return jc_fail_at(JC_E_INPUT, part, -1, "expected {\"tensor\": NAME}, not %s", jc_json_what(value));
    jc_status status = jc_document_keys(value, part, known);
    jc_tensor tensor;
    if (!status) status = find_tensor(doc, json_object_get(value, "tensor"), part, &tensor);
    if (status) return status;
    const json_t *index = json_object_get(value, "index");
    int64_t i = 0;
    char place[JC_PLACE_BYTES];
    snprintf(place, sizeof place, "%s/index", part);
    if (index && (status = jc_document_integer(index, place, 0, &i))) return status;
    if (index && (status = jc_tensor_slice(&tensor, i, &tensor))) return jc_document_fail_part(status, place);
    if ((status = jc_tensor_array(&tensor, array))) return jc_document_fail_part(status, part);
    return JC_OK;
}

jc_status jc_document_array(jc_document *doc, const json_t *value, const char *part, bool is_index, jc_vec *numbers,
                            jc_array *array)
{
    if (json_is_array(value)) return read_inline(doc, value, part, is_index, numbers, array);
    if (json_is_object(value)) return jc_document_tensor(doc, value, part, array);
    return jc_fail_at(JC_E_INPUT, part, -1, "expected lists of %s or {\"tensor\": NAME}, not %s",
                      is_index ? "integers" : "numbers", jc_json_what(value));
}
