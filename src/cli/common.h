/* What the computing commands share: their options, the graph, variables by name, quantities as text. */
#ifndef JC_CLI_COMMON_H
#define JC_CLI_COMMON_H

#include "cli/cli.h"
#include "cli/emit.h"

/* ---- options ----------------------------------------------------------------------------------------------- */

/* The first member of a command's options struct. Start from JC_CLI_SHARED_INIT. */
typedef struct jc_cli_shared {
    const char *command;
    const char *of, *wrt;  /* comma-separated names, or NULL */
    int backend;           /* position in JC_CLI_BACKENDS */
    int precision;         /* position in JC_CLI_PRECISIONS, -1: not given */
    int order;             /* a jc_order */
    int64_t threads;       /* 0: not given */
    int64_t memory_limit;  /* 0: not given */
    double search_seconds; /* 0: not given */
    int64_t search_seed;
    int64_t tape_limit;             /* -1: not given */
    const char *plan_in, *plan_out; /* files of an order, or NULL */
    const char *output;
    jc_texts avoid, through, avoid_label, match; /* path rules, as they stand */
    bool json, quiet, values;
} jc_cli_shared;

#define JC_CLI_SHARED_INIT(COMMAND)                                                                                    \
    {                                                                                                                  \
        .command = (COMMAND), .precision = -1, .tape_limit = -1                                                        \
    }

extern const jc_option jc_cli_engine_options[]; /* backend, precision, order, threads, memory limit */
extern const jc_option jc_cli_search_options[]; /* search-seconds, search-seed, tape-limit, plan-in, plan-out */
extern const jc_option jc_cli_rule_options[];   /* avoid, through, avoid-label, match */
extern const jc_option jc_cli_output_options[]; /* output, json, values, quiet */
extern const jc_option jc_cli_report_options[]; /* json, quiet */

/* Whether a file can be put in the folder of `path`: asked before the work, and not the last word. JC_E_OUTPUT. */
jc_status jc_cli_check_folder(const char *path);

/* What the options ask of the library. Says what is wrong and returns false with the exit code otherwise: a backend
 * that is not there, a precision that the backend does not have, an output that cannot be. */
bool jc_cli_shared_check(const jc_cli_shared *shared, int *exit_code);
jc_program_options jc_cli_program_options(const jc_cli_shared *shared);

const char *jc_cli_precision_name(jc_precision precision); /* "f64" */
const char *jc_cli_order_name(jc_order order);             /* "reverse" */

/* ---- graph and variables ----------------------------------------------------------------------------------- */

/* A list of variables; ids is owned. */
typedef struct jc_cli_variables {
    int64_t *ids;
    int64_t count;
} jc_cli_variables;

/* The document's name in messages: its path, or "standard input" for "-". */
const char *jc_cli_document_name(const char *path);

/* Reads the document, from standard input where path is "-"; *seconds is how long it took. */
bool jc_cli_load(const jc_cli_shared *shared, const char *path, jc_graph **graph, double *seconds, int *exit_code);

/* The variables that the list of option --`option` names; text NULL: none. A name that is not there or stands twice is
 * wrong usage. */
bool jc_cli_find_variables(const jc_cli_shared *shared, const jc_graph *graph, const char *option, const char *text,
                           jc_cli_variables *variables, int *exit_code);

/* The rules of jc_cli_rule_options. Owned, with all lists that they point to. */
typedef struct jc_cli_rules {
    jc_rule *rule; /* [count] */
    int64_t count;
} jc_cli_rules;

/* Reads them, for this graph: rules.c. A name or label that is not there, or an expression that is none, is wrong
 * usage. */
bool jc_cli_find_rules(const jc_cli_shared *shared, const jc_graph *graph, jc_cli_rules *rules, int *exit_code);

/* Adds a rule about variables, copied; for options of a command's own (partial --local). */
void jc_cli_add_variable_rule(jc_cli_rules *rules, jc_rule_kind kind, const jc_cli_variables *variables);
void jc_cli_rules_fini(jc_cli_rules *rules);

/* Prints the names of the document's variables, one a line; returns the exit code. */
int jc_cli_print_variables(const char *path);

/* Every variable without an incoming edge, and every one without an outgoing edge, in the order of their numbers. */
jc_cli_variables jc_cli_sources(const jc_graph *graph);
jc_cli_variables jc_cli_sinks(const jc_graph *graph);

/* The variable's name, owned by the caller (free). Without memory the command ends. */
char *jc_cli_name(const jc_graph *graph, int64_t variable);
void jc_cli_emit_name(jc_emit *e, const char *key, const jc_graph *graph, int64_t variable);

/* "dL/dw", owned by the caller (free). */
char *jc_cli_total_name(const jc_graph *graph, int64_t of, int64_t wrt);

/* Says which used edges have a NaN or Inf in their numbers: on standard error, or as "non_finite_inputs". */
void jc_cli_warn_non_finite(const jc_graph *graph, int64_t n, const int64_t *edges);
void jc_cli_emit_non_finite(jc_emit *e, const jc_graph *graph, int64_t n, const int64_t *edges);

/* As jc_cli_failed for something that `path` is the document of: input errors name it. */
int jc_cli_failed_in(jc_status status, const char *path);

/* ---- memory, time, text ------------------------------------------------------------------------------------ */

/* Memory for count elements, zeroed; without it the command says so and ends with the exit code of that. */
void *jc_cli_alloc(int64_t count, size_t element_bytes);

/* Seconds of a clock that never goes back. */
double jc_cli_now(void);

enum { JC_QUANTITY_BYTES = 40 };

/* "1.5 MiB", "12.3 ms", "1,234,567", "2.73 GFLOP/s" (powers of 1000); return text. */
const char *jc_cli_bytes_text(int64_t bytes, char text[JC_QUANTITY_BYTES]);
const char *jc_cli_seconds_text(double seconds, char text[JC_QUANTITY_BYTES]);
const char *jc_cli_count_text(int64_t count, char text[JC_QUANTITY_BYTES]);
const char *jc_cli_rate_text(double count, double seconds, const char *unit, char text[JC_QUANTITY_BYTES]);

/* "500,002 variables, 1 edge": how large a graph is. */
enum { JC_GRAPH_SIZE_BYTES = 2 * JC_QUANTITY_BYTES + 24 };
const char *jc_cli_graph_size_text(int64_t n_variables, int64_t n_edges, char text[JC_GRAPH_SIZE_BYTES]);

/* Characters of a UTF-8 text. */
int jc_cli_text_width(const char *text);

/* Whether the text ends so and has something before. */
bool jc_cli_ends_with(const char *text, const char *end);

#endif
