/* Forms recorded products again (record.h). */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standin/numbers.h"
#include "standin/record.h"

enum { SAMPLES_MOST = 16, WORKSPACE_BYTES = 4 << 20 };

typedef struct sample {
    int64_t member, i, j;
    uint64_t before, after;
    uint64_t *line[2];
} sample;

typedef struct replay {
    const jc_gpu_api *api;
    FILE *file;
    jc_gpu_stream stream;
    jc_gpu_blas handle;
    void *d_workspace;
    jc_gpu_product p;
    sample sample[SAMPLES_MOST];
    int n_samples;
    int64_t place[3]; /* numbers from a member to the next */
    unsigned char *image[3];
    size_t image_bytes[3];
    void *d_image[3], *d_array[3];
    jt_replay *out;
} replay;

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int unread(replay *r, const char *what)
{
    if (!r->out->message[0])
        snprintf(r->out->message, sizeof r->out->message, "record %" PRId64 ": %s", r->out->records, what);
    return 1;
}

static int read_line(replay *r, const char *name, uint64_t **line)
{
    char word[16];
    *line = calloc((size_t)r->p.k + 1, sizeof **line);
    if (!*line) return unread(r, "not enough memory");
    if (fscanf(r->file, "%15s", word) != 1 || strcmp(word, name) != 0) return unread(r, "a line is missing");
    for (int64_t l = 0; l < r->p.k; l++)
        if (fscanf(r->file, "%" SCNx64, &(*line)[l]) != 1) return unread(r, "a number is missing");
    return 0;
}

static int read_sample(replay *r)
{
    if (r->n_samples == SAMPLES_MOST) return unread(r, "too many samples");
    sample *s = &r->sample[r->n_samples++];
    *s = (sample){0};
    int n = fscanf(r->file, "%" SCNd64 "%" SCNd64 "%" SCNd64 "%" SCNx64 "%" SCNx64, &s->member, &s->i, &s->j,
                   &s->before, &s->after);
    const jc_gpu_product *p = &r->p;
    bool inside =
        n == 5 && s->member >= 0 && s->member < p->count && s->i >= 0 && s->i < p->m && s->j >= 0 && s->j < p->n;
    if (!inside) return unread(r, "a sample is not understood");
    return read_line(r, "a", &s->line[JT_A]) || read_line(r, "b", &s->line[JT_B]);
}

static int read_product(replay *r)
{
    int flag[7];
    int64_t size[10];
    uint64_t beta, digest;
    for (int i = 0; i < 7; i++)
        if (fscanf(r->file, "%d", &flag[i]) != 1) return unread(r, "a flag is missing");
    for (int i = 0; i < 10; i++)
        if (fscanf(r->file, "%" SCNd64, &size[i]) != 1) return unread(r, "a size is missing");
    if (fscanf(r->file, "%" SCNx64 "%" SCNx64, &beta, &digest) != 2) return unread(r, "beta or digest is missing");
    for (int i = 0; i < 4; i++)
        if (size[i] < 1 || size[i] > 1 << 24) return unread(r, "a size is not sensible");
    r->p = (jc_gpu_product){.form = (jc_gpu_form)flag[0],
                            .vector = flag[1],
                            .transpose_a = flag[2],
                            .transpose_b = flag[3],
                            .tf32 = flag[4],
                            .in = flag[5],
                            .out = flag[6],
                            .m = size[0],
                            .n = size[1],
                            .k = size[2],
                            .count = size[3],
                            .lda = size[4],
                            .ldb = size[5],
                            .ldc = size[6],
                            .stride_a = size[7],
                            .stride_b = size[8],
                            .stride_c = size[9],
                            .beta = jt_number(beta, JC_GPU_F64)};
    return 0;
}

/* ---- forming ----------------------------------------------------------------------------------------------------- */

/* NaN but for the rows and columns of the samples. */
static int make_image(replay *r, int which)
{
    jt_operand o = jt_operand_of(&r->p, which);
    r->place[which] = r->p.form == JC_GPU_STRIDED ? o.stride : jt_aligned(o.extent);
    r->image_bytes[which] = (size_t)(o.extent + r->place[which] * (r->p.count - 1)) * o.bytes;
    r->image[which] = malloc(r->image_bytes[which]);
    if (!r->image[which]) return unread(r, "not enough memory");
    memset(r->image[which], 0xFF, r->image_bytes[which]);
    for (int k = 0; k < r->n_samples; k++) {
        const sample *s = &r->sample[k];
        jt_line line = jt_line_of(&r->p, which, s->i, s->j);
        int64_t first = s->member * r->place[which] + line.first;
        for (int64_t l = 0; l < line.n; l++)
            jt_bits_put(r->image[which], first + l * line.step, o.type, which == JT_C ? s->before : s->line[which][l]);
    }
    return 0;
}

static int upload(replay *r, int which)
{
    int code = r->api->allocate(&r->d_image[which], r->image_bytes[which]);
    if (!code)
        code = r->api->copy(r->d_image[which], r->image[which], r->image_bytes[which], JC_GPU_TO_DEVICE, r->stream);
    if (code || r->p.form != JC_GPU_POINTERS) return code;
    size_t count = (size_t)r->p.count, bytes = jt_operand_of(&r->p, which).bytes;
    void **array = calloc(count, sizeof *array);
    if (!array) return JC_GPU_NO_MEMORY;
    for (size_t e = 0; e < count; e++) array[e] = (char *)r->d_image[which] + e * (size_t)r->place[which] * bytes;
    code = r->api->allocate(&r->d_array[which], count * sizeof *array);
    if (!code) code = r->api->copy(r->d_array[which], array, count * sizeof *array, JC_GPU_TO_DEVICE, r->stream);
    if (!code) code = r->api->stream_synchronize(r->stream);
    free(array);
    return code;
}

