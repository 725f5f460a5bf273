/* What the files of the builder share; nobody else includes it. */
#ifndef JC_GRAPH_BUILD_H
#define JC_GRAPH_BUILD_H

#include "graph/graph.h"

enum { JC_EDGE_TEXT_BYTES = 256 };

/* names.c: JC_OK for valid UTF-8 without control characters and commas; what: "name" or "prefix". */
jc_status jc_name_check(const char *name, const char *what);

/* labels.c: the number of the set of these labels, made where it is new. */
jc_status jc_graph_intern_labels(jc_graph *graph, const char *const *labels, int64_t n_labels, int64_t *set);
void jc_graph_free_labels(jc_graph *graph);

/* jacobian.c: *group = the Jacobians of `count` edges of size rows x cols, their arrays borrowed. grouped: arrays have
 * a leading axis of length count. Indices are not looked at. Messages have the part; edge and member are the caller's.
 */
jc_status jc_group_describe(const jc_jacobian *jacobian, int64_t rows, int64_t cols, int64_t count, bool grouped,
                            jc_group *group);

/* Bytes of a field's array, all members. */
int64_t jc_group_field_bytes(const jc_group *group, int field);

/* builder.c: JC_E_USAGE once the graph is finished. */
jc_status jc_graph_check_open(const jc_graph *graph);

#endif
