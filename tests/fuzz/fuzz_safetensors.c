/* A safetensors file. One that is accepted has its tensors inside it, in order and without holes, each found by its
 * name, each slice inside its tensor; those of the types that we write come back from a file of ours as they were. */
#include <stdlib.h>
#include <string.h>

#include "core/dtype.h"
#include "fuzz/fuzz.h"
#include "io/safetensors.h"
#include "io/safetensors_write.h"
#include "io/seed.h"

enum { MOST_SLICES = 8 };

static void expect_slices(const jc_tensor *t)
{
    jc_tensor slice;
    int64_t n = t->rank ? t->dims[0] : 0;
    fuzz_expect(jc_tensor_slice(t, n, &slice) == JC_E_INPUT, "there is no slice behind the last");
    fuzz_expect(jc_tensor_slice(t, -1, &slice) == JC_E_INPUT, "there is no slice before the first");
    for (int64_t i = 0; i < n && i < MOST_SLICES; i++) {
        fuzz_expect(!jc_tensor_slice(t, i, &slice), "slice %d", (int)i);
        fuzz_expect(slice.data >= t->data && slice.data + slice.bytes <= t->data + t->bytes, "slice %d is inside",
                    (int)i);
    }
}

static void expect_tensors(const jc_safetensors *f, size_t bytes)
{
    int64_t n = jc_safetensors_count(f), all = 0;
    for (int64_t i = 0; i < n; i++) {
        const jc_tensor *t = jc_safetensors_tensor(f, i);
        jc_array array;
        fuzz_expect(jc_safetensors_find(f, t->name) == t, "'%s' is found by its name", t->name);
        if (i) {
            const jc_tensor *before = jc_safetensors_tensor(f, i - 1);
            fuzz_expect(t->data == before->data + before->bytes, "'%s' follows the one before", t->name);
        }
        all += t->bytes;
        volatile unsigned char sum = 0;
        for (int64_t k = 0; k < t->bytes; k++) sum = (unsigned char)(sum + t->data[k]);
        expect_slices(t);
        jc_status status = jc_tensor_array(t, &array);
        fuzz_expect_read(status, "");
    }
    fuzz_expect(all >= 0 && (size_t)all + 10 <= bytes, "the tensors fit into the file");
}

/* What we can write of it: types and ranks that are ours. */
static int64_t describe(const jc_safetensors *f, jc_tensor_spec *specs, const jc_tensor **tensors)
{
    int64_t m = 0;
    for (int64_t i = 0; i < jc_safetensors_count(f); i++) {
        const jc_tensor *t = jc_safetensors_tensor(f, i);
        if (t->dtype < 0 || t->rank > JC_MAX_RANK) continue;
        specs[m] = (jc_tensor_spec){.name = t->name, .dtype = (jc_dtype)t->dtype, .rank = (int)t->rank};
        for (int k = 0; k < t->rank; k++) specs[m].dims[k] = t->dims[k];
        tensors[m++] = t;
    }
    return m;
}

static void expect_same(const jc_tensor *a, const jc_tensor *b)
{
    fuzz_expect(b && a->dtype == b->dtype && a->rank == b->rank && a->bytes == b->bytes, "'%s' comes back", a->name);
    for (int64_t k = 0; k < a->rank; k++) fuzz_expect(a->dims[k] == b->dims[k], "axis %d of '%s'", (int)k, a->name);
    fuzz_expect(!memcmp(a->data, b->data, (size_t)a->bytes), "the numbers of '%s'", a->name);
}

static void expect_round_trip(const jc_safetensors *f)
{
    int64_t n = jc_safetensors_count(f);
    jc_tensor_spec *specs = calloc((size_t)n + 1, sizeof *specs);
    const jc_tensor **tensors = calloc((size_t)n + 1, sizeof *tensors);
    jc_safetensors_writer *writer;
    jc_safetensors *copy;
    int64_t m = describe(f, specs, tensors);
    const char *path = fuzz_write("copy.safetensors", "", 0);
    fuzz_expect(!jc_safetensors_create(NULL, path, specs, m, NULL, 0, &writer), "a copy is begun");
    for (int64_t i = 0; i < m; i++)
        fuzz_expect(!jc_safetensors_append(writer, i, tensors[i]->data, tensors[i]->bytes), "a tensor is written");
    fuzz_expect(!jc_safetensors_commit(writer), "a copy is written");
    fuzz_expect(!jc_safetensors_open(NULL, path, &copy), "a copy is read");
    fuzz_expect(jc_safetensors_count(copy) == m, "a copy has all tensors");
    for (int64_t i = 0; i < m; i++) expect_same(tensors[i], jc_safetensors_find(copy, tensors[i]->name));
    jc_safetensors_close(copy);
    free(tensors);
    free(specs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *path = fuzz_write("t.safetensors", data, bytes);
    jc_safetensors *file;
    jc_status status = jc_safetensors_open(NULL, path, &file);
    fuzz_expect_read(status, path);
    if (!status) {
        expect_tensors(file, bytes);
        expect_round_trip(file);
        jc_safetensors_close(file);
    }
    return 0;
}
