#include "io/npy.h"

#include <stdio.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

enum { MAGIC_BYTES = 6, VERSION_BYTES = 2, SHOWN_BYTES = 40, TILE = 32, EXACT_BITS = 53 };

static const char magic[] = "\x93NUMPY";

/* ---- the text of the header ------------------------------------------------------------------------------------- */

/* The Python dict, and where we are in it. */
typedef struct cursor {
    const char *text; /* [bytes] */
    int64_t bytes, at;
    bool suffixed; /* integers may end in L, as Python 2 wrote them */
} cursor;

/* A string of the dict, without its quotes. */
typedef struct word {
    const char *text;
    int64_t bytes;
} word;

/* What the dict says; each key stands once. */
typedef struct description {
    bool has_descr, has_order, has_shape;
    word descr;
    bool fortran;
    int rank;
    int64_t dims[JC_MAX_RANK];
} description;

static void skip_space(cursor *c)
{
    while (c->at < c->bytes && strchr(" \t\r\n", c->text[c->at]) && c->text[c->at]) c->at++;
}

static bool take(cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->bytes || c->text[c->at] != wanted) return false;
    c->at++;
    return true;
}

/* "header, byte 12: expected ':', found 'x'" */
static jc_status fail_syntax(const cursor *c, const char *expected)
{
    char found[16];
    unsigned char at = c->at < c->bytes ? (unsigned char)c->text[c->at] : 0;
    if (c->at == c->bytes)
        snprintf(found, sizeof found, "its end");
    else
        snprintf(found, sizeof found, at > 0x20 && at < 0x7f ? "'%c'" : "byte %d", at);
    return jc_fail(JC_E_INPUT, "header, byte %lld: expected %s, found %s", (long long)c->at, expected, found);
}

/* A string in quotes of either kind, without escapes and control characters. */
static jc_status take_string(cursor *c, const char *expected, word *out)
{
    skip_space(c);
    if (c->at == c->bytes || (c->text[c->at] != '\'' && c->text[c->at] != '"')) return fail_syntax(c, expected);
    char quote = c->text[c->at++];
    int64_t first = c->at;
    while (c->at < c->bytes && c->text[c->at] != quote) {
        if (c->text[c->at] == '\\' || (unsigned char)c->text[c->at] < 0x20) return fail_syntax(c, "a plain character");
        c->at++;
    }
    if (c->at == c->bytes) return fail_syntax(c, "a closing quote");
    *out = (word){c->text + first, c->at++ - first};
    return JC_OK;
}

static bool is_word(word w, const char *text)
{
    return w.bytes == (int64_t)strlen(text) && !memcmp(w.text, text, (size_t)w.bytes);
}

static bool take_name(cursor *c, const char *name)
{
    int64_t n = (int64_t)strlen(name);
    skip_space(c);
    if (c->bytes - c->at < n || memcmp(c->text + c->at, name, (size_t)n)) return false;
    c->at += n;
    return true;
}

static jc_status take_order(cursor *c, bool *fortran)
{
    *fortran = take_name(c, "True");
    return *fortran || take_name(c, "False") ? JC_OK : fail_syntax(c, "True or False for 'fortran_order'");
}

static bool at_digit(const cursor *c)
{
    return c->at < c->bytes && c->text[c->at] >= '0' && c->text[c->at] <= '9';
}

static jc_status take_length(cursor *c, int64_t *out)
{
    int64_t value = 0;
    skip_space(c);
    if (!at_digit(c)) return fail_syntax(c, "a length of 'shape', not negative");
    for (; at_digit(c); c->at++)
        if (!jc_size_mul(value, 10, &value) || !jc_size_add(value, c->text[c->at] - '0', &value))
            return jc_fail(JC_E_INPUT, "header, byte %lld: a length of 'shape' is beyond 2^63", (long long)c->at);
    if (c->suffixed && c->at < c->bytes && c->text[c->at] == 'L') c->at++;
    *out = value;
    return JC_OK;
}

