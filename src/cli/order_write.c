/* --plan-out. */
#include <stdlib.h>

#include "cli/order_file.h"
#include "plan/plan.h"

/* Marks the nodes that edges lead to and from. */
static bool *mark_inner(const jc_subgraph *g)
{
    bool *has_in = jc_cli_alloc(g->n_nodes, sizeof *has_in), *inner = jc_cli_alloc(g->n_nodes, sizeof *inner);
    for (int64_t e = 0; e < g->n_edges; e++) has_in[g->of[e]] = true;
    for (int64_t e = 0; e < g->n_edges; e++) inner[g->wrt[e]] = has_in[g->wrt[e]];
    free(has_in);
    return inner;
}

/* Whether the node is a vertex: not one that the query adds. */
static bool is_vertex(const jc_subgraph *g, int64_t node)
{
    return g->variable[node] >= 0 || (g->rank_of && g->rank_of[node] >= 0);
}

jc_status jc_cli_vertices_of(const jc_plan *plan, jc_cli_vertices *vertices)
{
    const jc_subgraph *g = &plan->subgraph;
    int64_t n, k = 0, kept = 0;
    jc_status status = jc_plan_vertices(plan, NULL, 0, &n);
    if (status) return status;
    jc_vertex *list = jc_cli_alloc(n, sizeof *list);
    if ((status = jc_plan_vertices(plan, list, n, &n))) {
        free(list);
        return status;
    }
    bool *inner = mark_inner(g);
    for (int64_t i = 0; i < jc_plan_n_vertices(plan); i++) {
        int64_t node = jc_plan_vertex(plan, i);
        if (!is_vertex(g, node)) continue;
        if (inner[node]) list[kept++] = list[k];
        k++;
    }
    free(inner);
    *vertices = (jc_cli_vertices){list, kept};
    return JC_OK;
}

static void emit_names(jc_emit *e, const char *key, const jc_graph *graph, const int64_t *variables, int64_t n)
{
    jc_emit_open(e, key, '[');
    for (int64_t i = 0; i < n; i++) jc_cli_emit_name(e, NULL, graph, variables[i]);
    jc_emit_close(e, ']');
}

static void emit_vertices(jc_emit *e, const jc_graph *graph, const jc_cli_vertices *vertices)
{
    jc_emit_open(e, "eliminate", '[');
    for (int64_t i = 0; i < vertices->count; i++) {
        const jc_vertex *v = &vertices->list[i];
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

/* A sweep that an elimination fell back to is written as that sweep: its products are those of the sweep. */
static void emit_order(jc_emit *e, const jc_graph *graph, const jc_plan *plan, const jc_cli_vertices *vertices)
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
    jc_emit_text(e, "order", jc_cli_order_name(plan->order));
    jc_emit_int(e, "multiply_adds", plan->multiply_adds);
    emit_vertices(e, graph, vertices);
    jc_emit_close(e, '}');
    putc('\n', e->out);
}

static jc_status make_text(const jc_graph *graph, const jc_plan *plan, char **text, size_t *bytes)
{
    jc_cli_vertices vertices;
    jc_status status = jc_cli_vertices_of(plan, &vertices);
    if (status) return status;
    FILE *out = open_memstream(text, bytes);
    bool failed = !out;
    if (out) {
        jc_emit e = jc_emit_to(out);
        emit_order(&e, graph, plan, &vertices);
        failed = ferror(out);
        failed = fclose(out) || failed;
    }
    free(vertices.list);
    return failed ? jc_fail(JC_E_MEMORY, "not enough memory for the text of the order") : JC_OK;
}

jc_status jc_cli_order_write(const jc_graph *graph, const jc_plan *plan, const char *path, jc_output_file **file)
{
    char *text = NULL;
    size_t bytes = 0;
    jc_output_file *out = NULL;
    jc_status status = make_text(graph, plan, &text, &bytes);
    if (!status) status = jc_output_create(NULL, path, &out);
    if (!status) status = jc_output_write(out, text, (int64_t)bytes);
    free(text);
    if (status)
        jc_output_abandon(out);
    else
        *file = out;
    return status;
}

int jc_cli_order_deliver(const jc_cli_shared *shared, const jc_graph *graph, const jc_plan *plan)
{
    jc_output_file *file;
    if (!shared->plan_out) return JC_EXIT_DONE;
    jc_status status = jc_cli_order_write(graph, plan, shared->plan_out, &file);
    if (!status) status = jc_output_commit(file);
    if (status) return jc_cli_failed(status);
    jc_cli_narrate(shared->quiet, "wrote the order to %s", shared->plan_out);
    return JC_EXIT_DONE;
}
