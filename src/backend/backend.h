/* What a backend must provide, and what it is given. The whole contract is this header; registry.c is the only file
 * that knows which backends there are. A backend lowers a plan to a program (routines, storage, exact bytes), and runs
 * it on bound numbers. It includes plan/ and graph/, nothing of run/ or cli/. */
#ifndef JC_BACKEND_BACKEND_H
#define JC_BACKEND_BACKEND_H

#include "plan/layout.h"
#include "plan/plan.h"

typedef struct jc_backend jc_backend;

enum { JC_DEVICE_BYTES = 264, JC_REASON_BYTES = 512 };

struct jc_program {
    const jc_backend *backend;
    const jc_plan *plan; /* borrowed */
    jc_allocator allocator;
    jc_precision precision;
    jc_dtype dtype; /* of adjoints: JC_F64 or JC_F32 (8-byte integers for the exact backend) */
    int threads;
    jc_layout layout;
    int64_t scratch_bytes; /* of the run beside the arena, all threads */
    int64_t peak_bytes; /* host backends: jc_host_arena_bytes + scratch: exactly what a run allocates for computing */
    int64_t bytes;      /* read and written by one pass: Jacobians and vectors of every step */
    double seconds_predicted;
    double start_seconds; /* before the first execution: what the backend needs to start, and copying to its memory */
    bool keep_adjoints;
    jc_progress progress;
    char device[JC_DEVICE_BYTES]; /* where it computes: set by prepare where that is not the host */
    char reason[JC_REASON_BYTES]; /* why on this backend */
    void *impl;                   /* the backend's own, made by prepare, freed by release */
};

/* A window of seed rows: rows [row0, row0 + rows) of the identity. rows = 0: the plan's own, all of them. */
typedef struct jc_pass {
    int64_t row0, rows;
} jc_pass;

/* Numbers bound to a run in place of the graph's: base addresses of a group's fields. */
typedef struct jc_binding {
    const unsigned char *data[JC_MAX_FIELDS];
    jc_dtype dtype[JC_MAX_FIELDS];
} jc_binding;

struct jc_run {
    const jc_program *program; /* borrowed */
    jc_binding *bindings;      /* [n_groups], or NULL while no Jacobian of the graph is bound; data NULL: the graph's */
    jc_binding seed;           /* of extra Jacobian 0 of a query with a seed */
    unsigned char *arena;      /* host backends: arena_bytes, 64-byte aligned */
    unsigned char *arena_raw;  /* what was allocated for it */
    void *impl;                /* the backend's own */
    void **copies;             /* [n_outputs] results in host memory, for backends without peek; made where asked for */
};

struct jc_backend {
    const char *name;
    const char *description;
    bool on_device; /* computes in device memory, and takes Jacobians whose numbers are there */
    bool of_sweeps; /* what it computes is of whole Jacobians, not of their parts and products: it is given sweeps only
                     */

    /* JC_OK, or why it cannot be used here (JC_E_UNAVAILABLE). */
    jc_status (*available)(const jc_backend *self);

    /* Which precisions it has: JC_E_USAGE with the reason otherwise. */
    jc_status (*supports)(const jc_backend *self, jc_precision precision);

    /* Fills program->layout, scratch_bytes, peak_bytes, seconds_predicted, impl from plan, precision, threads,
     * keep_adjoints. On failure the backend leaves nothing to release. */
    jc_status (*prepare)(jc_program *program);
    void (*release)(jc_program *program);

    /* Calls emit for every batch in the order of execution; stops at the first failure. */
    jc_status (*batches)(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch), void *ctx);

    /* Allocates arena, scratch and threads; run->program is set. On failure nothing is left to close. */
    jc_status (*open)(jc_run *run);
    void (*close)(jc_run *run);

    /* Told after a run's numbers of a group's field (group -1: the seed) were bound anew. NULL: they are read where
     * they are, in every execution. */
    jc_status (*bound)(jc_run *run, int64_t group, int field);

    /* Forms all products of one pass. Allocates nothing. */
    jc_status (*execute)(jc_run *run, const jc_pass *pass);

    /* Copies rows [row, row + n) of a value to dst (contiguous, program->dtype). */
    jc_status (*read)(const jc_run *run, int64_t value, int64_t row, int64_t n, void *dst);

    /* The address of row `row` of a value in host memory, or NULL where it has none. */
    const void *(*peek)(const jc_run *run, int64_t value, int64_t row);
};

