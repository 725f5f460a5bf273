/* Writes records of products (record.h). */
#include "standin/record.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standin/numbers.h"
#include "support/pool.h"

enum { EACH = 2, SAMPLES = 3, KEYS = 1024, FILE_MOST = 1000000, DIGEST_MOST = 1 << 20, EXTENT_MOST = 1 << 24 };
static const double WORK_MOST = 0x1p26;

typedef struct sample {
    int64_t member, i, j;
    uint64_t before, after;
    void *line[2]; /* row of op(A), column of op(B) */
} sample;

/* A product that is recorded. */
typedef struct recording {
    const jc_gpu_product *p;
    jc_gpu_stream stream;
    sample sample[SAMPLES];
    int n_samples;
    void **arrays[3]; /* [count] of POINTERS, on the host */
    uint64_t digest;
    int code; /* the first that is not 0 */
} recording;

static struct {
    const jc_gpu_api *api;
    jc_gpu_api table;
    FILE *file;
    int64_t bytes, records;
    uint64_t key[KEYS];
    int seen[KEYS], n_keys;
    bool broken;
} recorder;

/* ---- which products ---------------------------------------------------------------------------------------------- */

static uint64_t log_size(int64_t n)
{
    uint64_t log = 0;
    for (; n > 1; n /= 2) log++;
    return log;
}

static uint64_t key_of(const jc_gpu_product *p)
{
    uint64_t flags = (uint64_t)p->form | (uint64_t)p->vector << 2 | (uint64_t)p->transpose_a << 3 |
                     (uint64_t)p->transpose_b << 4 | (uint64_t)p->tf32 << 5 | (uint64_t)p->in << 6 |
                     (uint64_t)(p->beta != 0) << 8 | (uint64_t)(p->count > 1) << 9;
    return flags | log_size(p->m) << 16 | log_size(p->n) << 24 | log_size(p->k) << 32;
}

static bool is_new(const jc_gpu_product *p)
{
    uint64_t key = key_of(p);
    int at = 0;
    while (at < recorder.n_keys && recorder.key[at] != key) at++;
    if (at == KEYS) return false;
    if (at == recorder.n_keys) {
        recorder.key[at] = key;
        recorder.seen[recorder.n_keys++] = 0;
    }
    return recorder.seen[at]++ < EACH;
}

/* Small enough to be formed again on the host, and for the file. */
static bool fits(const jc_gpu_product *p)
{
    if (p->m < 1 || p->n < 1 || p->k < 1 || p->count < 1) return false;
    if ((double)p->m * (double)p->n * (double)p->k * (double)p->count > WORK_MOST) return false;
    int64_t sum = 0;
    for (int which = JT_A; which <= JT_C; which++) {
        jt_operand o = jt_operand_of(p, which);
        if (o.stride < 0) return false;
        sum += (o.extent + (p->form == JC_GPU_STRIDED ? o.stride : o.extent) * (p->count - 1)) * (int64_t)o.bytes;
    }
    int64_t line = 2 * p->k * (jt_hex_digits(p->in) + 1) + 256;
    return sum <= EXTENT_MOST && recorder.bytes + SAMPLES * line + 256 <= FILE_MOST;
}

static bool is_wanted(jc_gpu_blas handle, const jc_gpu_product *p, jc_gpu_stream *stream)
{
    jc_gpu_blas_state state;
    bool capturing = true;
    if (!recorder.file || recorder.broken || !fits(p)) return false;
    if (recorder.api->blas_save(handle, &state)) return false;
    *stream = state.stream;
    if (recorder.api->capture_state(state.stream, &capturing) || capturing) return false;
    return is_new(p);
}

/* ---- reading the device ------------------------------------------------------------------------------------------ */

static void *taken(recording *r, size_t bytes)
{
    void *ptr = calloc(bytes ? bytes : 1, 1);
    if (!ptr && !r->code) r->code = JC_GPU_NO_MEMORY;
    return ptr;
}

