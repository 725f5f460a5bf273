/* Operators that a sweep may not be pulled back through: their adjoints need a tape. */
#include "core/error.h"
#include "plan/sweep.h"

/* Edges of its own graph that an adjoint of this Jacobian's callback keeps, in a sweep of that direction; 0: it needs
 * none. The adjoint of a transposed operator is its tangent. */
static int64_t tape_edges(const jc_group *group, jc_direction direction)
{
    bool adjoint = group->shape.kind == JC_OPERATOR && jc_shape_direction(&group->shape, direction) == JC_ADJOINT;
    return adjoint ? group->op.edges : 0;
}

jc_status jc_subgraph_check_tape(const jc_graph *graph, const jc_subgraph *subgraph, jc_direction direction,
                                 int64_t limit)
{
    enum { TEXT_BYTES = 200 };
    for (int64_t i = 0; i < subgraph->n_edges; i++) {
        int64_t member, e = subgraph->jacobian[i];
        if (e < 0) continue;
        int64_t edges = tape_edges(jc_subgraph_jacobian(graph, subgraph, e, &member), direction);
        if (edges <= limit) continue;
        char text[TEXT_BYTES];
        jc_graph_edge_text(graph, jc_graph_of(graph, e), jc_graph_wrt(graph, e), text, sizeof text);
        return jc_fail(JC_E_LIMIT,
                       "edge %s: adjoints of its operator need memory for %lld edges, the tape limit is %lld edges",
                       text, (long long)edges, (long long)limit);
    }
    return JC_OK;
}
