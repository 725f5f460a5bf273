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

/* jacobian.c: *whole = the caller's, with nothing in the fields that its version of the interface has not. */
jc_status jc_jacobian_take(const jc_jacobian *jacobian, jc_jacobian *whole);

/* jacobian.c: *group = the Jacobians of `count` edges of size rows x cols, their arrays borrowed. grouped: arrays have
 * a leading axis of length count. Indices are not looked at. Messages have the part; edge and member are the caller's.
 */
jc_status jc_group_describe(const jc_jacobian *jacobian, int64_t rows, int64_t cols, int64_t count, bool grouped,
                            jc_group *group);

/* jacobian.c: element type and ownership of a field's array, and that its bytes can be counted. */
jc_status jc_array_check(const jc_field_spec *spec, const jc_array *array, const char *part);

/* Bytes of an array that was checked. */
int64_t jc_array_bytes(const jc_array *array);

/* builder.c: JC_E_USAGE once the graph is finished. */
jc_status jc_graph_check_open(const jc_graph *graph);

/* What is being added: one edge, or a group. */
typedef struct jc_addition {
    const jc_array *of, *wrt;
    int64_t count;
    bool grouped;
} jc_addition;

/* builder.c: puts the name of edge i of the addition before the last message, and its member. */
jc_status jc_addition_fail(const jc_graph *graph, const jc_addition *add, int64_t i, int64_t member, jc_status status);

/* ragged.c: whether the Jacobian has offsets. */
bool jc_jacobian_is_ragged(const jc_jacobian *jacobian);

/* ragged.c: appends the runs of equal shape to the graph's groups, their arrays borrowed. Indices are not looked at. On
 * failure some of them may have been appended. */
jc_status jc_graph_add_ragged(jc_graph *graph, const jc_addition *add, const jc_jacobian *jacobian);

#endif
