/* The families, a row each, and how they choose the weights g of their edges (gen.h) so that products neither vanish
 * nor grow. A sum of f inputs keeps its size in one of two ways: orthogonal: the weights between two levels form an
 * orthogonal matrix. The sums of squares over a level of c, forward and reverse, are the same at every level, at any
 * depth. average:    each variable has weights 1/f, which sum to one. The totals of a variable with respect to the
 * sources have c >= 0 with sum 1, at any depth. */
#include "gen/gen.h"

#include <math.h>

#include "core/error.h"
#include "core/size.h"

/* ---- chain: v0 -> v1 -> ... -> v<depth>, weights 1 --------------------------------------------------------- */

static jc_status build_chain(jc_gen *gen, const int64_t *value)
{
    int64_t depth = value[JC_GEN_DEPTH], n;
    jc_status status = jc_gen_count(1, 1, depth, &n);
    if (!status) status = jc_gen_begin(gen, n, depth);
    if (status) return status;
    for (int64_t v = 1; v < n; v++) jc_gen_edge(gen, v, v - 1, 1.0);
    gen->sources = (jc_gen_range){0, 1};
    gen->targets = (jc_gen_range){depth, 1};
    return jc_gen_group_by_shape(gen);
}

/* ---- ladder, layered: orthogonal --------------------------------------------------------------------------- */

/* w [n] = a random unit vector. */
static void draw_unit(jc_random *r, int64_t n, double *w)
{
    double square = 0.0;
    for (int64_t i = 0; i < n; i++) w[i] = jc_random_normal(r), square += w[i] * w[i];
    double length = sqrt(square);
    for (int64_t i = 0; i < n; i++) w[i] /= length;
}

/* Edges from fan_in producers to as many consumers, weights g = I - 2 w w^T. */
static void join_block(jc_gen *gen, int64_t fan_in, int64_t first_of, const int64_t *producer, int64_t base,
                       const double *w)
{
    for (int64_t i = 0; i < fan_in; i++)
        for (int64_t j = 0; j < fan_in; j++)
            jc_gen_edge(gen, first_of + i, base + producer[j], (i == j) - 2.0 * w[i] * w[j]);
}

