/* Where cuBLAS comes from: linked by name it would cost every start of the program 80 ms and 240 MB, so its functions
 * are found when a device is first used. In this order: what the process has loaded already under these names, the
 * loader's own places, the toolkit that the library was built with. Once found it stays loaded. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "backend/cuda/real.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static_assert(sizeof(void *) == sizeof(void (*)(void)), "a symbol's address is a function's (POSIX dlsym)");

/* Where a function's address goes in the table. */
typedef struct symbol {
    const char *name;
    size_t offset;
} symbol;

static const symbol symbols[] = {
    {"cublasGetProperty", offsetof(jc_cublas, get_property)},
    {"cublasGetStatusName", offsetof(jc_cublas, status_name)},
    {"cublasGetStatusString", offsetof(jc_cublas, status_string)},
    {"cublasCreate_v2", offsetof(jc_cublas, create)},
    {"cublasDestroy_v2", offsetof(jc_cublas, destroy)},
    {"cublasSetStream_v2", offsetof(jc_cublas, set_stream)},
    {"cublasGetStream_v2", offsetof(jc_cublas, get_stream)},
    {"cublasSetWorkspace_v2", offsetof(jc_cublas, set_workspace)},
    {"cublasSetPointerMode_v2", offsetof(jc_cublas, set_pointer_mode)},
    {"cublasGetPointerMode_v2", offsetof(jc_cublas, get_pointer_mode)},
    {"cublasSetMathMode", offsetof(jc_cublas, set_math_mode)},
    {"cublasGetMathMode", offsetof(jc_cublas, get_math_mode)},
    {"cublasSetAtomicsMode", offsetof(jc_cublas, set_atomics_mode)},
    {"cublasGetAtomicsMode", offsetof(jc_cublas, get_atomics_mode)},
    {"cublasSgemv_v2_64", offsetof(jc_cublas, sgemv)},
    {"cublasDgemv_v2_64", offsetof(jc_cublas, dgemv)},
    {"cublasSgemvStridedBatched_64", offsetof(jc_cublas, sgemv_strided)},
    {"cublasDgemvStridedBatched_64", offsetof(jc_cublas, dgemv_strided)},
    {"cublasSgemvBatched_64", offsetof(jc_cublas, sgemv_pointers)},
    {"cublasDgemvBatched_64", offsetof(jc_cublas, dgemv_pointers)},
    {"cublasGemmEx_64", offsetof(jc_cublas, gemm)},
    {"cublasGemmStridedBatchedEx_64", offsetof(jc_cublas, gemm_strided)},
    {"cublasGemmBatchedEx_64", offsetof(jc_cublas, gemm_pointers)},
};
enum { N_SYMBOLS = sizeof symbols / sizeof *symbols };
static_assert(N_SYMBOLS * sizeof(void *) == sizeof(jc_cublas), "every function of the table has its name");

static const char *const candidates[] = {"libcublas.so.13", "libcublas.so", JC_CUDA_LIBRARY_DIR "/libcublas.so.13"};
enum { N_CANDIDATES = sizeof candidates / sizeof *candidates, OLDEST_MAJOR = 13 };

/* Of the process: written once, under `once`, before `loaded` says so. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static jc_cublas table;
static atomic_bool loaded;
static char trouble[512];

/* Fills the table from a library; the name of the first function that it lacks, or NULL. */
static const char *fill(void *library, jc_cublas *t)
{
    for (int i = 0; i < N_SYMBOLS; i++) {
        void *address = dlsym(library, symbols[i].name);
        if (!address) return symbols[i].name;
        memcpy((char *)t + symbols[i].offset, &address, sizeof address);
    }
    return NULL;
}

/* Whether a library has all functions and is new enough; otherwise says in `trouble` what it lacks. */
static bool try_library(void *library, const char *name)
{
    jc_cublas t;
    int major = 0;
    const char *missing = fill(library, &t);
    if (missing)
        snprintf(trouble, sizeof trouble, "%s has no function %s", name, missing);
    else if (t.get_property(MAJOR_VERSION, &major) || major < OLDEST_MAJOR)
        snprintf(trouble, sizeof trouble, "%s is cuBLAS %d, at least %d is needed", name, major, OLDEST_MAJOR);
    else {
        table = t;
        return true;
    }
    return false;
}

/* The first failure to open is the one that says most: the others are second choices. */
static bool try_file(const char *name, bool first)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        if (first) snprintf(trouble, sizeof trouble, "cuBLAS cannot be loaded: %s", dlerror());
        return false;
    }
    if (try_library(library, name)) return true;
    dlclose(library);
    return false;
}

static void load(void)
{
    bool found = dlsym(RTLD_DEFAULT, "cublasCreate_v2") && try_library(RTLD_DEFAULT, "the cuBLAS of this process");
    for (int i = 0; !found && i < N_CANDIDATES; i++) found = try_file(candidates[i], i == 0);
    if (found) trouble[0] = '\0';
    atomic_store(&loaded, found);
}

int jc_real_blas_load(void)
{
    pthread_once(&once, load);
    return atomic_load(&loaded) ? 0 : JC_BLAS_NOT_FOUND;
}

const jc_cublas *jc_cublas_table(void)
{
    return atomic_load(&loaded) ? &table : NULL;
}

const char *jc_cublas_trouble(void)
{
    return trouble;
}
