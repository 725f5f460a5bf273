/* Runs a lowered plan: every worker walks its items phase by phase. Allocates nothing. */
#define _GNU_SOURCE /* MADV_HUGEPAGE */
#include <sys/mman.h>

#include "backend/cpu/lower.h"
#include "backend/cpu/pool.h"
#include "backend/cpu/rules.h"
#include "core/dtype.h"
#include "core/progress.h"
#include "core/error.h"
#include "core/size.h"

/* A failure of an operator: the op, and what its callback returned. */
typedef struct failure {
    int64_t op; /* -1: none */
    int code;
} failure;

typedef struct worker_state {
    _Alignas(JC_CPU_LINE) failure failure;
    unsigned char *scratch;
} worker_state;

typedef struct cpu_run {
    jc_cpu_pool pool;
    jc_run *run;
    const jc_cpu_program *program;
    const jc_pass *pass;
    atomic_bool failed;  /* some worker's failure is set: nobody starts anything more */
    worker_state *state; /* [workers] */
    void *raw;           /* what was allocated: this, the workers, their states and scratch */
} cpu_run;

/* ---- one op ---- */

static const jc_group *group_of(const jc_run *run, const jc_cpu_op *op)
{
    return jc_plan_group(run->program->plan, op->group);
}

/* Of field 0. */
static const unsigned char *field_of(const jc_run *run, const jc_cpu_op *op, const jc_group *group)
{
    const unsigned char *base = group->field[0].data;
    if (op->group < 0) return jc_run_member(run, op->group, op->member).data[0];
    if (run->bindings && run->bindings[op->group].data[0]) base = run->bindings[op->group].data[0];
    return base + op->member * group->field[0].stride;
}

/* The whole product of an op, as its loops take it. */
static jc_cpu_call call_of(const cpu_run *r, const jc_cpu_op *op, const worker_state *state)
{
    const jc_run *run = r->run;
    jc_cpu_product k = jc_cpu_product_of(run->program->plan, op);
    jc_cpu_call c = {.shape = &k.group->shape, .direction = k.direction};
    c.jac = jc_run_member(run, op->group, op->member);
    for (int f = 0; f < JC_MAX_FIELDS; f++) c.batched[f] = k.group->field[f].batched;
    c.n = op->whole ? op->n_rows : jc_pass_rows(r->pass, op->n_rows);
    c.ldx = k.in, c.ldy = k.out;
    if (op->identity)
        c.x_row = op->x + (op->whole ? 0 : r->pass->row0);
    else
        c.x = run->arena + op->x;
    c.y = run->arena + op->y;
    c.c1 = k.out;
    c.first = op->first, c.blas = op->blas;
    if (op->fold) c.fold = &run->program->plan->folds.fold[op->fold - 1];
    c.scratch = state->scratch, c.panel = r->program->panel, c.spare = r->program->spare;
    return c;
}

/* Keeps of a product the rows and columns of an item. */
static void restrict_call(jc_cpu_call *c, const jc_cpu_op *op, const jc_cpu_item *item, int64_t element)
{
    int64_t c_row = (op->y - item->base) / (c->ldy * element);
    int64_t row0 = jc_max(item->row0, c_row), row1 = jc_min(item->row1, c_row + c->n), skip = row0 - c_row;
    c->n = jc_max(0, row1 - row0);
    c->x_row += skip;
    if (c->x && c->fold)
        c->skip = skip;
    else if (c->x)
        c->x = (const unsigned char *)c->x + skip * c->ldx * element;
    c->y = (unsigned char *)c->y + skip * c->ldy * element;
    c->c0 = item->col0, c->c1 = item->col1;
}

static int run_op(const cpu_run *r, const jc_cpu_op *op, const jc_cpu_item *item, const worker_state *state)
{
    const jc_cpu_unit *unit = r->program->unit;
    if (op->fixed && !item->part) {
        const jc_group *group = group_of(r->run, op);
        int d = jc_shape_direction(&group->shape, op->transpose ? JC_TANGENT : JC_ADJOINT);
        unsigned char *arena = r->run->arena;
        if (d == JC_ADJOINT && op->down) d = 2;
        unit->fixed[op->fixed - 1].apply[d](arena + op->x, field_of(r->run, op, group), arena + op->y, !op->first);
        return 0;
    }
    jc_cpu_call c = call_of(r, op, state);
    if (item->part) restrict_call(&c, op, item, r->run->program->layout.element_bytes);
    if (c.n == 0) return 0;
    jc_kind kind = c.shape->kind;
    if (c.fold) return (op->identity ? unit->fold : unit->unfold)(&c);
    return (op->identity ? unit->kind[kind].expand : unit->kind[kind].apply)[c.direction](&c);
}

/* ---- the rank updates of one weight, formed together ---- */

