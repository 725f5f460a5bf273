/* --plan-out. */
#include <stdlib.h>

#include "cli/order_file.h"
#include "plan/plan.h"

static void emit_names(jc_emit *e, const char *key, const jc_graph *graph, const int64_t *variables, int64_t n)
{
    jc_emit_open(e, key, '[');
    for (int64_t i = 0; i < n; i++) jc_cli_emit_name(e, NULL, graph, variables[i]);
    jc_emit_close(e, ']');
}

static void emit_vertices(jc_emit *e, const jc_graph *graph, const jc_vertex *vertices, int64_t n)
{
    jc_emit_open(e, "eliminate", '[');
    for (int64_t i = 0; i < n; i++) {
        const jc_vertex *v = &vertices[i];
        jc_emit_open(e, NULL, '{');
        if (v->variable < 0)
            jc_emit_int(e, "low_rank_edge", -1 - v->variable);
        else
            jc_cli_emit_name(e, "variable", graph, v->variable);
        if (v->state) jc_emit_int(e, "state", v->state);
        jc_emit_close(e, '}');
    }
    jc_emit_close(e, ']');
}

static void emit_order(jc_emit *e, const jc_graph *graph, const jc_plan *plan, const jc_plan_info *info,
                       const jc_vertex *vertices, int64_t n)
{
    const jc_subgraph *s = &plan->subgraph;
    jc_emit_open(e, NULL, '{');
    jc_emit_int(e, "jacchain_order", 1);
    emit_names(e, "of", graph, s->target_variable, s->n_targets);
    emit_names(e, "wrt", graph, s->source_variable, s->n_sources);
    jc_emit_open(e, "graph", '{');
    jc_emit_int(e, "variables", jc_graph_variable_count(graph));
    jc_emit_int(e, "edges", jc_graph_edge_count(graph));
    jc_emit_close(e, '}');
    jc_emit_text(e, "order", jc_cli_order_name(info->order));
    jc_emit_int(e, "multiply_adds", info->multiply_adds);
    emit_vertices(e, graph, vertices, n);
    jc_emit_close(e, '}');
    putc('\n', e->out);
}

static jc_status make_text(const jc_graph *graph, const jc_plan *plan, const jc_plan_info *info, char **text,
                           size_t *bytes)
{
    int64_t n;
    jc_status status = jc_plan_vertices(plan, NULL, 0, &n);
    if (status) return status;
    jc_vertex *vertices = jc_cli_alloc(n, sizeof *vertices);
    status = jc_plan_vertices(plan, vertices, n, &n);
    FILE *out = status ? NULL : open_memstream(text, bytes);
    if (out) {
        jc_emit e = jc_emit_to(out);
        emit_order(&e, graph, plan, info, vertices, n);
        bool failed = ferror(out);
        failed = fclose(out) || failed;
        if (failed) status = jc_fail(JC_E_MEMORY, "not enough memory for the text of the order");
    } else if (!status) {
        status = jc_fail(JC_E_MEMORY, "not enough memory for the text of the order");
    }
    free(vertices);
    return status;
}

jc_status jc_cli_order_write(const jc_graph *graph, const jc_plan *plan, const char *path, jc_output_file **file)
{
    char *text = NULL;
    size_t bytes = 0;
    jc_plan_info info = {.struct_size = sizeof info};
    jc_output_file *out = NULL;
    jc_status status = jc_plan_get_info(plan, &info);
    if (!status) status = make_text(graph, plan, &info, &text, &bytes);
    if (!status) status = jc_output_create(NULL, path, &out);
    if (!status) status = jc_output_write(out, text, (int64_t)bytes);
    free(text);
    if (status)
        jc_output_abandon(out);
    else
        *file = out;
    return status;
}

int jc_cli_order_deliver(const jc_cli_shared *shared, const jc_graph *graph, const jc_query *query)
{
    jc_plan *plan = NULL;
    jc_output_file *file = NULL;
    if (!shared->plan_out) return JC_EXIT_DONE;
    jc_status status = jc_plan_create(graph, query, &plan);
    if (!status) status = jc_cli_order_write(graph, plan, shared->plan_out, &file);
    jc_plan_destroy(plan);
    if (!status) status = jc_output_commit(file);
    if (status) return jc_cli_failed(status);
    jc_cli_narrate(shared->quiet, "wrote the order to %s", shared->plan_out);
    return JC_EXIT_DONE;
}
