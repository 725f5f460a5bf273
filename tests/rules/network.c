#include "rules/network.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/compute.h"

enum { MAX_EDGES_OF_A_PATH = 64, MAX_SIZE = 32 };

int64_t jt_network_find(const jt_network *net, const char *name)
{
    for (int64_t v = 0; v < net->n_variables; v++)
        if (!strcmp(net->name[v], name)) return v;
    cr_assert_fail("there is no variable %s", name);
    return -1;
}

/* ---- the document ------------------------------------------------------------------------------------------------ */

/* An array field of n numbers: a tensor, or numbers in the document. */
static const double *field(jt_network *net, json_t *value, int64_t n)
{
    int64_t found = (int64_t)json_array_size(value);
    const char *tensor = json_string_value(json_object_get(value, "tensor"));
    double *numbers = tensor ? jt_expected_tensor(&net->pool, net->tensors, tensor, &found)
                             : jt_alloc(&net->pool, found, sizeof *numbers);
    cr_assert_eq(found, n);
    for (int64_t i = 0; i < n && !tensor; i++) numbers[i] = json_number_value(json_array_get(value, (size_t)i));
    return numbers;
}

/* Entry (i, j) of the Jacobian of a kind from its field, p x q. */
static double entry(const char *kind, const double *x, double scale, int64_t i, int64_t j, int64_t p, int64_t q)
{
    if (!strcmp(kind, "dense")) return x[i * q + j];
    if (!strcmp(kind, "diagonal")) return i == j ? x[i] : 0;
    if (!strcmp(kind, "identity")) return i == j ? scale : 0;
    return j / (q / p) == i ? x[j % (q / p)] : 0; /* weight, of one sample */
}

static const double *dense(jt_network *net, json_t *jacobian, int64_t p, int64_t q)
{
    const char *kind = json_string_value(json_object_get(jacobian, "kind"));
    json_t *values = json_object_get(jacobian, strcmp(kind, "weight") ? "values" : "x");
    json_t *scale = json_object_get(jacobian, "scale");
    int64_t n = !strcmp(kind, "dense") ? p * q : !strcmp(kind, "diagonal") ? p : !strcmp(kind, "weight") ? q / p : 0;
    cr_assert(n || !strcmp(kind, "identity"), "kind %s", kind);
    const double *x = n ? field(net, values, n) : NULL;
    double *out = jt_alloc(&net->pool, p * q, sizeof *out);
    for (int64_t k = 0; k < p * q; k++)
        out[k] = entry(kind, x, scale ? json_number_value(scale) : 1, k / q, k % q, p, q);
    return out;
}

static void read_edge(jt_network *net, json_t *item, jt_net_edge *e)
{
    json_t *label = json_object_get(item, "label"), *first = json_is_array(label) ? json_array_get(label, 0) : label;
    const char *step = json_string_value(json_array_get(label, 1));
    e->of = jt_network_find(net, json_string_value(json_object_get(item, "of")));
    e->wrt = jt_network_find(net, json_string_value(json_object_get(item, "wrt")));
    e->to = net->name[e->of];
    e->label = json_string_value(first);
    e->step = step ? atoi(step + 1) : 0;
    e->dense = dense(net, json_object_get(item, "jacobian"), net->size[e->of], net->size[e->wrt]);
}

void jt_network_read(jt_network *net, const char *name)
{
    char path[1024], *tensors;
    *net = (jt_network){.document = NULL};
    snprintf(path, sizeof path, "%s/%s.json", JC_EXAMPLES, name);
    net->document = jt_json(path);
    net->tensors = tensors = jt_alloc(&net->pool, sizeof path, 1);
    snprintf(tensors, sizeof path, "%s/%s", JC_EXAMPLES, json_string_value(json_object_get(net->document, "tensors")));
    json_t *variables = json_object_get(net->document, "variables"), *edges = json_object_get(net->document, "edges");
    net->n_variables = (int64_t)json_array_size(variables);
    net->n_edges = (int64_t)json_array_size(edges);
    net->name = jt_alloc(&net->pool, net->n_variables, sizeof *net->name);
    net->size = jt_alloc(&net->pool, net->n_variables, sizeof *net->size);
    net->edge = jt_alloc(&net->pool, net->n_edges, sizeof *net->edge);
    for (int64_t v = 0; v < net->n_variables; v++) {
        json_t *variable = json_array_get(variables, (size_t)v);
        net->name[v] = json_string_value(json_object_get(variable, "name"));
        net->size[v] = json_integer_value(json_object_get(variable, "size"));
        cr_assert(net->size[v] <= MAX_SIZE);
    }
    for (int64_t e = 0; e < net->n_edges; e++) read_edge(net, json_array_get(edges, (size_t)e), &net->edge[e]);
}