typedef struct chain {
    const jc_cpu_unit *unit;
    int64_t h, w, i0, i1; /* rows [i0, i1) of the weight [h x w] */
    int64_t most, n;      /* samples that fit, samples packed */
    unsigned char *adjoints, *samples;
    bool blas;
} chain;

static chain chain_of(const cpu_run *r, const jc_cpu_call *c, int64_t element)
{
    const jc_shape *s = c->shape;
    chain k = {.unit = r->program->unit, .h = s->p / s->m, .blas = c->blas};
    k.w = s->q / k.h, k.i0 = c->c0 / k.w, k.i1 = c->c1 / k.w;
    k.most = c->spare / (k.h + k.w);
    k.adjoints = (unsigned char *)c->scratch + c->panel * element;
    k.samples = k.adjoints + k.most * k.h * element;
    return k;
}

/* Row l of the ops [first, ..]: packed until the workspace is full or the chain ends, then multiplied. */
static void run_chain_row(const cpu_run *r, const jc_cpu_op *op, const jc_cpu_item *item, const worker_state *state,
                          int64_t l)
{
    int64_t element = r->run->program->layout.element_bytes;
    bool add = !op->first, last = false;
    chain k = {.n = 0};
    for (; !last; op++) {
        jc_cpu_call c = call_of(r, op, state);
        if (item->part) restrict_call(&c, op, item, element);
        if (!k.unit) k = chain_of(r, &c, element);
        last = op->chained == 2;
        unsigned char *y = (unsigned char *)c.y + (l * c.ldy + k.i0 * k.w) * element;
        for (int64_t a = 0, samples = c.shape->m; a < samples;) {
            int64_t n = jc_min(samples - a, k.most - k.n);
            k.unit->weight_pack(&c, l, a, n, k.i0, k.i1, k.adjoints + k.n * (k.i1 - k.i0) * element,
                                k.samples + k.n * k.w * element);
            a += n, k.n += n;
            if (k.n < k.most && !(last && a == samples)) continue;
            k.unit->weight_multiply(k.blas, k.n, k.i1 - k.i0, k.w, k.adjoints, k.samples, y, add);
            add = true, k.n = 0;
        }
    }
}

/* Returns how many ops were done. */
static int64_t run_chain(const cpu_run *r, const jc_cpu_op *op, const jc_cpu_item *item, const worker_state *state)
{
    int64_t n = 0;
    jc_cpu_call c = call_of(r, op, state);
    if (item->part) restrict_call(&c, op, item, r->run->program->layout.element_bytes);
    while (op[n++].chained != 2) continue;
    for (int64_t l = 0; l < c.n; l++) run_chain_row(r, op, item, state, l);
    return n;
}

/* ---- one worker ---- */

enum { AHEAD = 8, MOST_AHEAD_BYTES = 2048 };

/* Asks for the numbers of an op that comes soon: where they lie is known from the plan, and the processor's own
 * prefetching stops at the end of each small Jacobian. */
static inline void prefetch_op(const jc_run *run, const jc_cpu_op *op)
{
    const jc_group *group = group_of(run, op);
    const jc_field *field = &group->field[0];
    if (op->group < 0 || !field->data) return;
    const unsigned char *data = field_of(run, op, group);
    int64_t bytes = jc_min(field->elements * jc_dtype_bytes(field->dtype), MOST_AHEAD_BYTES);
    if (op->down)
        for (int64_t at = bytes - 1; at >= 0; at -= JC_CPU_LINE) __builtin_prefetch(data + at, 0, 3);
    else
        for (int64_t at = 0; at < bytes; at += JC_CPU_LINE) __builtin_prefetch(data + at, 0, 3);
    if (!op->identity) __builtin_prefetch(run->arena + op->x, 0, 3);
    __builtin_prefetch(run->arena + op->y, 1, 3);
}

/* Ops are in the order of their levels: the first worker's place in them is that of all. A pass that is one of many is
 * told of by who makes the passes. */
static void tell(const cpu_run *r, int64_t ops)
{
    const jc_program *program = r->run->program;
    if (!program->plan->row_limit) jc_progress_tell(&program->progress, "products", ops, r->program->n_ops);
}

static void run_item(cpu_run *r, const jc_cpu_item *item, worker_state *state)
{
    bool tells = state == &r->state[0];
    for (int64_t i = item->first; i < item->last; i++) {
        if (tells) tell(r, i);
        if (i + AHEAD < item->last) prefetch_op(r->run, &r->program->ops[i + AHEAD]);
        if (r->program->ops[i].chained) {
            i += run_chain(r, &r->program->ops[i], item, state) - 1;
            continue;
        }
        int code = run_op(r, &r->program->ops[i], item, state);
        if (!code) continue;
        state->failure = (failure){i, code};
        atomic_store(&r->failed, true);
        return;
    }
}

