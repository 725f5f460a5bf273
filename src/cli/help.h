/* Help texts, wrapped at 100 columns. */
#ifndef JC_CLI_HELP_H
#define JC_CLI_HELP_H

#include "cli/cli.h"

/* What is made of the tables of commands and options, all on standard output. */
typedef enum jc_help_form {
    JC_HELP_TEXT, /* what --help says */
    JC_HELP_MAN,  /* the manual page, for man(7) */
    JC_HELP_BASH  /* the completion of command lines, for bash */
} jc_help_form;

/* From now on jc_help_command prints a command's part of this form; jc_help_begin has printed what stands before all of
 * them. jc_help_end prints the rest. */
void jc_help_begin(jc_help_form form);
void jc_help_end(void);

/* Prints what --help of a command says, or its part of the form that was begun. */
void jc_help_command(const jc_usage *usage);

/* One form each: help_man.c, help_bash.c. */
void jc_man_begin(void);
void jc_man_command(const jc_usage *usage);
void jc_man_end(void);
void jc_bash_begin(void);
void jc_bash_command(const jc_usage *usage);
void jc_bash_end(void);

/* What all of the command is about, and its exit codes: a text for each, NULL at the end. */
extern const char jc_help_about[];
extern const char *const jc_help_exit_codes[];

/* Prints `text` ("\n" ends a paragraph) in lines of 100 columns, each begun with `indent` spaces; the cursor stands in
 * column `column` at the start. */
void jc_help_wrap(const char *text, int column, int indent);

#endif
