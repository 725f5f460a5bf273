#include "io/seed.h"

#include <string.h>
#include <strings.h>

#include "core/error.h"
#include "io/json.h"

static bool ends_with(const char *path, const char *extension)
{
    size_t n = strlen(path), e = strlen(extension);
    return n > e && !strcasecmp(path + n - e, extension);
}

static jc_status check_path(const char *path)
{
    if (ends_with(path, ".safetensors")) return JC_OK;
    if (ends_with(path, ".npy")) return jc_fail(JC_E_USAGE, "%.1000s: reading .npy is not there yet", path);
    return jc_fail(JC_E_USAGE, "%.1000s: a seed is read from a file named *.safetensors", path);
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

/* A vector is one row of a vjp's seed, one column of a jvp's. */
static jc_status as_matrix(const jc_tensor *t, jc_seed kind, jc_array *array)
{
    jc_array a;
    char shown[JC_SHORT_BYTES];
    jc_status status = jc_tensor_array(t, &a);
    if (status) return status;
    if (a.dtype != JC_F64 && a.dtype != JC_F32)
        return jc_fail(JC_E_INPUT, "tensor '%s' is %s; a seed is F64 or F32", jc_shorten(t->name, shown),
                       t->dtype_name);
    if (a.rank != 1 && a.rank != 2)
        return jc_fail(JC_E_INPUT, "tensor '%s' has %d axes; a seed has one or two", jc_shorten(t->name, shown),
                       a.rank);
    if (a.rank == 1) {
        int64_t n = a.dims[0];
        a.rank = 2;
        a.dims[0] = kind == JC_SEED_COLUMNS ? n : 1;
        a.dims[1] = kind == JC_SEED_COLUMNS ? 1 : n;
    }
    *array = a;
    return JC_OK;
}

jc_status jc_seed_load(const jc_allocator *allocator, const char *path, const char *name, jc_seed kind, jc_array *array,
                       jc_safetensors **owner)
{
    jc_safetensors *file;
    const jc_tensor *tensor = NULL;
    jc_status status = check_path(path);
    if (!status) status = jc_safetensors_open(allocator, path, &file);
    if (status) return status;
    status = choose_tensor(file, name, &tensor);
    if (!status) status = as_matrix(tensor, kind, array);
    if (status) {
        jc_safetensors_close(file);
        return jc_fail_prefix(status, "%.1000s: ", path);
    }
    *owner = file;
    return JC_OK;
}
