/* What check says about a report. */
#ifndef JC_CLI_VERDICT_H
#define JC_CLI_VERDICT_H

#include "cli/common.h"

/* Prints the report, or its JSON document; file: the results that were judged, or NULL. Returns the verdict. */
jc_verdict jc_verdict_report(const jc_graph *graph, const jc_check_report *report, const char *file, bool json);

#endif
