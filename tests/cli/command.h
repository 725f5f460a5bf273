/* Running the built command as a user does, in a folder of its own. */
#ifndef TEST_CLI_COMMAND_H
#define TEST_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define POST JC_EXAMPLES "/post.json"
#define DIGITS JC_EXAMPLES "/digits_rnn.json"
#define DIGITS_EXPECTED JC_EXAMPLES "/digits_rnn.expected.safetensors"

/* What one run of the command left. Texts are owned by the caller: run_free. */
typedef struct run {
    int code; /* exit code, or -signal */
    char *out, *err;
} run;

/* The command that is run from now on; NULL: jacchain. */
void use_command(const char *path);

/* What standard input is from now on, a file or a named pipe; NULL: empty. */
void use_input(const char *path);

/* Runs jacchain with these arguments; the last one must be NULL. */
run run_command(const char *first, ...) __attribute__((sentinel));

/* The same from a list that ends with NULL. stdout_path: where standard output goes (NULL: kept); "-": it is closed. */
run run_arguments(const char *const *arguments, const char *stdout_path);

void run_free(run *r);

/* Runs the command, holds its exit code against `code`, and returns what it left. */
run expect_code(int code, const char *first, ...) __attribute__((sentinel));

/* Runs the command, which must exit with `code`, put one JSON document on standard output and nothing else; returns
 * the document. */
json_t *expect_json(int code, const char *first, ...) __attribute__((sentinel));

/* A fresh folder, made the working folder; removed by folder_leave. */
void folder_enter(void);
void folder_leave(void);

/* Writes a text file into the working folder. */
void write_text(const char *name, const char *text);

/* Writes a safetensors file of one F64 tensor, rows x cols (cols 0: one axis). */
void write_matrix(const char *name, const char *tensor, int64_t rows, int64_t cols, const double *values);

/* Whether the file is there, and whether it holds just this text. */
bool file_exists(const char *name);
bool file_holds(const char *name, const char *text);

/* Whether two JSON values are the same, numbers by value. */
bool json_same(const json_t *value, const char *expected);

/* The member at a path like "totals/0/shape"; NULL where there is none. */
json_t *json_at(json_t *root, const char *path);

#endif
