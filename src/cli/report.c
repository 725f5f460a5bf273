#include "cli/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/compare.h"
#include "run/norm.h"

enum { TABLE_COLUMNS = 100, TABLE_ROWS = 24, JSON_ENTRIES = 10000, MAX_NAME_WIDTH = 40 };

const char *jc_report_number(double value, char text[JC_NUMBER_BYTES])
{
    bool whole = isfinite(value) && fabs(value) < 1e15 && value == nearbyint(value);
    if (!isfinite(value)) return jc_double_text(value, text);
    snprintf(text, JC_NUMBER_BYTES, "%.*g", whole ? 15 : 6, value);
    return text;
}

/* ---- text -------------------------------------------------------------------------------------------------- */

/* "dL/dw", or the report's own name; owned by the caller. */
static char *result_name(const jc_report *report, const jc_result *r)
{
    if (!report->name) return jc_cli_total_name(report->graph, r->of, r->wrt);
    char *copy = jc_cli_alloc((int64_t)strlen(report->name) + 1, 1);
    return strcpy(copy, report->name);
}

/* "1 x 4", or "8 x 1 x 4" for blocks. */
static const char *shape_text(const jc_report *report, const jc_result *r, char text[JC_QUANTITY_BYTES * 2])
{
    char *p = text, *end = text + JC_QUANTITY_BYTES * 2;
    if (report->per_sample) p += snprintf(p, (size_t)(end - p), "%lld x ", (long long)r->blocks);
    snprintf(p, (size_t)(end - p), "%lld x %lld", (long long)r->rows, (long long)r->cols);
    return text;
}

/* Widths of the columns of all blocks, and what a line takes with two spaces before each. */
static int64_t table_widths(const jc_result *r, int *widths)
{
    char text[JC_NUMBER_BYTES];
    int64_t total = 0;
    for (int64_t j = 0; j < r->cols; j++) {
        widths[j] = 0;
        for (int64_t b = 0; b < r->blocks; b++) {
            for (int64_t i = 0; i < r->rows; i++) {
                int n = (int)strlen(jc_report_number(jc_result_entry(r, b, i, j), text));
                if (n > widths[j]) widths[j] = n;
            }
        }
        total += widths[j] + 2;
    }
    return total;
}

static void print_block(const jc_result *r, int64_t block, const int *widths)
{
    char text[JC_NUMBER_BYTES];
    for (int64_t i = 0; i < r->rows; i++) {
        for (int64_t j = 0; j < r->cols; j++) {
            printf("  %*s", widths[j], jc_report_number(jc_result_entry(r, block, i, j), text));
        }
        putchar('\n');
    }
}

static void print_table(const jc_report *report, const jc_result *r, const char *name, const int *widths)
{
    char shape[JC_QUANTITY_BYTES * 2];
    printf("%s  %s\n", name, shape_text(report, r, shape));
    for (int64_t b = 0; b < r->blocks; b++) {
        if (report->per_sample) printf("  block %lld\n", (long long)b);
        print_block(r, b, widths);
    }
}

/* Frobenius norm without overflow, and the range of the entries that are numbers. */
typedef struct summary {
    double scale, squares, min, max;
    int64_t not_finite;
} summary;

static void summary_add(summary *s, double value)
{
    double size = fabs(value);
    if (!isfinite(value)) s->not_finite++;
    if (value < s->min) s->min = value;
    if (value > s->max) s->max = value;
    if (isinf(value)) {
        s->scale = size;
        s->squares = isnan(s->squares) ? s->squares : 1;
    } else if (size > s->scale) {
        s->squares = 1 + s->squares * (s->scale / size) * (s->scale / size);
        s->scale = size;
    } else if (size > 0) {
        s->squares += (size / s->scale) * (size / s->scale);
    } else if (isnan(value)) {
        s->squares = value;
    }
}

static summary summarise(const jc_result *r)
{
    summary s = {.min = INFINITY, .max = -INFINITY};
    for (int64_t b = 0; b < r->blocks; b++) {
        for (int64_t i = 0; i < r->rows; i++) {
            for (int64_t j = 0; j < r->cols; j++) summary_add(&s, jc_result_entry(r, b, i, j));
        }
    }
    if (s.min > s.max) s.min = s.max = NAN; /* nothing but NaN */
    return s;
}

/* What stands over lines that print_summary writes. */
static void print_heading(int name_width)
{
    printf("%-*s  %-12s  %-12s  %-13s  %s\n", name_width, "result", "shape", "norm", " min", " max");
}

static void print_summary(const jc_report *report, const jc_result *r, const char *name, int name_width)
{
    char shape[JC_QUANTITY_BYTES * 2];
    int pad = name_width - jc_cli_text_width(name);
    printf("%s%*s  %-12s", name, pad > 0 ? pad : 0, "", shape_text(report, r, shape));
    if (!r->data) {
        puts(r->kind == JC_RESULT_IDENTITY ? "  identity" : "  zero");
        return;
    }
    summary s = summarise(r);
    printf("  %-12.6g  %- 13.6g  % .6g", s.scale > 0 ? s.scale * sqrt(s.squares) : s.squares, s.min, s.max);
    if (s.not_finite) printf("  %lld entries are NaN or Inf", (long long)s.not_finite);
    putchar('\n');
}

/* Prints the table if it is small or wanted in any case. */
static bool try_table(const jc_report *report, const jc_result *r, const char *name)
{
    bool all = report->shared->values;
    if (!all && (r->cols > TABLE_COLUMNS / 3 || r->blocks > TABLE_ROWS || r->rows > TABLE_ROWS / r->blocks))
        return false;
    int *widths = jc_cli_alloc(r->cols, sizeof *widths);
    bool fits = table_widths(r, widths) <= TABLE_COLUMNS || all;
    if (fits) print_table(report, r, name, widths);
    free(widths);
    return fits;
}

