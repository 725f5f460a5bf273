/* The norms of the command norms, as a table and as JSON. */
#include <string.h>

#include "cli/norms.h"
#include "cli/report.h"

/* ---- text -------------------------------------------------------------------------------------------------------- */

enum { DISTANCE, FROBENIUS, LARGEST, SMALLEST, COLUMNS };

static const char *const headings[COLUMNS] = {"distance", "frobenius", "largest", "smallest"};

static const char *cell(const jc_norm_row *row, int column, char text[JC_NUMBER_BYTES])
{
    if (column == DISTANCE) {
        snprintf(text, JC_NUMBER_BYTES, row->distance < 0 ? "-" : "%lld", (long long)row->distance);
        return text;
    }
    const double numbers[COLUMNS] = {0, row->norms.frobenius, row->norms.largest, row->norms.smallest};
    return jc_report_number(numbers[column], text);
}

static void print_table(const jc_norm_report *r)
{
    int width[COLUMNS];
    char text[JC_NUMBER_BYTES];
    for (int c = 0; c < COLUMNS; c++) {
        width[c] = (int)strlen(headings[c]);
        for (int64_t i = 0; i < r->n_rows; i++) {
            int n = (int)strlen(cell(&r->rows[i], c, text));
            if (n > width[c]) width[c] = n;
        }
        printf("  %*s", width[c], headings[c]);
    }
    puts("  variable");
    for (int64_t i = 0; i < r->n_rows; i++) {
        for (int c = 0; c < COLUMNS; c++) printf("  %*s", width[c], cell(&r->rows[i], c, text));
        printf("  %s\n", r->rows[i].name);
    }
}

static void print_growth(const jc_norm_report *r)
{
    char text[JC_NUMBER_BYTES];
    if (!r->growth.known) return;
    printf("\ngrowth rate of the Frobenius norm: %s per edge away from %s\n", jc_report_number(r->growth.factor, text),
           r->of_name);
    for (int64_t i = 0; i < r->n_families; i++) {
        const jc_norm_family *f = &r->families[i];
        if (!f->growth.known) continue;
        printf("  %s per step back from %s to %s\n", jc_report_number(f->growth.factor, text),
               r->rows[f->rows[f->n - 1]].name, r->rows[f->rows[0]].name);
    }
}

void jc_norm_report_print(const jc_norm_report *r)
{
    if (!r->n_rows) {
        printf("%s depends on no other variable%s\n", r->of_name, r->restricted ? " along a kept path" : "");
        return;
    }
    printf("d%s/dV: %lld row%s, with respect to %lld variable%s%s\n\n", r->of_name, (long long)r->of_size,
           r->of_size == 1 ? "" : "s", (long long)r->n_rows, r->n_rows == 1 ? "" : "s",
           r->named        ? ""
           : r->restricted ? " that kept paths come from"
                           : " that it depends on");
    print_table(r);
    print_growth(r);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void emit_rate(jc_emit *e, const char *key, jc_rate rate)
{
    if (rate.known)
        jc_emit_double(e, key, rate.factor);
    else
        jc_emit_null(e, key);
}

static void emit_row(jc_emit *e, const jc_norm_row *row)
{
    jc_emit_open(e, NULL, '{');
    jc_emit_text(e, "name", row->name);
    jc_emit_int(e, "size", row->size);
    if (row->distance >= 0)
        jc_emit_int(e, "distance", row->distance);
    else
        jc_emit_null(e, "distance");
    jc_emit_double(e, "frobenius", row->norms.frobenius);
    jc_emit_double(e, "largest", row->norms.largest);
    jc_emit_double(e, "smallest", row->norms.smallest);
    jc_emit_close(e, '}');
}

static void emit_family(jc_emit *e, const jc_norm_report *r, const jc_norm_family *f)
{
    jc_emit_open(e, NULL, '{');
    jc_emit_text(e, "first", r->rows[f->rows[0]].name);
    jc_emit_text(e, "last", r->rows[f->rows[f->n - 1]].name);
    jc_emit_int(e, "variables", f->n);
    emit_rate(e, "growth", f->growth);
    jc_emit_close(e, '}');
}

static void emit_engine(jc_emit *e, const jc_norm_report *r)
{
    const jc_results_info *info = &r->info;
    if (!info->backend) return;
    jc_emit_text(e, "backend", info->backend);
    jc_emit_text(e, "backend_reason", info->reason);
    jc_emit_text(e, "device", info->device);
    jc_emit_text(e, "precision", jc_cli_precision_name(info->precision));
    jc_emit_text(e, "order", jc_cli_order_name(info->order));
    jc_emit_int(e, "multiply_adds", info->multiply_adds);
    jc_emit_int(e, "peak_bytes", info->peak_bytes);
}

void jc_norm_report_emit(const jc_norm_report *r)
{
    jc_emit e = jc_emit_to(stdout);
    jc_emit_open(&e, NULL, '{');
    jc_emit_text(&e, "command", r->shared->command);
    jc_emit_text(&e, "of", r->of_name);
    emit_engine(&e, r);
    jc_emit_open(&e, "variables", '[');
    for (int64_t i = 0; i < r->n_rows; i++) emit_row(&e, &r->rows[i]);
    jc_emit_close(&e, ']');
    emit_rate(&e, "growth", r->growth);
    jc_emit_open(&e, "families", '[');
    for (int64_t i = 0; i < r->n_families; i++) emit_family(&e, r, &r->families[i]);
    jc_emit_close(&e, ']');
    jc_cli_emit_non_finite(&e, r->graph, r->info.n_non_finite, r->info.non_finite);
    jc_emit_close(&e, '}');
    putchar('\n');
}
