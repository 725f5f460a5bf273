/* The one file that knows which backends there are. */
#include <string.h>

#include "backend/backend.h"
#include "backend/cpu/cpu.h"
#include "backend/cuda/cuda.h"
#include "backend/reference/reference.h"
#include "core/error.h"

static const jc_backend *const backends[] = {
#ifdef JACCHAIN_HAS_CUDA
    &jc_backend_cuda.base,
#endif
    &jc_backend_cpu,
    &jc_backend_reference,
};
enum { N_BACKENDS = sizeof backends / sizeof backends[0] };

int jc_backend_count(void)
{
    return N_BACKENDS;
}

const jc_backend *jc_backend_at(int index)
{
    return index >= 0 && index < N_BACKENDS ? backends[index] : NULL;
}

const jc_backend *jc_backend_find(const char *name)
{
    for (int i = 0; i < N_BACKENDS; i++)
        if (!strcmp(backends[i]->name, name)) return backends[i];
    return NULL;
}

const char *jc_backend_name(int index)
{
    const jc_backend *backend = jc_backend_at(index);
    return backend ? backend->name : NULL;
}

jc_status jc_backend_available(const char *name)
{
    const jc_backend *backend = jc_backend_find(name);
    return backend ? backend->available(backend) : jc_fail(JC_E_UNAVAILABLE, "there is no backend %s", name);
}