static void wait(recording *r)
{
    int code = recorder.api->stream_synchronize(r->stream);
    if (!r->code) r->code = code;
}

static void fetch(recording *r, void *to, const void *from, size_t pitch, size_t width, size_t height)
{
    if (r->code || width == 0 || height == 0) return;
    r->code = recorder.api->copy_2d(to, width, from, pitch, width, height, JC_GPU_TO_HOST, r->stream);
    wait(r);
}

static void fetch_arrays(recording *r)
{
    const void *d_array[3] = {r->p->a, r->p->b, r->p->c};
    size_t bytes = (size_t)r->p->count * sizeof(void *);
    for (int which = JT_A; which <= JT_C && r->p->form == JC_GPU_POINTERS; which++) {
        r->arrays[which] = taken(r, bytes);
        fetch(r, r->arrays[which], d_array[which], bytes, bytes, 1);
    }
}

static const unsigned char *member_at(const recording *r, int which, int64_t member)
{
    const void *base[3] = {r->p->a, r->p->b, r->p->c};
    jt_operand o = jt_operand_of(r->p, which);
    if (r->p->form == JC_GPU_POINTERS) return r->arrays[which][member];
    return (const unsigned char *)base[which] + (size_t)(member * o.stride) * o.bytes;
}

static void fetch_line(recording *r, void *to, int which, const sample *s)
{
    jt_operand o = jt_operand_of(r->p, which);
    jt_line line = jt_line_of(r->p, which, s->i, s->j);
    if (r->code) return;
    const unsigned char *from = member_at(r, which, s->member) + (size_t)line.first * o.bytes;
    if (line.step == 1)
        fetch(r, to, from, (size_t)line.n * o.bytes, (size_t)line.n * o.bytes, 1);
    else
        fetch(r, to, from, (size_t)line.step * o.bytes, o.bytes, (size_t)line.n);
}

static uint64_t fetch_entry(recording *r, const sample *s)
{
    unsigned char number[8] = {0};
    fetch_line(r, number, JT_C, s);
    return jt_bits_at(number, 0, r->p->out);
}

/* FNV-1a over the columns of every member. */
static void digest(recording *r, int which)
{
    jt_operand o = jt_operand_of(r->p, which);
    size_t bytes = (size_t)(o.rows * o.columns) * o.bytes;
    unsigned char *columns = taken(r, bytes);
    for (int64_t member = 0; member < r->p->count && !r->code; member++) {
        fetch(r, columns, member_at(r, which, member), (size_t)o.ld * o.bytes, (size_t)o.rows * o.bytes,
              (size_t)o.columns);
        for (size_t i = 0; i < bytes; i++) r->digest = (r->digest ^ columns[i]) * UINT64_C(0x100000001b3);
    }
    free(columns);
}

static bool has_digest(const jc_gpu_product *p)
{
    int64_t sum = 0;
    for (int which = JT_A; which <= JT_C; which++) {
        jt_operand o = jt_operand_of(p, which);
        sum += o.rows * o.columns * (int64_t)o.bytes * p->count * (which == JT_C ? 2 : 1);
    }
    return sum <= DIGEST_MOST;
}

/* ---- a record ---------------------------------------------------------------------------------------------------- */

static void choose_samples(recording *r)
{
    const jc_gpu_product *p = r->p;
    jt_rng rng = {key_of(p)};
    r->sample[0] = (sample){0};
    r->sample[1] = (sample){.member = p->count - 1, .i = p->m - 1, .j = p->n - 1};
    r->sample[2] = (sample){.member = jt_below(&rng, p->count), .i = jt_below(&rng, p->m), .j = jt_below(&rng, p->n)};
    r->n_samples = p->m * p->n * p->count == 1 ? 1 : SAMPLES;
}

