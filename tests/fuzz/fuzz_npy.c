/* A .npy file. One that is accepted has its elements inside it; as floating numbers it comes back from a file of ours
 * as it was, and as a seed from the file itself. */
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/dtype.h"
#include "fuzz/fuzz.h"
#include "io/npy.h"
#include "io/seed.h"

static int64_t count(int rank, const int64_t *dims)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= dims[i];
    return n;
}

/* Header and numbers as a file, read again. */
static void expect_round_trip(const jc_allocator *a, const jc_array *array)
{
    jc_vec file = jc_vec_of(1), memory = jc_vec_of(1);
    unsigned char header[JC_NPY_HEADER_BYTES];
    jc_npy npy;
    jc_array again;
    int64_t bytes = count(array->rank, array->dims) * jc_dtype_bytes(array->dtype);
    jc_npy_write_header(array->dtype, array->rank, array->dims, header);
    fuzz_expect(!jc_vec_append(a, &file, header, sizeof header, "a file"), "memory");
    fuzz_expect(!jc_vec_append(a, &file, array->data, bytes, "a file"), "memory");
    fuzz_expect(!jc_npy_parse(file.data, file.count, &npy), "what we write is read");
    fuzz_expect(npy.dtype == array->dtype && npy.rank == array->rank && !npy.swapped, "the type comes back");
    fuzz_expect(!jc_npy_floats(a, &npy, &memory, &again), "the numbers are read");
    for (int i = 0; i < again.rank; i++) fuzz_expect(again.dims[i] == array->dims[i], "axis %d comes back", i);
    fuzz_expect(!bytes || !memcmp(again.data, array->data, (size_t)bytes), "the numbers come back");
    jc_vec_free(a, &memory);
    jc_vec_free(a, &file);
}

static void expect_seed(const uint8_t *data, size_t bytes, const jc_array *array)
{
    const char *path = fuzz_write("s.npy", data, bytes);
    jc_array seed;
    jc_seed_file *file;
    jc_status status = jc_seed_load(NULL, path, NULL, JC_SEED_ROWS, &seed, &file);
    fuzz_expect_read(status, path);
    fuzz_expect(!status == (array->rank <= 2), "an array of at most two axes is a seed");
    if (status) return;
    fuzz_expect(seed.rank == 2 && count(2, seed.dims) == count(array->rank, array->dims), "a seed is a matrix");
    jc_seed_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const jc_allocator a = jc_allocator_or_default(NULL);
    jc_npy npy;
    jc_vec memory = jc_vec_of(1);
    jc_array array;
    jc_status status = jc_npy_parse(data, (int64_t)bytes, &npy);
    fuzz_expect_read(status, "");
    if (status) return 0;
    int64_t n = npy.elements * jc_dtype_bytes(npy.dtype);
    fuzz_expect(npy.rank >= 0 && npy.rank <= JC_MAX_RANK, "the rank is one of ours");
    fuzz_expect(npy.data >= data && npy.data + n <= data + bytes && n >= 0, "the elements are in the file");
    status = jc_npy_floats(&a, &npy, &memory, &array);
    fuzz_expect_read(status, "");
    if (!status) {
        expect_round_trip(&a, &array);
        expect_seed(data, bytes, &array);
    }
    jc_vec_free(&a, &memory);
    return 0;
}