/* registry.c */
int jc_backend_count(void);
const jc_backend *jc_backend_at(int index);
const jc_backend *jc_backend_find(const char *name); /* NULL: none of that name */

/* program.c: as jc_program_create, with the backend itself. */
jc_status jc_program_create_on(const jc_plan *plan, const jc_backend *backend, const jc_program_options *options,
                               jc_program **program);

/* program.c: as jc_program_create with backend "auto", on the host, since a device `failed` with that text. */
jc_status jc_program_create_on_host(const jc_plan *plan, const jc_program_options *options, const char *failed,
                                    jc_program **program);

/* program.c: whether a failure on the program's device sends the work to the host: "auto" chose the device, and it did
 * not start, or has not the memory. */
bool jc_program_falls_back(const jc_program *program, const jc_program_options *options, jc_status status,
                           bool started);

/* run.c: as jc_run_execute, for one window of seed rows. */
jc_status jc_run_execute_pass(jc_run *run, const jc_pass *pass);

/* ---- Jacobians of steps: binding.c. A group's number is jc_plan_group_number's. ---- */

/* The group of a number. */
static inline const jc_group *jc_plan_group(const jc_plan *plan, int64_t number)
{
    if (number < 0) return jc_subgraph_own_group(&plan->subgraph, number);
    return (const jc_group *)plan->graph->groups.data + number;
}

/* The made group of a number, or NULL: it is one of the graph, or an extra Jacobian. */
static inline const jc_made *jc_plan_made(const jc_plan *plan, int64_t number)
{
    int64_t i = -1 - number - plan->subgraph.n_extra;
    return number < 0 && i >= 0 ? (const jc_made *)plan->subgraph.made.data + i : NULL;
}

/* The number of the group that a step's b names, and the member: of a computed value the JC_ARENA_UNIT of the arena
 * where it begins. Returns the group. */
const jc_group *jc_program_jacobian(const jc_program *program, int64_t b, int64_t *number, int64_t *member);

/* What field f of a group is in: the working type for computed values. A seed's is known when it is bound: F64. */
jc_dtype jc_program_field_dtype(const jc_program *program, int64_t number, int f);

/* jc_group_member_bytes, with computed values in the working type. */
int64_t jc_program_member_bytes(const jc_program *program, int64_t number);

/* A member of a group with the numbers bound to the run, or those in its arena (host backends). */
jc_jac jc_run_member(const jc_run *run, int64_t number, int64_t member);

/* The same of the Jacobian of a step. */
jc_jac jc_run_jacobian(const jc_run *run, int64_t b);

/* ---- windows ---- */

/* Rows of value v that a pass computes: all, or the window's. */
static inline int64_t jc_pass_rows(const jc_pass *pass, int64_t n_rows)
{
    return pass->rows && pass->rows < n_rows ? pass->rows : n_rows;
}

/* Rows that a pass forms of a step, and where a copy of rows of op(B) begins: a whole one's are not those of the
 * window. */
static inline int64_t jc_pass_step_rows(const jc_pass *pass, const jc_step *step)
{
    return step->whole ? step->n_rows : jc_pass_rows(pass, step->n_rows);
}

static inline int64_t jc_pass_step_row(const jc_pass *pass, const jc_step *step)
{
    return step->a_row + (step->whole ? 0 : pass->row0);
}

/* host_memory.c: open, close, read and peek for backends whose arena is host memory. */
int64_t jc_host_arena_bytes(const jc_program *program); /* what jc_host_open allocates: part of peak_bytes */
jc_status jc_host_open(jc_run *run);
void jc_host_close(jc_run *run);
jc_status jc_host_read(const jc_run *run, int64_t value, int64_t row, int64_t n, void *dst);
const void *jc_host_peek(const jc_run *run, int64_t value, int64_t row);

#endif
