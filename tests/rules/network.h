/* Networks unrolled over time, from documents with labelled edges read by the tests' own few lines, and totals of a
 * scalar from their definition: path by path. Shares nothing with src/. Kinds dense, diagonal, identity and weight. */
#ifndef TEST_RULES_NETWORK_H
#define TEST_RULES_NETWORK_H

#include <stdbool.h>

#include "jacchain.h"
#include "support/expected.h"

typedef struct jt_net_edge {
    int64_t of, wrt;
    const char *to;      /* the name of `of` */
    const char *label;   /* its first one, "leak" */
    int64_t step;        /* 3 where another one is "t3"; else 0 */
    const double *dense; /* size(of) x size(wrt) */
} jt_net_edge;

typedef struct jt_network {
    jt_pool pool;
    json_t *document;
    const char *tensors; /* path of the file beside it */
    int64_t n_variables, n_edges;
    const char **name; /* [n_variables] */
    int64_t *size;     /* [n_variables] */
    jt_net_edge *edge; /* [n_edges] */
} jt_network;

/* `name` of the examples: name.json with the tensors that it names. Ends the test where something is not as above. */
void jt_network_read(jt_network *net, const char *name);
void jt_network_fini(jt_network *net);

/* The variable, which must be there. */
int64_t jt_network_find(const jt_network *net, const char *name);

/* Whether a path counts: edge[0] leaves the source, edge[n - 1] enters the target; how: as given to jt_network_total.
 */
typedef bool jt_keeps(const jt_net_edge *const *edge, int64_t n, int64_t how);

/* d of/d wrt, of a scalar, over the paths that `keeps` keeps: *count of them, the total from the pool. */
const long double *jt_network_total(jt_pool *pool, const jt_network *net, int64_t of, int64_t wrt, jt_keeps *keeps,
                                    int64_t how, int64_t *count);

/* The same document read by the library. */
jc_graph *jt_network_load(const char *name);

/* The largest difference between a total of lsnn, [n], and a gradient of its by another program, "eprop". The diagonal
 * of W_rec is no parameter of that program's model: it is left out. */
double jt_network_difference(jt_pool *pool, const char *known, const char *wrt, const double *total, int64_t n);

#endif