/* (), (3,), (3, 4) or (3, 4,). */
static jc_status take_shape(cursor *c, description *d)
{
    if (!take(c, '(')) return fail_syntax(c, "'(' of 'shape'");
    for (bool comma = true; !take(c, ')'); comma = take(c, ',')) {
        if (!comma) return fail_syntax(c, "',' or ')' in 'shape'");
        if (d->rank == JC_MAX_RANK) return jc_fail(JC_E_INPUT, "the array has more than %d axes", JC_MAX_RANK);
        jc_status status = take_length(c, &d->dims[d->rank++]);
        if (status) return status;
        if (d->rank == 1 && (skip_space(c), c->at < c->bytes) && c->text[c->at] == ')')
            return fail_syntax(c, "',' behind the only length of 'shape'");
    }
    return JC_OK;
}

static jc_status take_descr(cursor *c, word *descr)
{
    if (take(c, '[')) return jc_fail(JC_E_INPUT, "its elements are structures ('descr' is a list); expected numbers");
    return take_string(c, "the text of 'descr'", descr);
}

static jc_status fail_twice(const char *key)
{
    return jc_fail(JC_E_INPUT, "header: '%s' stands twice", key);
}

static jc_status take_pair(cursor *c, description *d)
{
    word key = {NULL, 0};
    jc_status status = take_string(c, "a key", &key);
    if (status) return status;
    if (!take(c, ':')) return fail_syntax(c, "':'");
    if (is_word(key, "descr")) {
        if (d->has_descr) return fail_twice("descr");
        d->has_descr = true;
        return take_descr(c, &d->descr);
    }
    if (is_word(key, "fortran_order")) {
        if (d->has_order) return fail_twice("fortran_order");
        d->has_order = true;
        return take_order(c, &d->fortran);
    }
    if (!is_word(key, "shape"))
        return jc_fail(JC_E_INPUT, "header, byte %lld: expected the keys descr, fortran_order and shape only",
                       (long long)(key.text - c->text));
    if (d->has_shape) return fail_twice("shape");
    d->has_shape = true;
    return take_shape(c, d);
}

static jc_status read_dict(cursor *c, description *d)
{
    if (!take(c, '{')) return fail_syntax(c, "'{'");
    for (bool comma = true; !take(c, '}'); comma = take(c, ',')) {
        if (!comma) return fail_syntax(c, "',' or '}'");
        jc_status status = take_pair(c, d);
        if (status) return status;
    }
    skip_space(c);
    if (c->at < c->bytes) return fail_syntax(c, "nothing but spaces behind '}'");
    const char *missing = !d->has_descr ? "descr" : !d->has_order ? "fortran_order" : !d->has_shape ? "shape" : NULL;
    return missing ? jc_fail(JC_E_INPUT, "header: there is no '%s'", missing) : JC_OK;
}

/* ---- what it means ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *name; /* behind the byte order */
    jc_dtype dtype;
} types[] = {{"f8", JC_F64}, {"f4", JC_F32}, {"f2", JC_F16}, {"i8", JC_I64}, {"i4", JC_I32}};

static jc_status read_type(word descr, jc_npy *npy)
{
    char order = descr.bytes > 1 ? descr.text[0] : 0;
    word name = {descr.text + 1, descr.bytes - 1};
    if ((order == '|' && name.text[0] == 'O') || is_word(descr, "O"))
        return jc_fail(JC_E_INPUT, "its elements are Python objects, which are not read; expected numbers");
    for (size_t i = 0; i < sizeof types / sizeof types[0] && (order == '<' || order == '>'); i++) {
        if (!is_word(name, types[i].name)) continue;
        npy->dtype = types[i].dtype;
        npy->swapped = order == '>';
        return JC_OK;
    }
    int64_t shown = jc_min(descr.bytes, SHOWN_BYTES);
    return jc_fail(JC_E_INPUT, "its elements are '%.*s%s'; expected f8, f4, f2, i8 or i4 with '<' or '>' before it",
                   (int)shown, descr.text, shown < descr.bytes ? "..." : "");
}