static int form(replay *r)
{
    int code = 0;
    for (int which = JT_A; which <= JT_C && !code; which++) code = upload(r, which);
    if (code) return code;
    void **operand = r->p.form == JC_GPU_POINTERS ? r->d_array : r->d_image;
    r->p.a = operand[JT_A];
    r->p.b = operand[JT_B];
    r->p.c = operand[JT_C];
    code = r->api->blas_product(r->handle, &r->p);
    if (!code) code = r->api->copy(r->image[JT_C], r->d_image[JT_C], r->image_bytes[JT_C], JC_GPU_TO_HOST, r->stream);
    return code ? code : r->api->stream_synchronize(r->stream);
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* gamma = (k + 2) u / (1 - (k + 2) u), for both sides; tf32 operands: cut off on one side, rounded on the other. */
static double bound(const jc_gpu_product *p, const sample *s)
{
    double u = p->out == JC_GPU_F64 ? 0x1p-53 : 0x1p-24, ku = ((double)p->k + 2) * u, sum = 0;
    for (int64_t l = 0; l < p->k; l++)
        sum += fabs(jt_number(s->line[JT_A][l], p->in)) * fabs(jt_number(s->line[JT_B][l], p->in));
    double old = p->beta == 0 ? 0 : fabs(p->beta * jt_number(s->before, p->out));
    return 2 * ku / (1 - ku) * (sum + old) + (p->tf32 ? 0x1p-8 * sum : 0);
}

static void compare(replay *r, const sample *s)
{
    const jc_gpu_product *p = &r->p;
    int64_t at = s->member * r->place[JT_C] + jt_line_of(p, JT_C, s->i, s->j).first;
    double there = jt_number(s->after, p->out), here = jt_number(jt_bits_at(r->image[JT_C], at, p->out), p->out);
    double most = bound(p, s), error = fabs(there - here);
    r->out->samples++;
    if (error <= most) {
        if (most > 0 && error / most > r->out->worst) r->out->worst = error / most;
        return;
    }
    if (r->out->wrong++) return;
    r->out->worst = INFINITY;
    snprintf(r->out->message, sizeof r->out->message,
             "record %" PRId64 " (form %d vector %d transposed %d %d tf32 %d types %d %d, %" PRId64 " x %" PRId64
             " x %" PRId64 "): member %" PRId64 " entry [%" PRId64 ", %" PRId64
             "] is %.17g, recorded %.17g, bound %.3g",
             r->out->records, (int)p->form, p->vector, p->transpose_a, p->transpose_b, p->tf32, p->in, p->out, p->m,
             p->n, p->k, s->member, s->i, s->j, here, there, most);
}

static int finish_record(replay *r)
{
    int code = 0;
    if (r->n_samples == 0) return 0;
    r->out->records++;
    for (int which = JT_A; which <= JT_C && !code; which++) code = make_image(r, which);
    if (!code) code = form(r);
    for (int k = 0; k < r->n_samples && !code; k++) compare(r, &r->sample[k]);
    return code ? unread(r, "a call failed") : 0;
}

static void drop_record(replay *r)
{
    for (int k = 0; k < r->n_samples; k++)
        for (int which = JT_A; which <= JT_B; which++) free(r->sample[k].line[which]);
    r->n_samples = 0;
    for (int which = JT_A; which <= JT_C; which++) {
        if (r->d_image[which]) r->api->release(r->d_image[which]);
        if (r->d_array[which]) r->api->release(r->d_array[which]);
        free(r->image[which]);
        r->d_image[which] = r->d_array[which] = NULL;
        r->image[which] = NULL;
    }
}

static int read_all(replay *r)
{
    char word[16];
    int version = 0, code = 0;
    if (fscanf(r->file, "jacchain products %d", &version) != 1 || version != 1) return unread(r, "not such a file");
    while (!code && fscanf(r->file, "%15s", word) == 1) {
        if (strcmp(word, "product") == 0) {
            code = finish_record(r);
            drop_record(r);
            if (!code) code = read_product(r);
        } else
            code = strcmp(word, "sample") == 0 ? read_sample(r) : unread(r, "a line is not understood");
    }
    if (!code) code = finish_record(r);
    drop_record(r);
    return code;
}

int jt_record_replay(const jc_gpu_api *api, const char *path, jt_replay *out)
{
    *out = (jt_replay){0};
    replay r = {.api = api, .file = fopen(path, "r"), .out = out};
    if (!r.file) return unread(&r, "the file cannot be read");
    int code = api->blas_load();
    if (!code) code = api->stream_create(&r.stream);
    if (!code) code = api->blas_create(&r.handle);
    if (!code) code = api->allocate(&r.d_workspace, WORKSPACE_BYTES);
    if (!code) code = api->blas_configure(r.handle, r.stream, r.d_workspace, WORKSPACE_BYTES);
    code = code ? unread(&r, "a call failed") : read_all(&r);
    if (r.handle) api->blas_destroy(r.handle);
    if (r.d_workspace) api->release(r.d_workspace);
    if (r.stream) api->stream_destroy(r.stream);
    fclose(r.file);
    return code;
}
