/* Help texts, wrapped at 100 columns, and the nearest name to a mistyped one. */
#ifndef JC_CLI_HELP_H
#define JC_CLI_HELP_H

#include "cli/cli.h"

/* Prints what --help of a command says on standard output. */
void jc_help_command(const jc_usage *usage);

/* Prints `text` ("\n" ends a paragraph) in lines of 100 columns, each begun with `indent` spaces; the cursor stands in
 * column `column` at the start. */
void jc_help_wrap(const char *text, int column, int indent);

/* The option nearest to `arg` ("--name" or "--name=value"), or NULL where none is near. */
const char *jc_help_closest_option(const jc_usage *usage, const char *arg);

/* Letters to insert, delete, change or swap with a neighbour to make n bytes of a into b; a large number for long ones.
 */
int jc_help_distance(const char *a, size_t n, const char *b);

#endif
