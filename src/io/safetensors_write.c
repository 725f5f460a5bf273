#include "io/safetensors_write.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "core/alloc.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "io/output.h"

#define METADATA_KEY "__metadata__"

enum { ALIGNMENT = 8, LENGTH_BYTES = 8 };

/* Where one tensor stands in the file, and how much of it is written. */
typedef struct extent {
    int64_t begin, bytes, written;
} extent;

struct jc_safetensors_writer {
    jc_allocator allocator;
    jc_output_file *output;
    int64_t n_tensors;
    extent *extents; /* [n_tensors] */
};

/* The product of the shape, then times the bytes of an element, as readers count: what can be read can be written. */
static jc_status tensor_bytes(const jc_tensor_spec *t, int64_t *bytes)
{
    int64_t n = 1;
    bool fits = true;
    for (int i = 0; i < t->rank && fits; i++) fits = t->dims[i] >= 0 && jc_size_mul(n, t->dims[i], &n);
    if (!fits || !jc_size_mul(n, jc_dtype_bytes(t->dtype), bytes))
        return jc_fail(JC_E_OUTPUT, "tensor '%.80s' has more bytes than a file can hold", t->name);
    return JC_OK;
}

/* Lays the tensors out without holes, wide elements first: every tensor then begins at a multiple of its element. */
static jc_status place_tensors(jc_safetensors_writer *w, const jc_tensor_spec *tensors)
{
    int64_t end = 0;
    for (int64_t width = ALIGNMENT; width > 0; width /= 2) {
        for (int64_t i = 0; i < w->n_tensors; i++) {
            if (jc_dtype_bytes(tensors[i].dtype) != width) continue;
            extent *e = &w->extents[i];
            jc_status status = tensor_bytes(&tensors[i], &e->bytes);
            if (status) return status;
            e->begin = end;
            if (!jc_size_add(end, e->bytes, &end)) return jc_fail(JC_E_OUTPUT, "the tensors are too large for a file");
        }
    }
    return JC_OK;
}

/* Takes `value` (NULL: jansson found no memory, or the text is not UTF-8) into the object. */
static jc_status set_new(json_t *object, const char *key, json_t *value)
{
    if (json_object_get(object, key)) {
        json_decref(value);
        return jc_fail(JC_E_USAGE, "two tensors of the file would be named '%.80s'", key);
    }
    if (json_object_set_new(object, key, value)) return jc_fail(JC_E_MEMORY, "not enough memory for a file's header");
    return JC_OK;
}

static jc_status describe_tensor(json_t *header, const jc_tensor_spec *t, const extent *e)
{
    if (!strcmp(t->name, METADATA_KEY)) return jc_fail(JC_E_USAGE, "a tensor cannot be named '" METADATA_KEY "'");
    json_t *shape = json_array();
    for (int i = 0; i < t->rank; i++)
        if (json_array_append_new(shape, json_integer(t->dims[i]))) goto no_memory;
    json_t *tensor = json_pack("{s:s, s:O, s:[I, I]}", "dtype", jc_dtype_name(t->dtype), "shape", shape, "data_offsets",
                               (json_int_t)e->begin, (json_int_t)(e->begin + e->bytes));
    json_decref(shape);
    return set_new(header, t->name, tensor);
no_memory:
    json_decref(shape);
    return jc_fail(JC_E_MEMORY, "not enough memory for a file's header");
}

static jc_status describe_metadata(json_t *header, const jc_metadata *metadata, int64_t n)
{
    json_t *object = json_object();
    jc_status status = set_new(header, METADATA_KEY, object); /* owns object, also on failure */
    for (int64_t i = 0; i < n && !status; i++) status = set_new(object, metadata[i].key, json_string(metadata[i].text));
    return status;
}

typedef struct text_sink {
    jc_output_file *output;
    jc_status status;
} text_sink;

/* jansson goes on after some failures: the first one is kept. */
static int append_text(const char *text, size_t bytes, void *ctx)
{
    text_sink *sink = ctx;
    if (!sink->status) sink->status = jc_output_write(sink->output, text, (int64_t)bytes);
    return sink->status ? -1 : 0;
}

static int count_text(const char *text, size_t bytes, void *total)
{
    (void)text;
    *(int64_t *)total += (int64_t)bytes;
    return 0;
}

