/* The seed matrix of vjp and jvp. */
#ifndef JC_CLI_SEED_H
#define JC_CLI_SEED_H

#include "cli/common.h"
#include "io/seed.h"

typedef struct jc_cli_seed {
    jc_array array; /* borrowed from owner */
    jc_seed_file *owner;
} jc_cli_seed;

/* Whether FILE[:NAME] names a kind of file that can be read (NULL: yes); says why not. */
bool jc_cli_seed_check_name(const jc_cli_shared *shared, const char *text, int *exit_code);

/* Reads it and holds it against the size of `variable`: its columns for rows, its rows for columns. */
bool jc_cli_seed_load(const jc_cli_shared *shared, const jc_graph *graph, const char *text, jc_seed kind,
                      int64_t variable, jc_cli_seed *seed, int *exit_code);
void jc_cli_seed_fini(jc_cli_seed *seed);

#endif
