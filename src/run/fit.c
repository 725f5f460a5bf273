#include "run/fit.h"

#include "core/size.h"

jc_status jc_fit_program(const jc_fit *fit, const jc_plan *plan, int64_t limit, jc_program **program)
{
    jc_program_options o = *fit->options;
    o.memory_limit = limit;
    if (fit->backend) return jc_program_create_on(plan, fit->backend, &o, program);
    if (fit->failed) return jc_program_create_on_host(plan, &o, fit->failed, program);
    return jc_program_create(plan, &o, program);
}

/* The most entries of values at once that leave a program's other memory its place, by how many bytes of arena an entry
 * of it takes: values begin at whole cache lines, and live for whole levels. */
static int64_t entries_within(const jc_program *program, int64_t limit, int64_t entries)
{
    int64_t arena = program->layout.arena_bytes, room = limit - (program->peak_bytes - arena);
    if (room <= 0 || arena <= 0) return 0;
    return (int64_t)((double)entries * ((double)room / (double)arena));
}

static void destroy(jc_plan *plan, jc_program *program)
{
    jc_program_destroy(program);
    jc_plan_destroy(plan);
}

/* One search under a number of entries; *program NULL: none was found. */
static jc_status search(const jc_fit *fit, int64_t entries, jc_plan **plan, jc_program **program)
{
    jc_plan *p = NULL;
    *program = NULL;
    jc_status status = jc_plan_create_limited(fit->graph, fit->query, 0, entries, &p);
    if (status == JC_E_LIMIT) return JC_OK;
    if (!status && p->eliminates) status = jc_fit_program(fit, p, 0, program);
    if (status || !*program)
        jc_plan_destroy(p);
    else
        *plan = p;
    return status;
}

jc_status jc_fit_elimination(const jc_fit *fit, const jc_program *whole, bool *found, jc_plan **plan,
                             jc_program **program)
{
    enum { SEARCHES = 6 };
    int64_t limit = fit->options->memory_limit;
    int64_t entries = entries_within(whole, limit, whole->layout.arena_bytes / whole->layout.element_bytes);
    *found = false;
    for (int i = 0; i < SEARCHES && entries > 0; i++) {
        jc_plan *p = NULL;
        jc_program *made;
        jc_status status = search(fit, entries, &p, &made);
        if (status || !made) return status;
        if (made->peak_bytes <= limit) {
            *found = true, *plan = p, *program = made;
            return JC_OK;
        }
        entries = jc_min(entries - entries / 8 - 1, entries_within(made, limit, entries));
        destroy(p, made);
    }
    return JC_OK;
}
