/* A graph of every kind whose numbers lie in device memory, and the same with its numbers on the host: levels of
 * variables of one size, each joined to the next by one edge of each kind. Small integers: products are exact in f32.
 */
#ifndef JT_NET_H
#define JT_NET_H

#include "device/target.h"
#include "support/compute.h"
#include "support/jacobian.h"

enum { NET_KINDS = 7, NET_MAX_EDGES = 3 * NET_KINDS, NET_FIELDS = 4 };

typedef struct jt_net {
    const jt_target *target;
    jt_pool pool;
    jc_graph *host, *device;
    int64_t size, levels, n_edges, width; /* width: rows of the seed */
    jc_dtype dtype;
    bool eliminates;                          /* its plan is by elimination; set after init */
    jc_jacobian edge[NET_MAX_EDGES];          /* on the host */
    void *d_field[NET_MAX_EDGES][NET_FIELDS]; /* device memory of values, u, v, x; or NULL */
    double *seed;                             /* width x size, of the numbers that the host graph has too */
    void *d_seed;                             /* of dtype */
} jt_net;

/* number_seed: other numbers in the same structure. */
void jt_net_init(jt_net *net, const jt_target *target, int64_t size, int64_t levels, int64_t width, jc_dtype dtype,
                 uint64_t number_seed);
void jt_net_fini(jt_net *net);

/* Writes the numbers of `other` into this one's device memory: the same addresses, other values. */
void jt_net_take_numbers(jt_net *net, const jt_net *other);

/* d last / d first, seeded: width x size, by the reference from the host's numbers. */
const double *jt_net_expected(jt_net *net);

/* Names of the fields in d_field. */
extern const char *const jt_net_fields[NET_FIELDS];

/* A plan of the query on the graph with numbers on the device, a program of it, and a run with options. */
typedef struct jt_net_run {
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
} jt_net_run;

jc_status jt_net_program(const jt_net *net, const jc_cuda_backend *backend, jt_net_run *made);
void jt_net_start(const jt_net *net, const jc_cuda_run_options *options, jt_net_run *made); /* with the seed bound */
void jt_net_run_fini(jt_net_run *made);

/* Compares width x size numbers of the net's dtype in device memory, ld from a row to the next: must be
 * times * expected. */
void jt_net_compare(jt_net *net, const void *d_result, int64_t ld, double times, const char *what);

#endif