/* Puts order [n] into a random order (Fisher and Yates). */
static void shuffle(jc_random *r, int64_t n, int64_t *order)
{
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = jc_random_below(r, i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
}

/* `levels` levels over level 0: the variables of a level, taken fan_in at a time, read fan_in variables of the level
 * before, also taken fan_in at a time but there in a random order. */
static jc_status join_levels(jc_gen *gen, int64_t levels, int64_t width, int64_t fan_in)
{
    const jc_allocator *a = &gen->allocator;
    int64_t *order;
    double *w;
    jc_status status = jc_alloc(a, width, sizeof *order, "the order of a level", &order);
    if (status) return status;
    if ((status = jc_alloc(a, fan_in, sizeof *w, "the weights of a block", &w))) goto free_order;
    jc_random r = jc_random_stream(gen->seed, JC_RANDOM_EDGES, 0, 0);
    for (int64_t i = 0; i < width; i++) order[i] = i;
    for (int64_t l = 1; l <= levels; l++) {
        shuffle(&r, width, order);
        for (int64_t b = 0; b < width; b += fan_in) {
            draw_unit(&r, fan_in, w);
            join_block(gen, fan_in, l * width + b, order + b, (l - 1) * width, w);
        }
    }
    jc_free(a, w, fan_in, sizeof *w);
free_order:
    jc_free(a, order, width, sizeof *order);
    return status;
}

static jc_status build_ladder(jc_gen *gen, const int64_t *value)
{
    int64_t depth = value[JC_GEN_DEPTH], variables, edges;
    jc_status status = jc_gen_count(2, 2, depth, &variables);
    if (!status) status = jc_gen_count(0, 4, depth, &edges);
    if (!status) status = jc_gen_begin(gen, variables, edges);
    if (!status) status = join_levels(gen, depth, 2, 2);
    gen->sources = (jc_gen_range){0, 2};
    gen->targets = (jc_gen_range){variables - 2, 2};
    return status ? status : jc_gen_group_by_shape(gen);
}

/* The last level is read by one scalar, weights 1/sqrt(width), so that one gradient needs every edge. */
static jc_status build_layered(jc_gen *gen, const int64_t *value)
{
    int64_t levels = value[JC_GEN_LEVELS], width = value[JC_GEN_WIDTH], fan_in = value[JC_GEN_FAN_IN];
    int64_t last, per_level, variables, edges;
    if (width % fan_in)
        return jc_fail(JC_E_USAGE, "--width %lld is not a multiple of --fan-in %lld", (long long)width,
                       (long long)fan_in);
    jc_status status = jc_gen_count(0, levels, width, &last);
    if (!status) status = jc_gen_count(last, 1, width, &variables);
    if (!status) status = jc_gen_count(1, 1, variables, &variables);
    if (!status) status = jc_gen_count(0, width, fan_in, &per_level);
    if (!status) status = jc_gen_count(width, levels, per_level, &edges);
    if (!status) status = jc_gen_begin(gen, variables, edges);
    if (status) return status;
    jc_gen_set_size(gen, variables - 1, 1);
    if ((status = join_levels(gen, levels, width, fan_in))) return status;
    for (int64_t i = 0; i < width; i++) jc_gen_edge(gen, variables - 1, last + i, 1.0 / sqrt((double)width));
    gen->sources = (jc_gen_range){0, width};
    gen->targets = (jc_gen_range){variables - 1, 1};
    return jc_gen_group_by_shape(gen);
}

/* ---- tree: leaves first, the root last; weights 1/sqrt(f), so that the squares of c over the leaves sum to 1 -- */

static jc_status build_tree(jc_gen *gen, const int64_t *value)
{
    int64_t depth = value[JC_GEN_DEPTH], fan_in = value[JC_GEN_FAN_IN], leaves = 1, variables = 1;
    jc_status status = JC_OK;
    if (fan_in == 1) status = jc_gen_count(1, 1, depth, &variables);
    for (int64_t d = 0; fan_in > 1 && d < depth && !status; d++) { /* variables = 1 + f + ... + f^depth */
        status = jc_gen_count(0, leaves, fan_in, &leaves);
        if (!status) status = jc_gen_count(leaves, 1, variables, &variables);
    }
    if (!status) status = jc_gen_begin(gen, variables, variables - 1);
    if (status) return status;
    /* variable leaves + i reads the f variables from f i on */
    for (int64_t e = 0; e < variables - 1; e++) jc_gen_edge(gen, leaves + e / fan_in, e, 1.0 / sqrt((double)fan_in));
    gen->sources = (jc_gen_range){0, leaves};
    gen->targets = (jc_gen_range){variables - 1, 1};
    return jc_gen_group_by_shape(gen);
}

/* ---- densenet, random: average ----------------------------------------------------------------------------- */

/* In a block x_0 .. x_layers+1 each x_i reads all before it; the last is the next block's x_0. */
static jc_status build_densenet(jc_gen *gen, const int64_t *value)
{
    int64_t blocks = value[JC_GEN_BLOCKS], block, pairs, variables, edges;
    jc_status status = jc_gen_count(1, 1, value[JC_GEN_LAYERS], &block);
    if (!status) status = jc_gen_count(block, block, block, &pairs);
    if (!status) status = jc_gen_count(1, blocks, block, &variables);
    if (!status) status = jc_gen_count(0, blocks, pairs / 2, &edges);
    if (!status) status = jc_gen_begin(gen, variables, edges);
    if (status) return status;
    for (int64_t base = 0; base < variables - 1; base += block)
        for (int64_t i = 1; i <= block; i++)
            for (int64_t j = 0; j < i; j++) jc_gen_edge(gen, base + i, base + j, 1.0 / (double)i);
    gen->sources = (jc_gen_range){0, 1};
    gen->targets = (jc_gen_range){variables - 1, 1};
    return jc_gen_group_by_shape(gen);
}

/* Variable v reads fan_in of the `span` variables before it, drawn with repetition: parallel edges happen. */
static jc_status build_random(jc_gen *gen, const int64_t *value)
{
    int64_t variables = value[JC_GEN_VARIABLES], sources = value[JC_GEN_SOURCES], fan_in = value[JC_GEN_FAN_IN], edges;
    if (sources >= variables)
        return jc_fail(JC_E_USAGE, "--sources %lld must be fewer than --variables %lld", (long long)sources,
                       (long long)variables);
    jc_status status = jc_gen_count(0, variables - sources, fan_in, &edges);
    if (!status) status = jc_gen_begin(gen, variables, edges);
    if (status) return status;
    jc_random r = jc_random_stream(gen->seed, JC_RANDOM_EDGES, 0, 0);
    for (int64_t v = sources; v < variables; v++) {
        int64_t span = jc_min(v, value[JC_GEN_SPAN]);
        for (int64_t i = 0; i < fan_in; i++)
            jc_gen_edge(gen, v, v - 1 - jc_random_below(&r, span), 1.0 / (double)fan_in);
    }
    gen->sources = (jc_gen_range){0, sources};
    gen->targets = (jc_gen_range){variables - 1, 1};
    return jc_gen_group_by_shape(gen);
}

const jc_gen_family jc_gen_families[] = {
    {.name = "chain",
     .summary = "v0 -> v1 -> ... One path; every product is orthogonal.",
     .value = {[JC_GEN_DEPTH] = 100},
     .size = 16,
     .build = build_chain},
    {.name = "ladder",
     .summary = "two rails, and rungs that cross both ways at every step: 2^depth paths from a source, half "
                "of them to each target. The "
                "map of each step is orthogonal.",
     .value = {[JC_GEN_DEPTH] = 100},
     .size = 16,
     .build = build_ladder},
    {.name = "layered",
     .summary = "levels x width variables over a first level, each reading fan-in variables of the level before, each "
                "read by as many; a scalar that reads the last level. The map of each level is orthogonal.",
     .value = {[JC_GEN_LEVELS] = 10, [JC_GEN_WIDTH] = 20, [JC_GEN_FAN_IN] = 4},
     .size = 16,
     .build = build_layered},
    {.name = "tree",
     .summary =
         "fan-in^depth leaves joined to one root. The root's derivatives with respect to all leaves together are "
         "orthogonal.",
     .value = {[JC_GEN_DEPTH] = 6, [JC_GEN_FAN_IN] = 2},
     .size = 16,
     .build = build_tree},
    {.name = "rnn",
     .summary =
         "a recurrent network over a batch, unrolled: weights, biases, recurrence shared over the batch, activation "
         "per unit, a scalar loss. The recurrence is orthogonal, the activations have derivative 1 or -1.",
     .value =
         {[JC_GEN_TIME] = 8, [JC_GEN_HIDDEN] = 32, [JC_GEN_BATCH] = 64, [JC_GEN_INPUTS] = 8, [JC_GEN_OUTPUTS] = 10},
     .build = jc_gen_build_rnn},
    {.name = "densenet",
     .summary =
         "in each block a layer reads all layers before it, and so does the block's output, the next block's input. "
         "Every layer is an average of what it reads.",
     .value = {[JC_GEN_BLOCKS] = 4, [JC_GEN_LAYERS] = 12},
     .size = 16,
     .build = build_densenet},
    {.name = "random",
     .summary = "each variable is an average of fan-in variables drawn from the span before it; parallel edges happen.",
     .value = {[JC_GEN_VARIABLES] = 100, [JC_GEN_SOURCES] = 4, [JC_GEN_FAN_IN] = 3, [JC_GEN_SPAN] = 20},
     .size = 16,
     .build = build_random},
    {.name = NULL}};
