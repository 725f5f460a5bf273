/* The command: what its files share. Only src/cli prints, reads the terminal or picks exit codes.
 *
 * A command is one file cli/<name>.c with one function, a row of the table in main.c:
 *     int jc_cli_<name>(int argc, char **argv);       argv[0] is the command's name; returns the exit code
 * It describes its options in static tables whose rows point into a struct of its own, set to the defaults first:
 *     typedef struct { jc_cli_shared shared; const char *output; int64_t depth; } options;
 *     static const jc_option table[] = {{"depth", JC_OPTION_COUNT, offsetof(options, depth), "N", "layers", .min = 1},
 * {0}}; static const jc_usage usage = {"gen", "FAMILY --output STEM [options]", "Writes ...", {table}, 1, 1}; options o
 * = {.depth = 10}; jc_words words; int code; if (!jc_cli_parse(&usage, argc, argv, &o, &words, &code)) return code;
 * --help, or wrong usage if (o.depth > 9) return jc_cli_usage_error("gen", "--depth %lld ...", ...); jc_status status =
 * jc_graph_load(words.word[0], NULL, &graph); if (status) return jc_cli_failed(status); prints jc_last_error()
 */
#ifndef JC_CLI_CLI_H
#define JC_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/error.h"
#include "jacchain.h"

/* Exit codes (SPEC "Exit codes"); those of failures come from jc_status_exit_code. */
enum {
    JC_EXIT_DONE = 0,
    JC_EXIT_CHECK = 1, /* a check failed or could not decide */
    JC_EXIT_USAGE = 2
};

/* ---- commands ---------------------------------------------------------------------------------------------- */

int jc_cli_total(int argc, char **argv);
int jc_cli_partial(int argc, char **argv);
int jc_cli_vjp(int argc, char **argv);
int jc_cli_jvp(int argc, char **argv);
int jc_cli_check(int argc, char **argv);
int jc_cli_plan(int argc, char **argv);
int jc_cli_draw(int argc, char **argv);
int jc_cli_gen(int argc, char **argv);
int jc_cli_paths(int argc, char **argv);
int jc_cli_factor(int argc, char **argv);
int jc_cli_norms(int argc, char **argv);
int jc_cli_info(int argc, char **argv);

/* ---- options: options.c ------------------------------------------------------------------------------------ */

/* The type of the field that an option sets is in the comment. Numbers are read strictly: all of the text, in range. */
typedef enum jc_option_type {
    JC_OPTION_FLAG,   /* bool: true when given; takes no value */
    JC_OPTION_TEXT,   /* const char *: not empty, borrowed from argv */
    JC_OPTION_TEXTS,  /* jc_texts: as JC_OPTION_TEXT, and may be given more than once */
    JC_OPTION_CHOICE, /* int: position of the value in `choices` */
    JC_OPTION_COUNT,  /* int64_t: decimal integer from min to max (max 0: INT64_MAX) */
    JC_OPTION_REAL,   /* double: finite decimal number, with min 1 above 0 */
    JC_OPTION_SIZE,   /* int64_t: positive bytes, 4096, 512M, 1.5G; K, M, G, T are powers of 1024 */
    JC_OPTION_LATER   /* no field: an option of the contract that is not there yet */
} jc_option_type;

typedef struct jc_option {
    const char *name; /* without the dashes; NULL ends a table */
    jc_option_type type;
    size_t offset;       /* of the field in the struct given to jc_cli_parse */
    const char *value;   /* what --help calls the value, "FILE"; NULL for flags */
    const char *help;    /* one paragraph, wrapped by the printer; names the default */
    const char *choices; /* JC_OPTION_CHOICE: "auto|cpu|reference" */
    int64_t min, max;    /* JC_OPTION_COUNT; JC_OPTION_REAL: min 1, above 0 */
} jc_option;

enum { JC_MAX_WORDS = 4, JC_MAX_TABLES = 6, JC_MAX_TEXTS = 64 };

/* The values of an option that may be given more than once, in their order. */
typedef struct jc_texts {
    const char *text[JC_MAX_TEXTS]; /* borrowed from argv */
    int count;
} jc_texts;

typedef struct jc_usage {
    const char *command;                    /* "total" */
    const char *synopsis;                   /* "GRAPH --of T[,..] [options]" */
    const char *text;                       /* what it does; paragraphs split by "\n", wrapped by the printer */
    const jc_option *tables[JC_MAX_TABLES]; /* the first NULL ends them; 64 options in all at most */
    int min_words, max_words;               /* words that are no options */
    const char *words;                      /* what the first of them can be, "a|b"; NULL: a graph document */
    const char *example; /* command lines that work as they stand from the project's folder, "\n" between them */
} jc_usage;

typedef struct jc_words {
    const char *word[JC_MAX_WORDS]; /* borrowed from argv */
    int count;
} jc_words;

/* Sets the fields of `options` that are given. False: the command ends with *exit_code, everything said already: 0
 * after --help, 2 after wrong usage. An option may be given once, one
 * of JC_OPTION_TEXTS up to JC_MAX_TEXTS times; `--` ends the options. */
bool jc_cli_parse(const jc_usage *usage, int argc, char **argv, void *options, jc_words *words, int *exit_code);

/* ---- saying things: say.c ---------------------------------------------------------------------------------- */

/* "jacchain COMMAND: sentence" and where help is, on standard error; returns JC_EXIT_USAGE. */
int jc_cli_usage_error(const char *command, const char *format, ...) JC_PRINTF(2, 3);

/* One line: what of the contract is not there yet; returns JC_EXIT_USAGE. */
int jc_cli_not_yet(const char *command, const char *format, ...) JC_PRINTF(2, 3);

/* "jacchain: " and jc_last_error() on standard error; returns the status's exit code. */
int jc_cli_failed(jc_status status);

/* Whether all of standard output could be written: JC_EXIT_DONE, or says why not and returns the exit code of that. */
int jc_cli_flush(void);

/* One line of narration on standard error, unless quiet. */
void jc_cli_narrate(bool quiet, const char *format, ...) JC_PRINTF(2, 3);

/* ---- progress: progress.c ---------------------------------------------------------------------------------- */

/* What is being done, how far it is and how fast it goes: one line of a terminal, which it leaves at the end. */
typedef struct jc_cli_meter {
    bool on;           /* standard error is a terminal and not to be quiet */
    const char *doing; /* "loading the graph" */
    double begin_s, shown_s;
    int64_t told, next; /* how far it was when the clock was last read, and is to be when it is next */
} jc_cli_meter;

/* Shows "<doing> ..."; what is returned is for the library and borrows the meter. */
jc_progress jc_cli_meter_begin(jc_cli_meter *meter, bool quiet, const char *doing);
void jc_cli_meter_end(jc_cli_meter *meter);

/* Whether colour may be used: a terminal, and no NO_COLOR. */
bool jc_cli_colour(FILE *stream);

#endif