void jt_network_fini(jt_network *net)
{
    json_decref(net->document);
    jt_pool_free(&net->pool);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

/* Where the enumeration stands: from the target back along chosen edges, with the product of their Jacobians. */
typedef struct walk {
    const jt_network *net;
    int64_t depth;
    int64_t variable[MAX_EDGES_OF_A_PATH + 1];
    int64_t next[MAX_EDGES_OF_A_PATH + 1]; /* the edge to try next */
    const jt_net_edge *edge[MAX_EDGES_OF_A_PATH];
    long double row[MAX_EDGES_OF_A_PATH + 1][MAX_SIZE];
} walk;

/* row' = row . D */
static void descend(walk *w, const jt_net_edge *e)
{
    int64_t p = w->net->size[e->of], q = w->net->size[e->wrt], d = w->depth;
    cr_assert(d < MAX_EDGES_OF_A_PATH);
    for (int64_t j = 0; j < q; j++) {
        w->row[d + 1][j] = 0;
        for (int64_t i = 0; i < p; i++) w->row[d + 1][j] += w->row[d][i] * e->dense[i * q + j];
    }
    w->edge[d] = e;
    w->variable[d + 1] = e->wrt;
    w->next[d + 1] = 0;
    w->depth++;
}

static bool keeps_path(const walk *w, jt_keeps *keeps, int64_t how)
{
    const jt_net_edge *forward[MAX_EDGES_OF_A_PATH];
    for (int64_t i = 0; i < w->depth; i++) forward[i] = w->edge[w->depth - 1 - i];
    return keeps(forward, w->depth, how);
}

const long double *jt_network_total(jt_pool *pool, const jt_network *net, int64_t of, int64_t wrt, jt_keeps *keeps,
                                    int64_t how, int64_t *count)
{
    walk *w = jt_alloc(pool, 1, sizeof *w);
    long double *total = jt_alloc(pool, net->size[wrt], sizeof *total);
    cr_assert(net->size[of] == 1 && of != wrt);
    w->net = net;
    w->variable[0] = of, w->row[0][0] = 1;
    *count = 0;
    while (w->depth >= 0) {
        int64_t v = w->variable[w->depth], e = w->next[w->depth];
        if (v == wrt && keeps_path(w, keeps, how)) {
            for (int64_t j = 0; j < net->size[wrt]; j++) total[j] += w->row[w->depth][j];
            ++*count;
        }
        while (e < net->n_edges && (v == wrt || net->edge[e].of != v)) e++;
        w->next[w->depth] = e + 1;
        if (e < net->n_edges)
            descend(w, &net->edge[e]);
        else
            w->depth--;
    }
    return total;
}

/* ---- the library's reading, and another program's numbers -------------------------------------------------------- */

jc_graph *jt_network_load(const char *name)
{
    char path[1024];
    jc_graph *graph;
    snprintf(path, sizeof path, "%s/%s.json", JC_EXAMPLES, name);
    jt_ok(jc_graph_load(path, NULL, &graph), path);
    return graph;
}

/* Rows of W_rec are neurons, and columns whose spikes they get. */
static bool is_parameter(const char *wrt, int64_t i)
{
    return strcmp(wrt, "W_rec") != 0 || i / 4 != i % 4;
}

double jt_network_difference(jt_pool *pool, const char *known, const char *wrt, const double *total, int64_t n)
{
    char name[64];
    double most = 0;
    int64_t n_known;
    snprintf(name, sizeof name, "%s:dE/d%s", known, wrt);
    const double *expected = jt_expected_tensor(pool, JC_EXAMPLES "/lsnn.expected.safetensors", name, &n_known);
    cr_assert_eq(n, n_known);
    for (int64_t i = 0; i < n; i++)
        if (is_parameter(wrt, i)) most = fmax(most, fabs(total[i] - expected[i]));
    return most;
}
