/* A recurrent network unrolled over `time` steps and `batch` samples, with the structure of examples/digits_rnn.json:
 *
 *     a_t = x_t W_in^T + h_{t-1} W_rec^T + b,   h_t = phi(a_t),   o = h_time W_out^T + c,   L = loss(o)
 *
 * W_rec is orthogonal and phi' is 1 or -1, so |dL/da_t| is the same at every t; |dL/do| = 1. The gradient of a
 * parameter is a sum over time of about equal terms and grows as sqrt(time). */
#include "gen/gen.h"

#include <stdio.h>

/* Variables: the parameters, h0, then a1, h1, a2, h2, ..., o, L. */
enum { W_IN, W_REC, BIAS, W_OUT, OUT_BIAS, H0, PARAMETERS = H0 };

static int64_t hidden_at(int64_t t)
{
    return H0 + 2 * t;
}

static int64_t activation_at(int64_t t) /* t >= 1 */
{
    return hidden_at(t) - 1;
}

static void rnn_name(const jc_gen *gen, int64_t v, char *text, size_t capacity)
{
    static const char *const names[] = {"W_in", "W_rec", "b", "W_out", "c"};
    int64_t last = hidden_at(gen->value[JC_GEN_TIME]);
    if (v < PARAMETERS)
        snprintf(text, capacity, "%s", names[v]);
    else if (v > last)
        snprintf(text, capacity, v == last + 1 ? "o" : "L");
    else
        snprintf(text, capacity, "%c%lld", (v - H0) % 2 ? 'a' : 'h', (long long)(v - H0 + 1) / 2);
}

static jc_status set_sizes(jc_gen *gen, const int64_t *value)
{
    int64_t time = value[JC_GEN_TIME], hidden = value[JC_GEN_HIDDEN], outputs = value[JC_GEN_OUTPUTS];
    int64_t w_in, w_rec, w_out, state, out;
    jc_status status = jc_gen_count(0, hidden, value[JC_GEN_INPUTS], &w_in);
    if (!status) status = jc_gen_count(0, hidden, hidden, &w_rec);
    if (!status) status = jc_gen_count(0, outputs, hidden, &w_out);
    if (!status) status = jc_gen_count(0, value[JC_GEN_BATCH], hidden, &state);
    if (!status) status = jc_gen_count(0, value[JC_GEN_BATCH], outputs, &out);
    if (status) return status;
    jc_gen_set_size(gen, W_IN, w_in);
    jc_gen_set_size(gen, W_REC, w_rec);
    jc_gen_set_size(gen, BIAS, hidden);
    jc_gen_set_size(gen, W_OUT, w_out);
    jc_gen_set_size(gen, OUT_BIAS, outputs);
    for (int64_t v = H0; v <= hidden_at(time); v++) jc_gen_set_size(gen, v, state);
    jc_gen_set_size(gen, hidden_at(time) + 1, out);
    jc_gen_set_size(gen, hidden_at(time) + 2, 1);
    return JC_OK;
}

/* Takes the edges made since the last group as a group. */
static jc_status close_group(jc_gen *gen, jc_gen_group group)
{
    for (int64_t g = 0; g < gen->groups.count; g++) group.first_edge += jc_gen_group_at(gen, g)->n_edges;
    group.n_edges = gen->of.count - group.first_edge;
    if (!group.batch) group.batch = 1;
    return jc_vec_append(&gen->allocator, &gen->groups, &group, 1, "edge groups");
}

/* a_t <- wrt for every t */
static void join_steps(jc_gen *gen, int64_t wrt)
{
    for (int64_t t = 1; t <= gen->value[JC_GEN_TIME]; t++) jc_gen_edge(gen, activation_at(t), wrt, 1.0);
}

