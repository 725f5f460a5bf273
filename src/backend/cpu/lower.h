/* A plan lowered for the host. */
#ifndef JC_BACKEND_CPU_LOWER_H
#define JC_BACKEND_CPU_LOWER_H

#include "backend/cpu/internal.h"

/* What one thread does in a phase: ops [first, last), or of the one value of those ops the rows [row0, row1) and
 * columns [col0, col1) only. */
typedef struct jc_cpu_item {
    int64_t first, last;
    bool part;
    int64_t row0, row1, col0, col1;
    int64_t base; /* bytes into the arena of the value, where only a part of it is meant */
} jc_cpu_item;

/* What prepare makes of a plan; const afterwards. */
typedef struct jc_cpu_program {
    const jc_cpu_unit *unit;
    jc_cpu_op *ops; /* [n_ops], as many as steps: level by level */
    int64_t n_ops;
    jc_vec items;  /* jc_cpu_item, phase by phase, thread by thread */
    jc_vec starts; /* int64_t [n_phases * workers + 1] into items */
    int64_t n_phases;
    int workers;          /* program->threads, or 1 where no level is worth a barrier */
    int64_t panel, spare; /* elements of a thread's scratch */
    double seconds;
} jc_cpu_program;

/* lower.c: fills ops, panel and spare. */
jc_status jc_cpu_lower(const jc_program *program, jc_cpu_program *impl);

/* partition.c: fills items, starts, workers and seconds. */
jc_status jc_cpu_partition(const jc_program *program, jc_cpu_program *impl);

/* order.c: the order of the ops within a level, thread by thread. */
jc_status jc_cpu_order(const jc_program *program, jc_cpu_program *impl);

/* Bytes of one thread's scratch. */
static inline int64_t jc_cpu_thread_bytes(const jc_program *program, const jc_cpu_program *impl)
{
    int64_t bytes = (impl->panel + impl->spare) * program->layout.element_bytes;
    return (bytes + JC_CPU_LINE - 1) / JC_CPU_LINE * JC_CPU_LINE;
}

/* execute.c */
int64_t jc_cpu_run_bytes(const jc_program *program,
                         const jc_cpu_program *impl); /* that open allocates beside the arena */
jc_status jc_cpu_open(jc_run *run);
void jc_cpu_close(jc_run *run);
jc_status jc_cpu_execute(jc_run *run, const jc_pass *pass);

#endif
