/* Judging a backend's results by the equations they must satisfy. */
#include "run/check.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "rules/query.h"
#include "plan/verify.h"

/* ---- reports ----------------------------------------------------------------------------------------------------- */

jc_status jc_check_report_create(const jc_graph *graph, int64_t totals, jc_check_report **report)
{
    const jc_allocator *a = &graph->allocator;
    jc_check_report *r;
    jc_status status = jc_alloc_zero(a, 1, sizeof *r, "a report", &r);
    if (status) return status;
    r->allocator = *a;
    r->non_finite = jc_vec_of(sizeof(int64_t));
    r->summary = (jc_check_summary){.struct_size = sizeof r->summary, .variable = -1, .totals = totals};
    status = jc_alloc_zero(a, totals, sizeof *r->totals, "a report", &r->totals);
    if (status)
        jc_free(a, r, 1, sizeof *r);
    else
        *report = r;
    return status;
}

void jc_check_destroy(jc_check_report *report)
{
    if (!report) return;
    jc_allocator a = report->allocator;
    jc_vec_free(&a, &report->non_finite);
    jc_free(&a, report->totals, report->summary.totals, sizeof *report->totals);
    jc_free(&a, report, 1, sizeof *report);
}

void jc_check_conclude(jc_check_report *report, const jc_worst *worst)
{
    jc_check_summary *s = &report->summary;
    bool failed = worst->ratio > 1, undecided = worst->undecided;
    s->variable = worst->any ? worst->place : -1;
    s->row = worst->row;
    s->col = worst->col;
    s->state = worst->state, s->n_states = worst->any ? worst->n_states : 0;
    s->ratio = undecided && !failed ? NAN : worst->ratio;
    for (int64_t i = 0; i < s->totals; i++) failed |= report->totals[i].verdict == JC_FAILED;
    s->verdict = failed ? JC_FAILED : undecided ? JC_UNDECIDED : JC_PASSED;
    s->n_non_finite = report->non_finite.count;
    s->non_finite = report->non_finite.data;
}

/* A caller's struct may end before `state`. */
jc_status jc_check_get_summary(const jc_check_report *report, jc_check_summary *summary)
{
    size_t size = summary->struct_size;
    if (size < offsetof(jc_check_summary, state))
        return jc_fail(JC_E_USAGE, "jc_check_summary: struct_size is not set");
    memcpy(summary, &report->summary, size < sizeof *summary ? size : sizeof *summary);
    summary->struct_size = size;
    return JC_OK;
}

jc_status jc_check_get_total(const jc_check_report *report, int64_t index, jc_check_total *total)
{
    if (index < 0 || index >= report->summary.totals)
        return jc_fail(JC_E_USAGE, "there is no total number %lld (there are %lld)", (long long)index,
                       (long long)report->summary.totals);
    *total = report->totals[index];
    return JC_OK;
}

/* ---- a check ----------------------------------------------------------------------------------------------------- */

static jc_status judge(jc_judge *j, const jc_yardsticks *y, jc_check_report *report)
{
    jc_worst worst = {0}, operators = {0};
    jc_status status = jc_judge_values(j, &worst);
    if (!status) status = jc_judge_operators(j->eq, &operators);
    if (!status) status = jc_judge_totals(j, y, report);
    if (!status) status = jc_plan_non_finite(j->eq->plan, &report->non_finite);
    if (status) return status;
    jc_worst_merge(&worst, &operators);
    jc_check_conclude(report, &worst);
    return JC_OK;
}

static jc_status judge_run(const jc_run *run, const jc_equations *eq, jc_check_report *report)
{
    jc_yardsticks yardsticks;
    jc_judge j;
    jc_precision precision = run->program->precision;
    jc_status status = jc_yardsticks_init(&yardsticks, eq->plan, precision, false, &run->program->progress);
    if (status) return status;
    status = jc_judge_init(&j, eq, run, precision);
    if (!status) {
        status = judge(&j, &yardsticks, report);
        jc_judge_fini(&j);
    }
    jc_yardsticks_fini(&yardsticks);
    return status;
}

/* Judges a run that was executed. */
static jc_status check_run(const jc_run *run, const jc_query *query, jc_check_report *report)
{
    jc_equations eq;
    const jc_plan *plan = run->program->plan;
    if (plan->eliminates) return jc_check_elimination(run, query, report);
    jc_status status = jc_equations_init(&eq, plan);
    if (status) return status;
    status = judge_run(run, &eq, report);
    jc_equations_fini(&eq);
    return status;
}

/* *started: the run was made. */
static jc_status check_program(const jc_program *program, const jc_query *query, jc_check_report **report,
                               bool *started)
{
    const jc_plan *plan = program->plan;
    jc_run *run = NULL;
    jc_check_report *r = NULL;
    jc_status status = JC_OK;
    if (jc_plan_edge_on_device(plan) >= 0)
        status =
            jc_fail(JC_E_USAGE, "a check reads every Jacobian, and edge number %lld has its numbers in device memory",
                    (long long)jc_plan_edge_on_device(plan));
    if (!status) status = jc_plan_verify(plan, query, &program->layout);
    if (!status) status = jc_check_report_create(plan->graph, plan->n_outputs, &r);
    if (!status) status = jc_run_create(program, &run);
    *started = run;
    if (!status) status = jc_run_execute(run);
    if (!status) status = check_run(run, query, r);
    jc_run_destroy(run);
    if (status) {
        jc_check_destroy(r);
        return status;
    }
    memcpy(r->reason, program->reason, sizeof r->reason);
    r->summary.backend = program->backend->name;
    r->summary.precision = program->precision;
    r->summary.reason = r->reason;
    *report = r;
    return JC_OK;
}

/* On the host, since the device that "auto" chose failed. */
static jc_status check_on_host(const jc_plan *plan, const jc_query *query, const jc_program_options *o,
                               jc_check_report **report)
{
    char failed[JC_REASON_BYTES];
    jc_program *program = NULL;
    bool started;
    snprintf(failed, sizeof failed, "%s", jc_last_error());
    jc_status status = jc_program_create_on_host(plan, o, failed, &program);
    if (!status) status = check_program(program, query, report, &started);
    jc_program_destroy(program);
    return status;
}

/* backend NULL: the one that the options name. */
static jc_status check_query(const jc_graph *graph, const jc_query *asked, const jc_backend *backend,
                             const jc_program_options *options, jc_check_report **report)
{
    jc_query full, *query = &full;
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    bool started = false, on_host = false;
    jc_status status = jc_query_read(asked, query);
    if (status) return status;
    if (query->seed != JC_SEED_NONE) return jc_fail(JC_E_USAGE, "a check is of totals: the query has a seed");
    if (options) o = *options;
    status = jc_plan_create(graph, query, &plan);
    o.keep_adjoints = !status && !plan->eliminates;
    if (!status)
        status = backend ? jc_program_create_on(plan, backend, &o, &program) : jc_program_create(plan, &o, &program);
    if (!status) {
        status = check_program(program, query, report, &started);
        on_host = status && !backend && jc_program_falls_back(program, &o, status, started);
        jc_program_destroy(program);
    }
    if (on_host) status = check_on_host(plan, query, &o, report);
    jc_plan_destroy(plan);
    return status;
}

jc_status jc_check_on(const jc_graph *graph, const jc_query *query, const jc_backend *backend,
                      const jc_program_options *options, jc_check_report **report)
{
    return check_query(graph, query, backend, options, report);
}

jc_status jc_check(const jc_graph *graph, const jc_query *query, const jc_program_options *options,
                   jc_check_report **report)
{
    return check_query(graph, query, NULL, options, report);
}
