/* The batches of a program, as plan shows them. */
#ifndef JC_CLI_BATCHES_H
#define JC_CLI_BATCHES_H

#include "cli/common.h"
#include "core/alloc.h"

typedef struct jc_batches {
    jc_vec list; /* jc_batch, in the order of execution */
} jc_batches;

jc_status jc_batches_collect(const jc_program *program, jc_batches *batches);
void jc_batches_fini(jc_batches *batches);

/* Few batches one by one; many gathered over the levels, the most work first. */
void jc_batches_print(const jc_batches *batches);
void jc_batches_emit(jc_emit *e, const jc_batches *batches);

#endif
