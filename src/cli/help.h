/* Help texts, wrapped at 100 columns. */
#ifndef JC_CLI_HELP_H
#define JC_CLI_HELP_H

#include "cli/cli.h"

/* Prints what --help of a command says on standard output. */
void jc_help_command(const jc_usage *usage);

/* Prints `text` ("\n" ends a paragraph) in lines of 100 columns, each begun with `indent` spaces; the cursor stands in
 * column `column` at the start. */
void jc_help_wrap(const char *text, int column, int indent);

#endif
