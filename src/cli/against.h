/* Totals computed elsewhere, judged here. */
#ifndef JC_CLI_AGAINST_H
#define JC_CLI_AGAINST_H

#include "cli/common.h"

/* Whether `path` names a kind of file that can be judged; says why not. */
bool jc_against_check_name(const char *path, int *exit_code);

/* Judges the file's totals of the variables `of` with respect to `wrt` (empty: of any), said to be computed in
 * `precision`, under path rules. JC_E_INPUT where the file has none of them, or lacks one that both lists name. */
jc_status jc_against_judge(const jc_graph *graph, const char *path, const jc_cli_variables *of,
                           const jc_cli_variables *wrt, const jc_cli_rules *rules, jc_precision precision,
                           jc_check_report **report);

#endif
