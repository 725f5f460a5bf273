/* One line of a terminal that says how far long work is. */
#include <string.h>
#include <unistd.h>

#include "cli/common.h"

enum { DETAIL_BYTES = 160 };
static const double every_s = 0.1, first_s = 0.3; /* what is over sooner needs no numbers */

static void show(const char *doing, const char *detail)
{
    fprintf(stderr, "\r\033[K%s%s", doing, detail);
    fflush(stderr);
}

/* ": 31 %, 12.3 MiB of 39.7 MiB, 310 MiB/s" */
static void describe(const char *unit, int64_t done, int64_t total, double seconds, char detail[DETAIL_BYTES])
{
    char a[JC_QUANTITY_BYTES], b[JC_QUANTITY_BYTES], rate[JC_QUANTITY_BYTES];
    double percent = total > 0 ? 100.0 * (double)done / (double)total : 0, per_s = (double)done / seconds;
    int64_t whole = per_s < 9e18 ? (int64_t)per_s : INT64_MAX;
    if (strcmp(unit, "bytes") == 0) {
        snprintf(detail, DETAIL_BYTES, ": %.0f %%, %s of %s, %s/s", percent, jc_cli_bytes_text(done, a),
                 jc_cli_bytes_text(total, b), jc_cli_bytes_text(whole, rate));
        return;
    }
    snprintf(detail, DETAIL_BYTES, ": %.0f %%, %s of %s %s, %s/s", percent, jc_cli_count_text(done, a),
             jc_cli_count_text(total, b), unit, jc_cli_count_text(whole, rate));
}

/* The clock is read where, going on as before, a tenth of the time between two lines has passed. */
static void take(void *ctx, const char *unit, int64_t done, int64_t total)
{
    jc_cli_meter *m = ctx;
    char detail[DETAIL_BYTES];
    bool restarted = done == 0 || done < m->told; /* the work begins, or its next part */
    if (!restarted && done < m->next) return;
    double now = jc_cli_now();
    if (restarted) m->begin_s = m->shown_s = now;
    double per_s = (double)done / (now - m->begin_s + 1e-9);
    m->told = done;
    m->next = done + (int64_t)(per_s * every_s / 10 < 1e15 ? per_s * every_s / 10 : 1e15);
    if (restarted || now - m->begin_s < first_s || now - m->shown_s < every_s) return;
    describe(unit, done, total, now - m->begin_s, detail);
    show(m->doing, detail);
    m->shown_s = now;
}

jc_progress jc_cli_meter_begin(jc_cli_meter *meter, bool quiet, const char *doing)
{
    jc_progress silent = {NULL, NULL};
    *meter = (jc_cli_meter){.on = !quiet && isatty(fileno(stderr)), .doing = doing};
    if (!meter->on) return silent;
    meter->begin_s = meter->shown_s = jc_cli_now();
    show(doing, " ...");
    return (jc_progress){take, meter};
}

void jc_cli_meter_end(jc_cli_meter *meter)
{
    if (meter->on) show("", "");
}