static jc_status add_steps(jc_gen *gen, const int64_t *value)
{
    int64_t time = value[JC_GEN_TIME], hidden = value[JC_GEN_HIDDEN], batch = value[JC_GEN_BATCH];
    jc_gen_group in = {.kind = JC_WEIGHT,
                       .fill = JC_GEN_NORMAL,
                       .rows = batch,
                       .cols = value[JC_GEN_INPUTS],
                       .label = "param",
                       .name = "in"};
    jc_gen_group rec = {
        .kind = JC_WEIGHT, .fill = JC_GEN_NORMAL, .rows = batch, .cols = hidden, .label = "param", .name = "h"};
    jc_gen_group bias = {.kind = JC_TILE, .label = "param", .name = "b"};
    jc_gen_group step = {.kind = JC_DENSE,
                         .fill = JC_GEN_ROTATION,
                         .batch = batch,
                         .rows = hidden,
                         .cols = hidden,
                         .shared = true,
                         .label = "rec",
                         .name = "W_rec"};
    jc_gen_group act = {.kind = JC_DIAGONAL,
                        .fill = JC_GEN_SIGNS,
                        .rows = 1,
                        .cols = batch * hidden,
                        .vector = true,
                        .label = "act",
                        .name = "act"};
    jc_status status;
    join_steps(gen, W_IN);
    if ((status = close_group(gen, in))) return status;
    join_steps(gen, W_REC);
    if ((status = close_group(gen, rec))) return status;
    join_steps(gen, BIAS);
    if ((status = close_group(gen, bias))) return status;
    for (int64_t t = 1; t <= time; t++) jc_gen_edge(gen, activation_at(t), hidden_at(t - 1), 1.0);
    if ((status = close_group(gen, step))) return status;
    for (int64_t t = 1; t <= time; t++) jc_gen_edge(gen, hidden_at(t), activation_at(t), 1.0);
    return close_group(gen, act);
}

static jc_status add_readout(jc_gen *gen, const int64_t *value)
{
    int64_t hidden = value[JC_GEN_HIDDEN], batch = value[JC_GEN_BATCH], outputs = value[JC_GEN_OUTPUTS];
    int64_t last = hidden_at(value[JC_GEN_TIME]);
    jc_gen_group weight = {
        .kind = JC_WEIGHT, .fill = JC_GEN_NORMAL, .rows = batch, .cols = hidden, .label = "param", .name = "h_last"};
    jc_gen_group bias = {.kind = JC_TILE, .label = "param", .name = "c"};
    jc_gen_group readout = {.kind = JC_DENSE,
                            .fill = JC_GEN_ROTATION,
                            .batch = batch,
                            .rows = outputs,
                            .cols = hidden,
                            .shared = true,
                            .label = "readout",
                            .name = "W_out"};
    jc_gen_group loss = {
        .kind = JC_DENSE, .fill = JC_GEN_ROTATION, .rows = 1, .cols = batch * outputs, .label = "loss", .name = "loss"};
    jc_status status;
    jc_gen_edge(gen, last + 1, W_OUT, 1.0);
    if ((status = close_group(gen, weight))) return status;
    jc_gen_edge(gen, last + 1, OUT_BIAS, 1.0);
    if ((status = close_group(gen, bias))) return status;
    jc_gen_edge(gen, last + 1, last, 1.0);
    if ((status = close_group(gen, readout))) return status;
    jc_gen_edge(gen, last + 2, last + 1, 1.0);
    return close_group(gen, loss);
}

jc_status jc_gen_build_rnn(jc_gen *gen, const int64_t *value)
{
    int64_t variables, edges;
    jc_status status = jc_gen_count(H0 + 3, 2, value[JC_GEN_TIME], &variables);
    if (!status) status = jc_gen_count(4, 5, value[JC_GEN_TIME], &edges);
    if (!status) status = jc_gen_begin(gen, variables, edges);
    if (!status) status = set_sizes(gen, value);
    if (!status) status = add_steps(gen, value);
    if (!status) status = add_readout(gen, value);
    gen->sources = (jc_gen_range){0, H0 + 1};
    gen->targets = (jc_gen_range){variables - 1, 1};
    gen->name = rnn_name;
    return status;
}
