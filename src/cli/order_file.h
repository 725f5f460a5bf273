/* The order of a plan as a file, which another command takes in place of looking for one (docs/commands.md, "Orders in
 * files"):
 *
 *   {"jacchain_order": 1, "of": ["L"], "wrt": ["w"], "graph": {"variables": 5, "edges": 8}, "order": "elimination",
 *    "multiply_adds": 56, "eliminate": [{"variable": "z"}, {"variable": "h", "state": 2}, {"low_rank_edge": 7}]}
 */
#ifndef JC_CLI_ORDER_FILE_H
#define JC_CLI_ORDER_FILE_H

#include "cli/common.h"
#include "io/output.h"

/* The vertices between sources and targets in the order in which the plan eliminates them; owned. */
typedef struct jc_cli_vertices {
    jc_vertex *list;
    int64_t count;
} jc_cli_vertices;

jc_status jc_cli_vertices_of(const jc_plan *plan, jc_cli_vertices *vertices);

/* What the file of --plan-in says; all owned. Without the option: order is AUTO, and the rest nothing. */
typedef struct jc_cli_order {
    jc_order order;
    jc_cli_variables of, wrt;
    jc_vertex *eliminate; /* [count] */
    int64_t count;
} jc_cli_order;

/* Reads the file of --plan-in, for this graph. What is no such document is an invalid input, which the message finds in
 * the file; names, edges and counts that the graph has not, or an --order that says otherwise, are wrong usage (a sweep
 * is an order of elimination too). */
bool jc_cli_order_load(const jc_cli_shared *shared, const jc_graph *graph, jc_cli_order *order, int *exit_code);
void jc_cli_order_fini(jc_cli_order *order);

/* Sets what the options and the file say of the order of the query. `order` is borrowed by the query. */
void jc_cli_order_ask(const jc_cli_shared *shared, const jc_cli_order *order, jc_query *query);

/* Whether the file's order is one of this query: targets, sources, and all that is to be eliminated, once each. Says
 * what is missing or too much otherwise. */
bool jc_cli_order_fits(const jc_cli_shared *shared, const jc_graph *graph, const jc_query *query,
                       const jc_cli_order *order, int *exit_code);

/* As jc_cli_failed_in for a query with such an order: where that does not go with the query, the file is named. */
int jc_cli_order_failed(const jc_cli_shared *shared, jc_status status, const char *path);

/* The order of the plan in a temporary file, to be committed to --plan-out. */
jc_status jc_cli_order_write(const jc_graph *graph, const jc_plan *plan, const char *path, jc_output_file **file);

/* The same, committed; nothing without --plan-out. Returns the exit code. */
int jc_cli_order_deliver(const jc_cli_shared *shared, const jc_graph *graph, const jc_plan *plan);

#endif
