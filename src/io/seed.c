#include "io/seed.h"

#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "io/json.h"
#include "io/npy.h"

bool jc_seed_is_npy(const char *path)
{
    return jc_file_is_a(path, ".npy");
}

static jc_status check_path(const char *path, const char *name)
{
    if (jc_file_is_a(path, ".safetensors")) return JC_OK;
    if (!jc_seed_is_npy(path))
        return jc_fail(JC_E_USAGE, "%.1000s: a seed is read from a file named *.safetensors or *.npy", path);
    return name ? jc_fail(JC_E_USAGE, "%.1000s: the array of a .npy file has no name", path) : JC_OK;
}

static jc_status choose_tensor(const jc_safetensors *file, const char *name, const jc_tensor **tensor)
{
    char shown[JC_SHORT_BYTES], hint[JC_HINT_BYTES];
    int64_t n = jc_safetensors_count(file);
    if (!name && n != 1)
        return jc_fail(JC_E_INPUT, "holds %lld tensors; say which with %s:NAME", (long long)n,
                       jc_shorten(jc_safetensors_path(file), shown));
    const jc_tensor *t = name ? jc_safetensors_find(file, name) : jc_safetensors_tensor(file, 0);
    if (!t)
        return jc_fail(JC_E_INPUT, "there is no tensor '%s'%s", jc_shorten(name, shown),
                       jc_safetensors_hint(file, name, hint));
    *tensor = t;
    return JC_OK;
}

/* A vector is one row of a vjp's seed, one column of a jvp's; one number is both. */
static jc_array as_matrix(jc_array a, jc_seed kind)
{
    if (a.rank < 2) {
        int64_t n = a.rank ? a.dims[0] : 1;
        a.rank = 2;
        a.dims[0] = kind == JC_SEED_COLUMNS ? n : 1;
        a.dims[1] = kind == JC_SEED_COLUMNS ? 1 : n;
    }
    return a;
}

static jc_status open_tensor(jc_seed_file *f, const char *path, const char *name, jc_array *array)
{
    char shown[JC_SHORT_BYTES];
    const jc_tensor *t = NULL;
    jc_status status = jc_safetensors_open(&f->allocator, path, &f->tensors);
    if (status) return status; /* which names the file already */
    status = choose_tensor(f->tensors, name, &t);
    if (!status) status = jc_tensor_array(t, array);
    if (!status && !jc_dtype_is_float(array->dtype))
        status = jc_fail(JC_E_INPUT, "tensor '%s' is %s; a seed is F64, F32, BF16 or F16", jc_shorten(t->name, shown),
                         t->dtype_name);
    if (!status && array->rank > 2)
        status = jc_fail(JC_E_INPUT, "tensor '%s' has %d axes; a seed has one or two", jc_shorten(t->name, shown),
                         array->rank);
    return status ? jc_fail_prefix(status, "%.1000s: ", path) : JC_OK;
}

static jc_status open_npy(jc_seed_file *f, const char *path, jc_array *array)
{
    jc_npy npy;
    jc_status status = jc_file_open(&f->allocator, path, &f->file);
    if (!status) status = jc_npy_parse(f->file.data, f->file.bytes, &npy);
    if (!status && npy.rank > 2) status = jc_fail(JC_E_INPUT, "has %d axes; a seed has one or two", npy.rank);
    if (!status) status = jc_npy_floats(&f->allocator, &npy, &f->memory, array);
    return status ? jc_fail_prefix(status, "%.1000s: ", path) : JC_OK;
}

jc_status jc_seed_load(const jc_allocator *allocator, const char *path, const char *name, jc_seed kind, jc_array *array,
                       jc_seed_file **owner)
{
    jc_allocator a = jc_allocator_or_default(allocator);
    jc_seed_file *f;
    jc_array found;
    jc_status status = check_path(path, name);
    if (!status) status = jc_alloc_zero(&a, 1, sizeof *f, "a seed", &f);
    if (status) return status;
    f->allocator = a;
    f->memory = jc_vec_of(1);
    status = jc_seed_is_npy(path) ? open_npy(f, path, &found) : open_tensor(f, path, name, &found);
    if (status) {
        jc_seed_close(f);
        return status;
    }
    *array = as_matrix(found, kind);
    *owner = f;
    return JC_OK;
}

void jc_seed_close(jc_seed_file *f)
{
    if (!f) return;
    const jc_allocator a = f->allocator;
    jc_safetensors_close(f->tensors);
    jc_file_close(&a, &f->file);
    jc_vec_free(&a, &f->memory);
    jc_free(&a, f, 1, sizeof *f);
}