/* After a failure all phases are still passed, since the others are on their way to the barriers. */
static void work(void *ctx, int worker)
{
    cpu_run *r = ctx;
    const jc_cpu_program *p = r->program;
    const int64_t *starts = p->starts.data;
    const jc_cpu_item *items = p->items.data;
    for (int64_t phase = 0; phase < p->n_phases; phase++) {
        int64_t at = phase * p->workers + worker;
        for (int64_t i = starts[at]; i < starts[at + 1] && !atomic_load(&r->failed); i++)
            run_item(r, &items[i], &r->state[worker]);
        if (phase + 1 < p->n_phases) jc_cpu_pool_barrier(&r->pool);
    }
}

/* The first failure in the order of the ops. */
static jc_status report_failure(const cpu_run *r)
{
    const jc_graph *g = r->run->program->plan->graph;
    failure first = {-1, 0};
    for (int w = 0; w < r->program->workers; w++) {
        failure f = r->state[w].failure;
        if (f.op >= 0 && (first.op < 0 || f.op < first.op)) first = f;
    }
    const jc_cpu_op *op = &r->program->ops[first.op];
    int64_t edge = group_of(r->run, op)->first_edge + op->member;
    char text[200];
    jc_graph_edge_text(g, jc_graph_of(g, edge), jc_graph_wrt(g, edge), text, sizeof text);
    return jc_fail(JC_E_DEVICE, "edge %s: the callback of its operator failed with code %d", text, first.code);
}

jc_status jc_cpu_execute(jc_run *run, const jc_pass *pass)
{
    cpu_run *r = run->impl;
    r->pass = pass;
    for (int w = 0; w < r->program->workers; w++) r->state[w].failure.op = -1;
    atomic_store(&r->failed, false);
    jc_cpu_pool_run(&r->pool);
    if (atomic_load(&r->failed)) return report_failure(r);
    tell(r, r->program->n_ops);
    return JC_OK;
}

/* ---- memory ---- */

enum { HEAD_BYTES = (sizeof(cpu_run) + JC_CPU_LINE - 1) / JC_CPU_LINE * JC_CPU_LINE };

static int64_t workers_bytes(int workers)
{
    return jc_round_up(workers * (int64_t)sizeof(jc_cpu_worker), JC_CPU_LINE);
}

/* One block: the run, the workers, their states, their scratch; moved up to a cache line. */
int64_t jc_cpu_run_bytes(const jc_program *program, const jc_cpu_program *impl)
{
    int64_t each = jc_cost_add(jc_cpu_thread_bytes(program, impl), sizeof(worker_state));
    int64_t head = HEAD_BYTES + JC_CPU_LINE + workers_bytes(impl->workers);
    return jc_cost_add(head, jc_cost_mul(each, impl->workers));
}

/* Asks for large pages under a large arena: fewer faults at the first touch, fewer misses of the address cache. Only a
 * hint, for the pages that lie wholly inside. */
static void ask_for_large_pages(const jc_run *run)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t page = 2 << 20;
    uintptr_t begin = ((uintptr_t)run->arena + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)run->arena + (uintptr_t)run->program->layout.arena_bytes) & ~(page - 1);
    if (begin < end) madvise((void *)begin, end - begin, MADV_HUGEPAGE);
#else
    (void)run;
#endif
}

jc_status jc_cpu_open(jc_run *run)
{
    const jc_program *program = run->program;
    const jc_cpu_program *impl = program->impl;
    unsigned char *raw;
    jc_status status = jc_host_open(run);
    if (status) return status;
    ask_for_large_pages(run);
    status = jc_alloc(&program->allocator, jc_cpu_run_bytes(program, impl), 1, "the scratch of the threads", &raw);
    if (status) goto close_host;
    unsigned char *at = (unsigned char *)(((uintptr_t)raw + JC_CPU_LINE - 1) & ~(uintptr_t)(JC_CPU_LINE - 1));
    cpu_run *r = (cpu_run *)at;
    *r = (cpu_run){.run = run, .program = impl, .raw = raw};
    jc_cpu_worker *worker = (jc_cpu_worker *)(at + HEAD_BYTES);
    r->state = (worker_state *)((unsigned char *)worker + workers_bytes(impl->workers));
    unsigned char *scratch = (unsigned char *)(r->state + impl->workers);
    for (int w = 0; w < impl->workers; w++)
        r->state[w] = (worker_state){.scratch = scratch + w * jc_cpu_thread_bytes(program, impl)};
    status = jc_cpu_pool_open(&r->pool, impl->workers, worker, work, r);
    if (status) goto free_block;
    run->impl = r;
    return JC_OK;
free_block:
    jc_free(&program->allocator, raw, jc_cpu_run_bytes(program, impl), 1);
close_host:
    jc_host_close(run);
    return status;
}

void jc_cpu_close(jc_run *run)
{
    const jc_program *program = run->program;
    cpu_run *r = run->impl;
    jc_cpu_pool_close(&r->pool);
    jc_free(&program->allocator, r->raw, jc_cpu_run_bytes(program, program->impl), 1);
    run->impl = NULL;
    jc_host_close(run);
}
