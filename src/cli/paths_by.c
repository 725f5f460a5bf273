/* paths --by: the total split by how often its paths use a label,
 *   dT/dS = sum over n of the total over the paths that use exactly n edges with the label */
#include <stdlib.h>
#include <string.h>

#include "cli/paths.h"
#include "run/norm.h"

/* ---- the work ---------------------------------------------------------------------------------------------------- */

/* The sum of all parts less the total, [rows x cols]. */
typedef struct sum {
    double *data;
    int64_t rows, cols;
} sum;

/* sum += sign r */
static void add(sum *s, const jc_result *r, double sign)
{
    for (int64_t i = 0; i < s->rows; i++)
        for (int64_t j = 0; j < s->cols; j++) s->data[i * s->cols + j] += sign * jc_result_entry(r, 0, i, j);
}

static jc_status norm_of(const jc_path_report *r, const jc_result *result, int norm, jc_measure *m)
{
    jc_status status = jc_result_norm(&r->graph->allocator, result, (jc_norm)norm, &m->value);
    m->known = !status;
    return status;
}

static jc_status take(jc_path_report *r, const jc_uses *split, int norm, sum *s)
{
    r->parts = jc_cli_alloc(jc_uses_count(split), sizeof *r->parts);
    for (int64_t i = 0; i < jc_uses_count(split); i++) {
        jc_uses_part given;
        jc_status status = jc_uses_get(split, i, &given);
        if (status) return status;
        jc_path_part *p = &r->parts[r->n_parts++];
        size_t bytes = strlen(given.count) + 1;
        *p = (jc_path_part){.uses = given.uses};
        p->count = memcpy(jc_cli_alloc((int64_t)bytes, 1), given.count, bytes);
        if (!s->data) continue;
        if ((status = norm_of(r, &given.sum, norm, &p->norm))) return status;
        p->share = jc_path_ratio(p->norm.value, r->norm.value);
        p->contribution.known = s->rows * s->cols == 1;
        if (p->contribution.known) p->contribution.value = jc_result_entry(&given.sum, 0, 0, 0);
        add(s, &given.sum, 1);
    }
    return JC_OK;
}

/* How far the sum of all parts is from the total. */
static jc_status compare(jc_path_report *r, int norm, const sum *s)
{
    jc_result difference = {.rows = s->rows,
                            .cols = s->cols,
                            .blocks = 1,
                            .dtype = JC_F64,
                            .data = s->data,
                            .row_stride = s->cols,
                            .col_stride = 1};
    return s->data ? norm_of(r, &difference, norm, &r->difference) : JC_OK;
}

jc_status jc_path_split(jc_path_report *r, const jc_query *query, int norm, const jc_results *total)
{
    jc_uses *split = NULL;
    jc_result whole;
    sum s = {NULL, 0, 0};
    jc_cli_meter meter;
    jc_cli_meter_begin(&meter, r->shared->quiet, "splitting the total");
    jc_status status = total ? jc_results_get(total, 0, &whole) : JC_OK;
    if (!status && total) {
        s = (sum){jc_cli_alloc(whole.rows * whole.cols, sizeof *s.data), whole.rows, whole.cols};
        add(&s, &whole, -1);
    }
    if (!status) status = jc_paths_by_uses(r->graph, query, &r->by, 1, total != NULL, &split);
    if (!status) status = take(r, split, norm, &s);
    if (!status) status = compare(r, norm, &s);
    jc_cli_meter_end(&meter);
    jc_uses_destroy(split);
    free(s.data);
    return status;
}

void jc_path_parts_free(jc_path_report *r)
{
    for (int64_t i = 0; i < r->n_parts; i++) free(r->parts[i].count);
    free(r->parts);
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

static int wider(int width, const char *text)
{
    int own = jc_cli_text_width(text);
    return own > width ? own : width;
}

/* Widths of the columns. */
typedef struct widths {
    int uses, count, norm, share, contribution;
} widths;

static widths find_widths(const jc_path_report *r, const char *head)
{
    char text[JC_NUMBER_BYTES];
    widths w = {wider(0, head), wider(0, "paths"), wider(0, "norm"), wider(0, "share"), wider(0, "contribution")};
    for (int64_t i = 0; i < r->n_parts; i++) {
        const jc_path_part *p = &r->parts[i];
        w.count = wider(w.count, p->count);
        w.norm = wider(w.norm, jc_path_measure_text(p->norm, text));
        w.share = wider(w.share, jc_path_measure_text(p->share, text));
        w.contribution = wider(w.contribution, jc_path_measure_text(p->contribution, text));
    }
    return w;
}

static void print_part(const jc_path_report *r, const jc_path_part *p, const widths *w)
{
    char norm[JC_NUMBER_BYTES], share[JC_NUMBER_BYTES];
    printf("  %*lld  %*s", w->uses, (long long)p->uses, w->count, p->count);
    if (r->norm.known)
        printf("  %*s  %*s", w->norm, jc_path_measure_text(p->norm, norm), w->share,
               jc_path_measure_text(p->share, share));
    if (p->contribution.known) printf("  %*s", w->contribution, jc_path_measure_text(p->contribution, norm));
    putchar('\n');
}

void jc_path_parts_print(const jc_path_report *r)
{
    char head[160], number[JC_NUMBER_BYTES];
    if (!r->n_parts) return;
    snprintf(head, sizeof head, "uses of %s", r->by);
    widths w = find_widths(r, head);
    printf("\n  %*s  %*s", w.uses, head, w.count, "paths");
    if (r->norm.known) printf("  %*s  %*s", w.norm, "norm", w.share, "share");
    if (r->parts[0].contribution.known) printf("  %*s", w.contribution, "contribution");
    putchar('\n');
    for (int64_t i = 0; i < r->n_parts; i++) print_part(r, &r->parts[i], &w);
    if (r->difference.known)
        printf("their sum differs from the total by %s\n", jc_path_measure_text(r->difference, number));
}

void jc_path_parts_emit(jc_emit *e, const jc_path_report *r)
{
    jc_emit_text(e, "by_label", r->by);
    jc_emit_open(e, "by", '[');
    for (int64_t i = 0; i < r->n_parts; i++) {
        const jc_path_part *p = &r->parts[i];
        jc_emit_open(e, NULL, '{');
        jc_emit_int(e, "uses", p->uses);
        jc_emit_text(e, "count", p->count);
        jc_path_emit_measure(e, "norm", p->norm);
        jc_path_emit_measure(e, "share", p->share);
        jc_path_emit_measure(e, "contribution", p->contribution);
        jc_emit_close(e, '}');
    }
    jc_emit_close(e, ']');
    jc_path_emit_measure(e, "by_difference", r->difference);
}