/* The elements that the shape says are just what is there. */
static jc_status check_length(int64_t bytes, jc_npy *npy)
{
    int64_t n = 1, expected;
    bool fits = true, empty = false;
    for (int i = 0; i < npy->rank; i++) {
        empty = empty || npy->dims[i] == 0;
        fits = fits && jc_size_mul(n, npy->dims[i], &n);
    }
    if (empty) n = 0;
    if ((!fits && !empty) || !jc_size_mul(n, jc_dtype_bytes(npy->dtype), &expected))
        return jc_fail(JC_E_INPUT, "the product of its shape overflows");
    if (expected != bytes)
        return jc_fail(JC_E_INPUT, "%s: %lld bytes of elements, expected %lld",
                       bytes < expected ? "ends too early" : "has bytes behind its elements", (long long)bytes,
                       (long long)expected);
    npy->elements = n;
    return JC_OK;
}

static int64_t little_endian(const unsigned char *bytes, int n)
{
    int64_t value = 0;
    for (int i = n - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

/* The header's text. */
static jc_status find_header(const unsigned char *file, int64_t bytes, cursor *c)
{
    if (bytes < MAGIC_BYTES + VERSION_BYTES || memcmp(file, magic, MAGIC_BYTES))
        return jc_fail(JC_E_INPUT, "is not a .npy file: it does not begin with \"\\x93NUMPY\" and a version");
    int major = file[MAGIC_BYTES], minor = file[MAGIC_BYTES + 1];
    if (major < 1 || major > 3 || minor != 0)
        return jc_fail(JC_E_INPUT, "version %d.%d of the .npy format is not known; expected 1.0, 2.0 or 3.0", major,
                       minor);
    int width = major == 1 ? 2 : 4;
    int64_t begin = MAGIC_BYTES + VERSION_BYTES + width,
            n = bytes < begin ? 0 : little_endian(file + begin - width, width);
    if (bytes < begin || n > bytes - begin)
        return jc_fail(JC_E_INPUT, "the header of %lld bytes goes beyond the end of the file at %lld", (long long)n,
                       (long long)bytes);
    *c = (cursor){.text = (const char *)file + begin, .bytes = n, .suffixed = major < 3};
    return JC_OK;
}

jc_status jc_npy_parse(const void *file, int64_t bytes, jc_npy *out)
{
    cursor c = {0};
    description d = {0};
    jc_npy npy = {0};
    jc_status status = find_header(file, bytes, &c);
    if (!status) status = read_dict(&c, &d);
    if (!status) status = read_type(d.descr, &npy);
    if (status) return status;
    npy.fortran = d.fortran;
    npy.rank = d.rank;
    memcpy(npy.dims, d.dims, sizeof npy.dims);
    npy.data = (const unsigned char *)c.text + c.bytes;
    status = check_length(bytes - (npy.data - (const unsigned char *)file), &npy);
    if (!status) *out = npy;
    return status;
}

/* ---- elements --------------------------------------------------------------------------------------------------- */

/* (-1)^s 1.m 2^(e-15), 0.m 2^-14 where e = 0, infinity or NaN where e = 31: exact in single precision. */
static float from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3ff, bits;
    float value;
    if (exponent == 0) {
        value = (float)mantissa * 0x1p-24f;
        return sign ? -value : value;
    }
    bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | mantissa << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The bytes of element i in this machine's order. */
static void fetch(const jc_npy *npy, int64_t i, unsigned char *out)
{
    int64_t width = jc_dtype_bytes(npy->dtype);
    const unsigned char *in = npy->data + i * width;
    for (int64_t k = 0; k < width; k++) out[k] = in[npy->swapped ? width - 1 - k : k];
}

static jc_status convert_integer(const jc_npy *npy, int64_t i, const unsigned char *bytes, unsigned char *out)
{
    const int64_t most = (int64_t)1 << EXACT_BITS;
    int64_t integer = jc_load_index(npy->dtype, bytes, 0);
    if (integer < -most || integer > most)
        return jc_fail(JC_E_INPUT, "element %lld is %lld, an integer beyond 2^53, which is no exact double",
                       (long long)i, (long long)integer);
    double value = (double)integer;
    memcpy(out, &value, sizeof value);
    return JC_OK;
}

/* Element i of the file as the type that it becomes. */
static jc_status convert(const jc_npy *npy, int64_t i, unsigned char *out)
{
    unsigned char bytes[8];
    fetch(npy, i, bytes);
    if (!jc_dtype_is_float(npy->dtype)) return convert_integer(npy, i, bytes, out);
    if (npy->dtype == JC_F16) {
        uint16_t half;
        memcpy(&half, bytes, sizeof half);
        float value = from_half(half);
        memcpy(out, &value, sizeof value);
    } else {
        memcpy(out, bytes, (size_t)jc_dtype_bytes(npy->dtype));
    }
    return JC_OK;
}

/* out[i*cols + j] = element j*rows + i of a column-major file, or i*cols + j; in tiles, so that neither side is walked
 * through once per element. */
static jc_status convert_all(const jc_npy *npy, int64_t rows, int64_t cols, bool by_columns, int64_t width,
                             unsigned char *out)
{
    jc_status status = JC_OK;
    int64_t tile = by_columns ? TILE : jc_max(cols, 1);
    for (int64_t i0 = 0; i0 < rows; i0 += TILE)
        for (int64_t j0 = 0; j0 < cols; j0 += tile)
            for (int64_t i = i0; i < jc_min(i0 + TILE, rows); i++)
                for (int64_t j = j0; j < jc_min(j0 + tile, cols) && !status; j++)
                    status = convert(npy, by_columns ? j * rows + i : i * cols + j, out + (i * cols + j) * width);
    return status;
}

jc_status jc_npy_floats(const jc_allocator *a, const jc_npy *npy, jc_vec *memory, jc_array *array)
{
    bool by_columns = npy->fortran && npy->rank > 1 && npy->elements > 0;
    if (by_columns && npy->rank > 2)
        return jc_fail(JC_E_INPUT, "has %d axes in Fortran order; expected at most 2", npy->rank);
    jc_array made = {.dtype = npy->dtype == JC_F32 || npy->dtype == JC_F16 ? JC_F32 : JC_F64, .rank = npy->rank};
    memcpy(made.dims, npy->dims, sizeof made.dims);
    made.data = npy->data;
    if (made.dtype == npy->dtype && !npy->swapped && !by_columns) {
        *array = made;
        return JC_OK;
    }
    int64_t width = jc_dtype_bytes(made.dtype), bytes, rows = by_columns ? npy->dims[0] : 1;
    if (!jc_size_mul(npy->elements, width, &bytes)) return jc_fail(JC_E_MEMORY, "not enough memory for an array");
    jc_vec v = jc_vec_of(1);
    jc_status status = jc_vec_reserve(a, &v, bytes + 1, "an array"); /* not NULL for an empty one */
    if (!status) status = convert_all(npy, rows, npy->elements / rows, by_columns, width, v.data);
    if (status) {
        jc_vec_free(a, &v);
        return status;
    }
    v.count = bytes;
    made.data = v.data;
    *memory = v;
    *array = made;
    return JC_OK;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

void jc_npy_write_header(jc_dtype dtype, int rank, const int64_t *dims, unsigned char header[JC_NPY_HEADER_BYTES])
{
    char text[JC_NPY_HEADER_BYTES], shape[JC_NPY_HEADER_BYTES] = "";
    enum { BEGIN = MAGIC_BYTES + VERSION_BYTES + 2 };
    size_t used = 0;
    for (int i = 0; i < rank && used < sizeof shape; i++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%lld", i ? ", " : "", (long long)dims[i]);
    int n = snprintf(text, sizeof text, "{'descr': '<f%d', 'fortran_order': False, 'shape': (%.72s%s), }",
                     dtype == JC_F64 ? 8 : 4, shape, rank == 1 ? "," : "");
    memset(header, ' ', JC_NPY_HEADER_BYTES);
    memcpy(header, magic, MAGIC_BYTES);
    memcpy(header + MAGIC_BYTES, "\1\0", 2);
    header[BEGIN - 2] = JC_NPY_HEADER_BYTES - BEGIN;
    header[BEGIN - 1] = 0;
    memcpy(header + BEGIN, text, (size_t)n);
    header[JC_NPY_HEADER_BYTES - 1] = '\n';
}