static void look_before(recording *r)
{
    jt_operand o = jt_operand_of(r->p, JT_A);
    fetch_arrays(r);
    choose_samples(r);
    for (int k = 0; k < r->n_samples; k++) {
        sample *s = &r->sample[k];
        for (int which = JT_A; which <= JT_B; which++) {
            s->line[which] = taken(r, (size_t)r->p->k * o.bytes);
            fetch_line(r, s->line[which], which, s);
        }
        if (r->p->beta != 0) s->before = fetch_entry(r, s);
    }
    if (!has_digest(r->p)) return;
    r->digest = UINT64_C(0xcbf29ce484222325);
    digest(r, JT_A);
    digest(r, JT_B);
    if (r->p->beta != 0) digest(r, JT_C);
}

static void look_after(recording *r)
{
    wait(r);
    for (int k = 0; k < r->n_samples; k++) r->sample[k].after = fetch_entry(r, &r->sample[k]);
    if (r->digest) digest(r, JT_C);
}

static void count(int written)
{
    if (written < 0) recorder.broken = true;
    recorder.bytes += written;
}

static void write_line(const char *name, const void *line, int64_t n, int type)
{
    count(fprintf(recorder.file, "%s", name));
    for (int64_t l = 0; l < n; l++)
        count(fprintf(recorder.file, " %0*" PRIx64, jt_hex_digits(type), jt_bits_at(line, l, type)));
    count(fprintf(recorder.file, "\n"));
}

static void write_record(const recording *r)
{
    const jc_gpu_product *p = r->p;
    count(fprintf(recorder.file, "product %d %d %d %d %d %d %d", (int)p->form, p->vector, p->transpose_a,
                  p->transpose_b, p->tf32, p->in, p->out));
    const int64_t size[] = {p->m, p->n, p->k, p->count, p->lda, p->ldb, p->ldc, p->stride_a, p->stride_b, p->stride_c};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) count(fprintf(recorder.file, " %" PRId64, size[i]));
    count(fprintf(recorder.file, " %016" PRIx64 " %016" PRIx64 "\n", jt_bits_at(&p->beta, 0, JC_GPU_F64), r->digest));
    for (int k = 0; k < r->n_samples; k++) {
        const sample *s = &r->sample[k];
        int digits = jt_hex_digits(p->out);
        count(fprintf(recorder.file, "sample %" PRId64 " %" PRId64 " %" PRId64 " %0*" PRIx64 " %0*" PRIx64 "\n",
                      s->member, s->i, s->j, digits, s->before, digits, s->after));
        write_line("a", s->line[JT_A], p->k, p->in);
        write_line("b", s->line[JT_B], p->k, p->in);
    }
    recorder.records++;
}

static void recording_free(recording *r)
{
    for (int k = 0; k < SAMPLES; k++)
        for (int which = JT_A; which <= JT_B; which++) free(r->sample[k].line[which]);
    for (int which = JT_A; which <= JT_C; which++) free(r->arrays[which]);
}

/* The product is formed whatever becomes of its record. */
static int product(jc_gpu_blas handle, const jc_gpu_product *p)
{
    recording r = {.p = p};
    if (!is_wanted(handle, p, &r.stream)) return recorder.api->blas_product(handle, p);
    look_before(&r);
    int code = recorder.api->blas_product(handle, p);
    if (!code && !r.code) look_after(&r);
    if (!code && !r.code) write_record(&r);
    if (r.code) recorder.broken = true;
    recording_free(&r);
    return code;
}

/* ---- begin and end ----------------------------------------------------------------------------------------------- */

const jc_gpu_api *jt_record_begin(const jc_gpu_api *api, const char *path)
{
    memset(&recorder, 0, sizeof recorder);
    recorder.api = api;
    recorder.table = *api;
    recorder.table.blas_product = product;
    recorder.file = fopen(path, "w");
    if (!recorder.file) return NULL;
    count(fprintf(recorder.file, "jacchain products 1\n"));
    return &recorder.table;
}

int64_t jt_record_end(void)
{
    if (!recorder.file) return -1;
    if (fclose(recorder.file)) recorder.broken = true;
    recorder.file = NULL;
    return recorder.broken ? -1 : recorder.records;
}
