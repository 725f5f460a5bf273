/* Results as a person reads them and as JSON. */
#ifndef JC_CLI_REPORT_H
#define JC_CLI_REPORT_H

#include "cli/common.h"

/* What is reported: borrowed. */
typedef struct jc_report {
    const jc_cli_shared *shared;
    const jc_graph *graph;
    const jc_results *results;
    const jc_results *all; /* the same totals over all paths, to compare with; NULL: not wanted */
    bool per_sample;       /* results are B blocks, also where B is 1 */
    double load_s;
    const char *name; /* what stands over a table; NULL: dL/dw */
} jc_report;

/* Small results as tables, large ones as one line each. */
void jc_report_print(const jc_report *report);

/* The JSON document of total, partial, vjp and jvp. */
void jc_report_emit(const jc_report *report);

/* A result that is one matrix, as lists of rows; few entries: at most as many as are written without being asked for.
 */
void jc_report_emit_matrix(jc_emit *e, const char *key, const jc_result *result);
bool jc_report_has_few_entries(const jc_result *result);

/* An entry in six digits, whole numbers exactly; returns text. */
const char *jc_report_number(double value, char text[JC_NUMBER_BYTES]);

#endif
