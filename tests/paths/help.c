#include "paths/help.h"

#include <stdlib.h>

#include "support/compute.h"

jt_scalars jt_scalars_of(int64_t n, const jc_allocator *allocator)
{
    jt_scalars net = {.last = n - 1};
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    jt_pool pool = {0};
    int64_t *sizes = jt_alloc(&pool, n, sizeof *sizes);
    for (int64_t i = 0; i < n; i++) sizes[i] = 1;
    jc_array array = jc_array_1d(JC_I64, n, sizes);
    jt_ok(jc_graph_create(&options, &net.graph), "a graph");
    jt_ok(jc_graph_add_variables(net.graph, "v", &array), "its variables");
    jt_pool_free(&pool);
    return net;
}

void jt_scalars_edge(jt_scalars *net, int64_t of, int64_t wrt)
{
    if (net->n_edges == net->capacity) {
        net->capacity = 2 * net->capacity + 16;
        net->of = realloc(net->of, (size_t)net->capacity * sizeof *net->of);
        net->wrt = realloc(net->wrt, (size_t)net->capacity * sizeof *net->wrt);
        if (!net->of || !net->wrt) abort();
    }
    net->of[net->n_edges] = of, net->wrt[net->n_edges++] = wrt;
}

void jt_scalars_finish(jt_scalars *net)
{
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    jc_array of = jc_array_1d(JC_I64, net->n_edges, net->of), wrt = jc_array_1d(JC_I64, net->n_edges, net->wrt);
    jt_ok(jc_graph_add_edges(net->graph, net->n_edges, &of, &wrt, &identity, NULL, 0), "its edges");
    jt_ok(jc_graph_finish(net->graph), "finished");
}

void jt_scalars_fini(jt_scalars *net)
{
    jc_graph_destroy(net->graph);
    free(net->of);
    free(net->wrt);
}

void jt_ladder_edges(jt_scalars *net, int64_t diamonds)
{
    for (int64_t i = 0; i < diamonds; i++) {
        jt_scalars_edge(net, 3 * i + 1, 3 * i);
        jt_scalars_edge(net, 3 * i + 2, 3 * i);
        jt_scalars_edge(net, 3 * i + 3, 3 * i + 1);
        jt_scalars_edge(net, 3 * i + 3, 3 * i + 2);
    }
}

jt_scalars jt_ladder(int64_t diamonds, const jc_allocator *allocator)
{
    jt_scalars net = jt_scalars_of(3 * diamonds + 1, allocator);
    jt_ladder_edges(&net, diamonds);
    jt_scalars_finish(&net);
    return net;
}
