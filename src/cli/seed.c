#include "cli/seed.h"

#include <stdlib.h>
#include <string.h>

static const char extension[] = ".safetensors";

/* The bytes of FILE in FILE.safetensors[:NAME] or FILE.npy: up to the first extension that ends there; 0 where there is
 * none. */
static size_t file_bytes(const char *text)
{
    for (const char *p = strstr(text, extension); p; p = strstr(p + 1, extension)) {
        const char *end = p + sizeof extension - 1;
        if (*end == ':' || !*end) return (size_t)(end - text);
    }
    return jc_seed_is_npy(text) ? strlen(text) : 0;
}

bool jc_cli_seed_check_name(const jc_cli_shared *shared, const char *text, int *exit_code)
{
    size_t n = text ? file_bytes(text) : 0;
    if (!text || (n && !(text[n] == ':' && !text[n + 1]))) return true;
    if (n)
        *exit_code = jc_cli_usage_error(shared->command, "--seed %s: the tensor's name is missing", text);
    else
        *exit_code =
            jc_cli_usage_error(shared->command, "--seed takes FILE.safetensors[:NAME] or FILE.npy, not '%s'", text);
    return false;
}

/* "seed.safetensors: the seed is 2 x 3, expected k x 4, the size of y" */
static jc_status check_shape(const jc_graph *graph, const char *text, jc_seed kind, int64_t variable,
                             const jc_array *array)
{
    int64_t size = jc_graph_variable_size(graph, variable);
    int axis = kind == JC_SEED_ROWS ? 1 : 0;
    if (array->dims[axis] == size && array->dims[1 - axis] > 0) return JC_OK;
    char *name = jc_cli_name(graph, variable);
    jc_status status =
        jc_fail(JC_E_INPUT, "%s: the seed is %lld x %lld, expected %s%lld%s, where %lld is the size of %s%s", text,
                (long long)array->dims[0], (long long)array->dims[1], kind == JC_SEED_ROWS ? "k x " : "",
                (long long)size, kind == JC_SEED_ROWS ? "" : " x k", (long long)size, name,
                array->dims[1 - axis] > 0 ? "" : " and k at least 1");
    free(name);
    return status;
}

bool jc_cli_seed_load(const jc_cli_shared *shared, const jc_graph *graph, const char *text, jc_seed kind,
                      int64_t variable, jc_cli_seed *seed, int *exit_code)
{
    size_t n = file_bytes(text);
    char *path = jc_cli_alloc((int64_t)n + 1, 1);
    memcpy(path, text, n);
    const char *name = text[n] == ':' ? text + n + 1 : NULL;
    jc_status status = jc_seed_load(NULL, path, name, kind, &seed->array, &seed->owner);
    if (!status) status = check_shape(graph, text, kind, variable, &seed->array);
    free(path);
    if (status == JC_OK) return true;
    *exit_code = status == JC_E_USAGE ? jc_cli_usage_error(shared->command, "--seed: %s", jc_last_error())
                                      : jc_cli_failed(status);
    return false;
}

void jc_cli_seed_fini(jc_cli_seed *seed)
{
    jc_seed_close(seed->owner);
}
