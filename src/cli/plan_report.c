#include "cli/plan_report.h"

#include <stdlib.h>
#include <string.h>

/* "w"; "w, state 2" is left to eliminate; of a vertex that is no variable what it is. Owned by the caller. */
static char *node_name(const jc_plan_report *r, int64_t node)
{
    enum { BYTES = 48 };
    const jc_subgraph *s = &r->plan->subgraph;
    if (s->variable[node] >= 0) return jc_cli_name(r->graph, s->variable[node]);
    char *text = jc_cli_alloc(BYTES, 1);
    if (s->rank_of && s->rank_of[node] >= 0)
        snprintf(text, BYTES, "V'x of edge %lld", (long long)s->rank_of[node]);
    else
        snprintf(text, BYTES, "%s", r->plan->seed == JC_SEED_NONE ? "sum over samples" : "seed");
    return text;
}

/* An elimination that is a sweep. */
static bool falls_back(const jc_plan_report *r)
{
    return r->plan->by_elimination && !r->plan->eliminates;
}

/* Of such a one: a cheaper elimination was found, but it does not keep the memory limit. */
static bool is_over_limit(const jc_plan_report *r)
{
    return r->plan->elimination_cost >= 0 && r->plan->elimination_cost < r->plan->multiply_adds;
}

static const jc_densified *dense_at(const jc_plan_report *r, int64_t i)
{
    return (const jc_densified *)r->plan->densified.data + i;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

enum { SHOWN = 12 };

static void print_eliminated(const jc_plan_report *r)
{
    const jc_cli_variables *list = r->eliminated;
    printf("eliminate       ");
    for (int64_t i = 0; i < list->count && i < SHOWN; i++) {
        char *name = jc_cli_name(r->graph, list->ids[i]);
        printf("%s%s", i ? ", " : "", name);
        free(name);
    }
    if (list->count > SHOWN) printf(" and %lld more", (long long)(list->count - SHOWN));
    puts(list->count ? "" : "nothing");
}

static void print_row(const jc_plan_row *row)
{
    char adds[JC_QUANTITY_BYTES] = "-", bytes[JC_QUANTITY_BYTES] = "-", peak[JC_QUANTITY_BYTES] = "-";
    char seconds[JC_QUANTITY_BYTES] = "-";
    if (row->multiply_adds >= 0) jc_cli_count_text(row->multiply_adds, adds);
    if (row->bytes >= 0) jc_cli_bytes_text(row->bytes, bytes);
    if (row->peak_bytes >= 0) jc_cli_bytes_text(row->peak_bytes, peak);
    if (row->seconds >= 0) jc_cli_seconds_text(row->seconds, seconds);
    printf("  %-12s  %18s  %11s  %11s  %14s%s\n", jc_cli_order_name(row->order), adds, bytes, peak, seconds,
           row->chosen ? "  chosen" : "");
}

static void print_orders(const jc_plan_report *r)
{
    printf("  %-12s  %18s  %11s  %11s  %14s\n", "order", "multiply-adds", "bytes moved", "peak memory",
           "predicted time");
    for (int i = 0; i < JC_PLAN_ORDERS; i++) print_row(&r->rows[i]);
}

/* "D[t,u] by D[t,v] (sparse) times D[v,u] (batch 8): 64 entries, 512 multiply-adds" */
static void print_dense(const jc_plan_report *r, const jc_densified *d)
{
    char entries[JC_QUANTITY_BYTES], adds[JC_QUANTITY_BYTES];
    char *of = node_name(r, d->of), *via = node_name(r, d->via), *wrt = node_name(r, d->wrt);
    printf("  D[%s,%s] by D[%s,%s] (%s) times D[%s,%s] (%s): %s entries, %s multiply-adds\n", of, wrt, of, via, d->left,
           via, wrt, d->right, jc_cli_count_text(d->entries, entries), jc_cli_count_text(d->multiply_adds, adds));
    free(wrt);
    free(via);
    free(of);
}

static void print_all_dense(const jc_plan_report *r)
{
    int64_t n = r->plan->densified.count;
    if (n) puts("became dense, since no kind holds the product");
    for (int64_t i = 0; i < n && i < SHOWN; i++) print_dense(r, dense_at(r, i));
    if (n > SHOWN) printf("  and %lld more\n", (long long)(n - SHOWN));
}

static void print_costs(const jc_plan_report *r)
{
    const jc_program_info *p = r->program_info;
    char text[JC_QUANTITY_BYTES], more[JC_QUANTITY_BYTES];
    printf("multiply-adds   %s\n", jc_cli_count_text(r->plan_info->multiply_adds, text));
    printf("bytes moved     %s\n", jc_cli_bytes_text(p->bytes, text));
    printf("peak memory     %s%s\n", jc_cli_bytes_text(p->peak_bytes, text),
           r->in_blocks ? ": over the memory limit, so the seed rows will be taken in blocks" : "");
    printf("predicted time  %s", jc_cli_seconds_text(p->seconds_predicted, text));
    if (p->start_seconds > 0) printf(", after %s of start and upload", jc_cli_seconds_text(p->start_seconds, more));
    printf("\nplanning        %s\n", jc_cli_seconds_text(r->plan_s, text));
}

void jc_plan_report_print(const jc_plan_report *r)
{
    static const char *const seeds[] = {"", ", seed rows (vjp)", ", seed columns (jvp)"};
    const jc_plan_info *p = r->plan_info;
    const jc_program_info *q = r->program_info;
    char text[JC_QUANTITY_BYTES], more[JC_QUANTITY_BYTES];
    printf("order           %s%s%s%s\n", jc_cli_order_name(p->order), seeds[r->plan->seed],
           !falls_back(r)     ? ""
           : is_over_limit(r) ? ": the cheaper one is over the memory limit, so that it is the sweep, "
                              : ": nothing was found below the sweep, ",
           falls_back(r) ? jc_cli_order_name(r->plan->order) : "");
    printf("backend         %s (%s), %s, %s\n", q->backend, q->reason, q->device, jc_cli_precision_name(q->precision));
    printf("graph           %s variables and %s edges are used\n", jc_cli_count_text(p->nodes, text),
           jc_cli_count_text(p->edges, more));
    printf("levels          %s\n", jc_cli_count_text(p->levels, text));
    printf("operations      %s in %s batches\n", jc_cli_count_text(p->steps, text),
           jc_cli_count_text(r->batches->list.count, more));
    print_eliminated(r);
    print_costs(r);
    print_orders(r);
    print_all_dense(r);
    if (p->structure_only) puts("Some edges have no numbers: the cost is counted as that of a dense D.");
    jc_batches_print(r->batches);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void emit_count(jc_emit *e, const char *name, int64_t count)
{
    if (count < 0)
        jc_emit_null(e, name);
    else
        jc_emit_int(e, name, count);
}

static void emit_alternatives(jc_emit *e, const jc_plan_report *r)
{
    jc_emit_open(e, "alternatives", '{');
    for (int i = 0; i < JC_PLAN_ORDERS; i++)
        emit_count(e, jc_cli_order_name(r->rows[i].order), r->rows[i].multiply_adds);
    jc_emit_close(e, '}');
}

static void emit_row(jc_emit *e, const jc_plan_row *row)
{
    jc_emit_open(e, jc_cli_order_name(row->order), '{');
    emit_count(e, "multiply_adds", row->multiply_adds);
    emit_count(e, "bytes", row->bytes);
    emit_count(e, "peak_bytes", row->peak_bytes);
    if (row->seconds < 0)
        jc_emit_null(e, "seconds_predicted");
    else
        jc_emit_double(e, "seconds_predicted", row->seconds);
    jc_emit_close(e, '}');
}

static void emit_orders(jc_emit *e, const jc_plan_report *r)
{
    jc_emit_open(e, "orders", '{');
    for (int i = 0; i < JC_PLAN_ORDERS; i++) emit_row(e, &r->rows[i]);
    jc_emit_close(e, '}');
}

static void emit_node(jc_emit *e, const char *key, const jc_plan_report *r, int64_t node)
{
    char *name = node_name(r, node);
    jc_emit_text(e, key, name);
    free(name);
}

static void emit_dense(jc_emit *e, const jc_plan_report *r)
{
    jc_emit_open(e, "dense", '[');
    for (int64_t i = 0; i < r->plan->densified.count; i++) {
        const jc_densified *d = dense_at(r, i);
        jc_emit_open(e, NULL, '{');
        emit_node(e, "of", r, d->of);
        emit_node(e, "via", r, d->via);
        emit_node(e, "wrt", r, d->wrt);
        jc_emit_text(e, "left", d->left);
        jc_emit_text(e, "right", d->right);
        jc_emit_int(e, "entries", d->entries);
        jc_emit_int(e, "multiply_adds", d->multiply_adds);
        jc_emit_close(e, '}');
    }
    jc_emit_close(e, ']');
}

static void emit_eliminated(jc_emit *e, const jc_plan_report *r)
{
    jc_emit_open(e, "eliminate", '[');
    for (int64_t i = 0; i < r->eliminated->count; i++) jc_cli_emit_name(e, NULL, r->graph, r->eliminated->ids[i]);
    jc_emit_close(e, ']');
}

static void emit_plan(jc_emit *e, const jc_plan_report *r)
{
    static const char *const seeds[] = {NULL, "rows", "columns"};
    const jc_plan_info *p = r->plan_info;
    const jc_program_info *q = r->program_info;
    jc_emit_text(e, "order", jc_cli_order_name(p->order));
    jc_emit_text(e, "sweep", r->plan->eliminates ? NULL : jc_cli_order_name(r->plan->order));
    jc_emit_text(e, "seed", seeds[r->plan->seed]);
    jc_emit_text(e, "backend", q->backend);
    jc_emit_text(e, "backend_reason", q->reason);
    jc_emit_text(e, "device", q->device);
    jc_emit_text(e, "precision", jc_cli_precision_name(q->precision));
    jc_emit_int(e, "threads", q->threads);
    jc_emit_int(e, "levels", p->levels);
    jc_emit_int(e, "operations", p->steps);
    jc_emit_int(e, "variables", p->nodes);
    jc_emit_int(e, "edges", p->edges);
    jc_emit_bool(e, "structure_only", p->structure_only);
}

static void emit_costs(jc_emit *e, const jc_plan_report *r)
{
    const jc_program_info *q = r->program_info;
    jc_emit_int(e, "multiply_adds", r->plan_info->multiply_adds);
    jc_emit_int(e, "bytes", q->bytes);
    jc_emit_int(e, "peak_bytes", q->peak_bytes);
    jc_emit_bool(e, "in_blocks", r->in_blocks);
    jc_emit_int(e, "plan_bytes", (int64_t)r->plan_info->plan_bytes);
    jc_emit_double(e, "seconds_predicted", q->seconds_predicted);
    jc_emit_double(e, "start_seconds_predicted", q->start_seconds);
    jc_emit_double(e, "plan_seconds", r->plan_s);
}

void jc_plan_report_emit(const jc_plan_report *r)
{
    jc_emit e = jc_emit_to(stdout);
    jc_emit_open(&e, NULL, '{');
    emit_plan(&e, r);
    emit_eliminated(&e, r);
    jc_batches_emit(&e, r->batches);
    emit_costs(&e, r);
    emit_alternatives(&e, r);
    emit_orders(&e, r);
    emit_dense(&e, r);
    if (r->picture) jc_emit_text(&e, "output", r->picture);
    if (r->picture) jc_emit_int(&e, "fill_in", r->n_fill);
    jc_emit_close(&e, '}');
    putchar('\n');
}