static int widest_name(const jc_report *report)
{
    int widest = (int)strlen("result");
    for (int64_t i = 0; i < jc_results_count(report->results); i++) {
        jc_result r;
        jc_results_get(report->results, i, &r);
        char *name = result_name(report, &r);
        int width = jc_cli_text_width(name);
        if (width > widest && width <= MAX_NAME_WIDTH) widest = width;
        free(name);
    }
    return widest;
}

void jc_report_print(const jc_report *report)
{
    int name_width = widest_name(report);
    bool headed = false; /* the line before is of the table of summaries */
    for (int64_t i = 0; i < jc_results_count(report->results); i++) {
        jc_result r;
        jc_results_get(report->results, i, &r);
        char *name = result_name(report, &r);
        bool summarised = !try_table(report, &r, name);
        if (summarised && !headed) print_heading(name_width);
        if (summarised) print_summary(report, &r, name, name_width);
        headed = summarised;
        free(name);
    }
}

/* ---- JSON -------------------------------------------------------------------------------------------------- */

static void emit_entry(jc_emit *e, const jc_result *r, int64_t block, int64_t row, int64_t col)
{
    double value = jc_result_entry(r, block, row, col);
    if (r->data && r->dtype == JC_F32)
        jc_emit_float(e, NULL, (float)value);
    else
        jc_emit_double(e, NULL, value);
}

static void emit_block(jc_emit *e, const char *key, const jc_result *r, int64_t block)
{
    jc_emit_open(e, key, '[');
    for (int64_t i = 0; i < r->rows; i++) {
        jc_emit_open(e, NULL, '[');
        for (int64_t j = 0; j < r->cols; j++) emit_entry(e, r, block, i, j);
        jc_emit_close(e, ']');
    }
    jc_emit_close(e, ']');
}

void jc_report_emit_matrix(jc_emit *e, const char *key, const jc_result *r)
{
    emit_block(e, key, r, 0);
}

static void emit_values(jc_emit *e, const jc_report *report, const jc_result *r)
{
    if (!report->per_sample) {
        emit_block(e, "values", r, 0);
        return;
    }
    jc_emit_open(e, "values", '[');
    for (int64_t b = 0; b < r->blocks; b++) emit_block(e, NULL, r, b);
    jc_emit_close(e, ']');
}

bool jc_report_has_few_entries(const jc_result *r)
{
    int64_t n;
    if (__builtin_mul_overflow(r->rows, r->cols, &n) || __builtin_mul_overflow(n, r->blocks, &n)) return false;
    return n <= JSON_ENTRIES;
}

static void emit_result(jc_emit *e, const jc_report *report, const jc_result *r, int64_t *from)
{
    jc_result total;
    jc_emit_open(e, NULL, '{');
    jc_cli_emit_name(e, "of", report->graph, r->of);
    jc_cli_emit_name(e, "wrt", report->graph, r->wrt);
    jc_emit_open(e, "shape", '[');
    if (report->per_sample) jc_emit_int(e, NULL, r->blocks);
    jc_emit_int(e, NULL, r->rows);
    jc_emit_int(e, NULL, r->cols);
    jc_emit_close(e, ']');
    if (report->shared->values || jc_report_has_few_entries(r)) emit_values(e, report, r);
    if (report->all && jc_compare_find(report->all, r, from, &total)) {
        jc_comparison comparison = jc_compare(r, &total);
        jc_compare_emit(e, &comparison);
    }
    jc_emit_close(e, '}');
}

static void emit_costs(jc_emit *e, const jc_report *report, const jc_results_info *info)
{
    jc_emit_open(e, "cost", '{');
    jc_emit_int(e, "multiply_adds", info->multiply_adds);
    jc_emit_int(e, "bytes", info->bytes);
    jc_emit_close(e, '}');
    jc_emit_int(e, "peak_bytes", info->peak_bytes);
    jc_emit_int(e, "blocks", info->blocks);
    jc_emit_open(e, "seconds", '{');
    jc_emit_double(e, "load", report->load_s);
    jc_emit_double(e, "plan", info->plan_s);
    jc_emit_double(e, "upload", info->upload_s);
    jc_emit_double(e, "run", info->run_s);
    jc_emit_double(e, "download", info->download_s);
    jc_emit_close(e, '}');
}

void jc_report_emit(const jc_report *report)
{
    int64_t from = 0;
    jc_results_info info = {.struct_size = sizeof info};
    jc_results_get_info(report->results, &info);
    jc_emit e = jc_emit_to(stdout);
    jc_emit_open(&e, NULL, '{');
    jc_emit_text(&e, "command", report->shared->command);
    jc_emit_text(&e, "backend", info.backend);
    jc_emit_text(&e, "backend_reason", info.reason);
    jc_emit_text(&e, "device", info.device);
    jc_emit_text(&e, "precision", jc_cli_precision_name(info.precision));
    jc_emit_text(&e, "order", jc_cli_order_name(info.order));
    jc_emit_open(&e, "totals", '[');
    for (int64_t i = 0; i < jc_results_count(report->results); i++) {
        jc_result r;
        jc_results_get(report->results, i, &r);
        emit_result(&e, report, &r, &from);
    }
    jc_emit_close(&e, ']');
    jc_cli_emit_non_finite(&e, report->graph, info.n_non_finite, info.non_finite);
    emit_costs(&e, report, &info);
    jc_emit_close(&e, '}');
    putchar('\n');
}