/* Length, JSON text, spaces up to a multiple of 8: the data begins at *end. */
static jc_status write_header(jc_output_file *output, const json_t *header, int64_t *end)
{
    int64_t text_bytes = 0;
    if (json_dump_callback(header, count_text, &text_bytes, JSON_COMPACT))
        return jc_fail(JC_E_MEMORY, "not enough memory for a file's header");
    int64_t padded = jc_round_up(text_bytes, ALIGNMENT);
    unsigned char length[LENGTH_BYTES];
    for (int i = 0; i < LENGTH_BYTES; i++) length[i] = (unsigned char)((uint64_t)padded >> (8 * i));
    jc_status status = jc_output_write(output, length, LENGTH_BYTES);
    if (status) return status;
    text_sink sink = {output, JC_OK};
    int failed = json_dump_callback(header, append_text, &sink, JSON_COMPACT);
    if (sink.status) return sink.status;
    if (failed) return jc_fail(JC_E_MEMORY, "not enough memory for a file's header");
    *end = LENGTH_BYTES + padded;
    return jc_output_write(output, "        ", padded - text_bytes);
}

static jc_status write_description(jc_safetensors_writer *w, const jc_tensor_spec *tensors, const jc_metadata *metadata,
                                   int64_t n_metadata)
{
    json_t *header = json_object();
    if (!header) return jc_fail(JC_E_MEMORY, "not enough memory for a file's header");
    jc_status status = n_metadata ? describe_metadata(header, metadata, n_metadata) : JC_OK;
    for (int64_t i = 0; i < w->n_tensors && !status; i++) status = describe_tensor(header, &tensors[i], &w->extents[i]);
    int64_t data = 0;
    if (!status) status = write_header(w->output, header, &data);
    json_decref(header);
    for (int64_t i = 0; i < w->n_tensors; i++) w->extents[i].begin += data;
    return status;
}

static void writer_free(jc_safetensors_writer *w)
{
    const jc_allocator a = w->allocator;
    jc_free(&a, w->extents, w->n_tensors, sizeof *w->extents);
    jc_free(&a, w, 1, sizeof *w);
}

jc_status jc_safetensors_create(const jc_allocator *allocator, const char *path, const jc_tensor_spec *tensors,
                                int64_t n_tensors, const jc_metadata *metadata, int64_t n_metadata,
                                jc_safetensors_writer **writer)
{
    jc_allocator a = jc_allocator_or_default(allocator);
    jc_safetensors_writer *w;
    jc_status status = jc_alloc_zero(&a, 1, sizeof *w, "a safetensors file", &w);
    if (status) return status;
    w->allocator = a;
    w->n_tensors = n_tensors;
    if ((status = jc_alloc_zero(&a, n_tensors, sizeof *w->extents, "a file's tensors", &w->extents))) goto fail;
    if ((status = place_tensors(w, tensors))) goto fail;
    if ((status = jc_output_create(&a, path, &w->output))) goto fail;
    if ((status = write_description(w, tensors, metadata, n_metadata))) goto fail;
    *writer = w;
    return JC_OK;
fail:
    jc_output_abandon(w->output);
    writer_free(w);
    return status;
}

jc_status jc_safetensors_append(jc_safetensors_writer *w, int64_t tensor, const void *data, int64_t bytes)
{
    if (tensor < 0 || tensor >= w->n_tensors)
        return jc_fail(JC_E_INTERNAL, "the file has no tensor %lld", (long long)tensor);
    extent *e = &w->extents[tensor];
    if (bytes < 0 || bytes > e->bytes - e->written)
        return jc_fail(JC_E_INTERNAL, "tensor %lld of the file has %lld bytes, more were written", (long long)tensor,
                       (long long)e->bytes);
    jc_status status = jc_output_seek(w->output, e->begin + e->written);
    if (status) return status;
    e->written += bytes;
    return jc_output_write(w->output, data, bytes);
}

static jc_status check_complete(const jc_safetensors_writer *w)
{
    for (int64_t i = 0; i < w->n_tensors; i++)
        if (w->extents[i].written != w->extents[i].bytes)
            return jc_fail(JC_E_INTERNAL, "tensor %lld of the file has %lld bytes, %lld were written", (long long)i,
                           (long long)w->extents[i].bytes, (long long)w->extents[i].written);
    return JC_OK;
}

jc_status jc_safetensors_commit(jc_safetensors_writer *w)
{
    jc_status status = check_complete(w);
    if (status)
        jc_output_abandon(w->output);
    else
        status = jc_output_commit(w->output);
    writer_free(w);
    return status;
}

void jc_safetensors_abandon(jc_safetensors_writer *w)
{
    if (!w) return;
    jc_output_abandon(w->output);
    writer_free(w);
}
