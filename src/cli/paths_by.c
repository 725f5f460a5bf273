/* paths --by: the total split by how often its paths use a label,
 *   dT/dS = sum over n of the total over the paths that use exactly n edges with the label
 * each part a restricted total of its own. */
#include <stdlib.h>
#include <string.h>

#include "cli/paths.h"
#include "core/dtype.h"
#include "run/norm.h"

enum { MOST_USES = 10000 };

/* ---- the work ---------------------------------------------------------------------------------------------------- */

typedef struct splitting {
    jc_path_report *report;
    jc_query query; /* with one rule more, the last, whose count is set for each part */
    jc_rule *rules; /* [query.n_rules], owned */
    int norm;
    const jc_results *total; /* NULL: counts alone */
    double *sum;             /* [rows * cols] of all parts less the total; owned */
    int64_t rows, cols;
} splitting;

static double entry(const jc_result *r, int64_t i, int64_t j)
{
    return jc_load_float(r->dtype, r->data, i * r->row_stride + j * r->col_stride);
}

/* sum += sign r */
static void add(splitting *s, const jc_result *r, double sign)
{
    for (int64_t i = 0; i < s->rows; i++)
        for (int64_t j = 0; j < s->cols; j++)
            s->sum[i * s->cols + j] += sign * (r->data ? entry(r, i, j) : r->kind == JC_RESULT_IDENTITY && i == j);
}

static jc_status begin_sum(splitting *s)
{
    jc_result total;
    if (!s->total) return JC_OK;
    jc_status status = jc_results_get(s->total, 0, &total);
    if (status) return status;
    s->rows = total.rows, s->cols = total.cols;
    s->sum = jc_cli_alloc(s->rows * s->cols, sizeof *s->sum);
    add(s, &total, -1);
    return JC_OK;
}

/* The norm of what the sum of all parts and the total differ by. */
static jc_status end_sum(const splitting *s)
{
    jc_result difference = {.rows = s->rows,
                            .cols = s->cols,
                            .blocks = 1,
                            .dtype = JC_F64,
                            .data = s->sum,
                            .row_stride = s->cols,
                            .col_stride = 1};
    jc_measure *m = &s->report->difference;
    if (!s->total) return JC_OK;
    m->known = true;
    return jc_result_norm(&s->report->graph->allocator, &difference, (jc_norm)s->norm, &m->value);
}

static jc_status evaluate(splitting *s, jc_path_part *part)
{
    jc_evaluate_options options = {.struct_size = sizeof options, .program = jc_cli_program_options(s->report->shared)};
    jc_results *results = NULL;
    jc_result r;
    if (!s->total) return JC_OK;
    jc_status status = jc_evaluate(s->report->graph, &s->query, &options, &results);
    if (!status) status = jc_results_get(results, 0, &r);
    if (!status) status = jc_result_norm(&s->report->graph->allocator, &r, (jc_norm)s->norm, &part->norm.value);
    if (!status) {
        part->norm.known = true;
        part->share = jc_path_ratio(part->norm.value, s->report->norm.value);
        part->contribution.known = s->rows * s->cols == 1;
        if (part->contribution.known)
            part->contribution.value = r.data ? entry(&r, 0, 0) : r.kind == JC_RESULT_IDENTITY;
        add(s, &r, 1);
    }
    jc_results_destroy(results);
    return status;
}

static char *copy_text(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(jc_cli_alloc((int64_t)bytes, 1), text, bytes);
}

static jc_status split_off(splitting *s, int64_t uses)
{
    const char *count;
    jc_paths *paths = NULL;
    s->rules[s->query.n_rules - 1].count = uses;
    jc_status status = jc_paths_create(s->report->graph, &s->query, &paths);
    if (!status) status = jc_paths_count(paths, &count);
    if (!status && strcmp(count, "0")) {
        jc_path_part *part = &s->report->parts[s->report->n_parts++];
        *part = (jc_path_part){.uses = uses, .count = copy_text(count)};
        status = evaluate(s, part);
    }
    jc_paths_destroy(paths);
    return status;
}

static jc_status split(splitting *s, int64_t fewest, int64_t most)
{
    jc_cli_meter meter;
    jc_progress progress = jc_cli_meter_begin(&meter, s->report->shared->quiet, "splitting the total");
    jc_status status = begin_sum(s);
    s->report->parts = jc_cli_alloc(most - fewest + 1, sizeof *s->report->parts);
    for (int64_t uses = fewest; uses <= most && !status; uses++) {
        status = split_off(s, uses);
        if (progress.report) progress.report(progress.ctx, "parts", uses - fewest + 1, most - fewest + 1);
    }
    if (!status) status = end_sum(s);
    jc_cli_meter_end(&meter);
    return status;
}

jc_status jc_path_split(jc_path_report *r, const jc_query *query, int norm, const jc_results *total)
{
    int64_t fewest, most;
    splitting s = {.report = r, .query = *query, .norm = norm, .total = total};
    jc_status status = jc_paths_uses(r->graph, query, &r->by, 1, &fewest, &most);
    if (status) return status;
    if (most >= MOST_USES)
        return jc_fail(JC_E_USAGE, "--by: paths use the label %s up to %lld times; at most %d can be told apart", r->by,
                       (long long)most, MOST_USES - 1);
    s.rules = jc_cli_alloc(query->n_rules + 1, sizeof *s.rules);
    if (query->n_rules) memcpy(s.rules, query->rules, (size_t)query->n_rules * sizeof *s.rules);
    s.rules[query->n_rules] = (jc_rule){.kind = JC_RULE_USES, .labels = &r->by, .n_labels = 1};
    s.query.rules = s.rules, s.query.n_rules = query->n_rules + 1;
    status = most >= 0 ? split(&s, fewest, most) : JC_OK;
    free(s.sum);
    free(s.rules);
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
