#include "gen/gen.h"

#include <stdio.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

#define PARAMETER_NAME(name, option, help) option,
#define PARAMETER_HELP(name, option, help) help,
static const char *const parameter_names[] = {JC_GEN_PARAMETER_MAP(PARAMETER_NAME)};
static const char *const parameter_helps[] = {JC_GEN_PARAMETER_MAP(PARAMETER_HELP)};

const char *jc_gen_parameter_name(jc_gen_parameter parameter)
{
    return parameter_names[parameter];
}

const char *jc_gen_parameter_help(jc_gen_parameter parameter)
{
    return parameter_helps[parameter];
}

const jc_gen_family *jc_gen_family_find(const char *name)
{
    for (const jc_gen_family *f = jc_gen_families; f->name; f++)
        if (strcmp(f->name, name) == 0) return f;
    return NULL;
}

const char *jc_gen_field(const jc_gen_group *group)
{
    return group->kind == JC_WEIGHT ? "x" : "values";
}

const char *jc_gen_name(const jc_gen *gen, int64_t variable, char *text, size_t capacity)
{
    if (gen->name)
        gen->name(gen, variable, text, capacity);
    else
        snprintf(text, capacity, "v%lld", (long long)variable);
    return text;
}

jc_status jc_gen_count(int64_t a, int64_t b, int64_t c, int64_t *out)
{
    int64_t product, sum;
    if (!jc_size_mul(b, c, &product) || !jc_size_add(a, product, &sum))
        return jc_fail(JC_E_USAGE, "the graph would be larger than 64 bits can count");
    *out = sum;
    return JC_OK;
}

/* ---- variables and edges ----------------------------------------------------------------------------------- */

/* How many sizes a range has, and the i-th of them, evenly from low to high. */
static int64_t size_choices(const jc_gen *gen)
{
    return jc_min(gen->size_high - gen->size_low, JC_GEN_SIZES - 1) + 1;
}

static int64_t size_choice(const jc_gen *gen, int64_t i)
{
    int64_t range = gen->size_high - gen->size_low, steps = size_choices(gen) - 1;
    return steps ? gen->size_low + range / steps * i + range % steps * i / steps : gen->size_low;
}

jc_status jc_gen_begin(jc_gen *gen, int64_t n_variables, int64_t n_edges)
{
    const jc_allocator *a = &gen->allocator;
    jc_status status;
    if ((status = jc_vec_reserve(a, &gen->sizes, n_variables, "the sizes of variables"))) return status;
    if ((status = jc_vec_reserve(a, &gen->of, n_edges, "edges"))) return status;
    if ((status = jc_vec_reserve(a, &gen->wrt, n_edges, "edges"))) return status;
    if ((status = jc_vec_reserve(a, &gen->weight, n_edges, "the weights of edges"))) return status;
    jc_random r = jc_random_stream(gen->seed, JC_RANDOM_SIZE, 0, 0);
    int64_t *size = gen->sizes.data;
    for (int64_t v = 0; v < n_variables; v++) size[v] = size_choice(gen, jc_random_below(&r, size_choices(gen)));
    gen->sizes.count = n_variables;
    return JC_OK;
}

void jc_gen_set_size(jc_gen *gen, int64_t variable, int64_t size)
{
    ((int64_t *)gen->sizes.data)[variable] = size;
}

void jc_gen_edge(jc_gen *gen, int64_t of, int64_t wrt, double weight)
{
    ((int64_t *)gen->of.data)[gen->of.count++] = of;
    ((int64_t *)gen->wrt.data)[gen->wrt.count++] = wrt;
    ((double *)gen->weight.data)[gen->weight.count++] = weight;
}

/* ---- groups by shape --------------------------------------------------------------------------------------- */

enum { CLASSES = JC_GEN_SIZES + 1, SHAPES = CLASSES * CLASSES }; /* the sizes of the range, and 1 */

static int64_t size_class(const jc_gen *gen, int64_t size)
{
    for (int64_t i = 0; i < size_choices(gen); i++)
        if (size_choice(gen, i) == size) return i;
    return CLASSES - 1;
}

static int64_t edge_shape(const jc_gen *gen, int64_t e)
{
    int64_t rows = jc_gen_size(gen, jc_gen_of(gen, e)), cols = jc_gen_size(gen, jc_gen_wrt(gen, e));
    return size_class(gen, rows) * CLASSES + size_class(gen, cols);
}

/* out[place[i]] = in[i], both of 8-byte elements; in is replaced by out. */
static jc_status permute(const jc_allocator *a, jc_vec *in, const int64_t *place)
{
    jc_vec out = jc_vec_of(in->element_bytes);
    jc_status status = jc_vec_append(a, &out, NULL, in->count, "sorted edges");
    if (status) return status;
    for (int64_t i = 0; i < in->count; i++) memcpy((char *)out.data + place[i] * 8, (char *)in->data + i * 8, 8);
    jc_vec_free(a, in);
    *in = out;
    return JC_OK;
}

static jc_status add_shape_group(jc_gen *gen, int64_t first, int64_t n)
{
    jc_gen_group group = {.kind = JC_DENSE, .fill = JC_GEN_ROTATION, .batch = 1, .first_edge = first, .n_edges = n};
    group.rows = jc_gen_size(gen, jc_gen_of(gen, first));
    group.cols = jc_gen_size(gen, jc_gen_wrt(gen, first));
    snprintf(group.name, sizeof group.name, "e%lld", (long long)gen->groups.count);
    return jc_vec_append(&gen->allocator, &gen->groups, &group, 1, "edge groups");
}

jc_status jc_gen_group_by_shape(jc_gen *gen)
{
    const jc_allocator *a = &gen->allocator;
    int64_t n = gen->of.count, start[SHAPES + 1] = {0}, next[SHAPES], *place;
    jc_status status = jc_alloc(a, n, sizeof *place, "sorted edges", &place);
    if (status) return status;
    for (int64_t e = 0; e < n; e++) start[edge_shape(gen, e) + 1]++;
    for (int64_t s = 0; s < SHAPES; s++) start[s + 1] += start[s], next[s] = start[s];
    for (int64_t e = 0; e < n; e++) place[e] = next[edge_shape(gen, e)]++;
    if ((status = permute(a, &gen->of, place))) goto done;
    if ((status = permute(a, &gen->wrt, place))) goto done;
    if ((status = permute(a, &gen->weight, place))) goto done;
    for (int64_t s = 0; s < SHAPES && !status; s++)
        if (start[s + 1] > start[s]) status = add_shape_group(gen, start[s], start[s + 1] - start[s]);
done:
    jc_free(a, place, n, sizeof *place);
    return status;
}

/* ---- the whole graph --------------------------------------------------------------------------------------- */

/* Takes the options over the family's defaults. */
static jc_status set_values(jc_gen *gen, const jc_gen_options *options)
{
    const jc_gen_family *family = gen->family;
    for (int p = 0; p < JC_GEN_PARAMETERS; p++) {
        if (options->value[p] && !family->value[p])
            return jc_fail(JC_E_USAGE, "family %s has no --%s", family->name, parameter_names[p]);
        gen->value[p] = options->value[p] ? options->value[p] : family->value[p];
        if (gen->value[p] < 0) return jc_fail(JC_E_USAGE, "--%s must be positive", parameter_names[p]);
    }
    if (options->size_low && !family->size)
        return jc_fail(JC_E_USAGE, "family %s has no --size: its sizes follow from the other options", family->name);
    gen->size_low = options->size_low ? options->size_low : jc_max(family->size, 1);
    gen->size_high = options->size_low ? options->size_high : gen->size_low;
    if (gen->size_low < 1 || gen->size_high < gen->size_low)
        return jc_fail(JC_E_USAGE, "--size must be a positive number or a range LOW:HIGH");
    return JC_OK;
}

/* gen->bytes = the numbers of all groups. */
static jc_status count_bytes(jc_gen *gen)
{
    int64_t bytes = 0;
    for (int64_t g = 0; g < gen->groups.count; g++) {
        const jc_gen_group *group = jc_gen_group_at(gen, g);
        int64_t n = jc_dtype_bytes(gen->dtype);
        jc_status status = jc_gen_count(0, n, group->rows, &n);
        if (!status) status = jc_gen_count(0, n, group->cols, &n);
        if (!status) status = jc_gen_count(bytes, n, jc_gen_members(group), &bytes);
        if (status) return status;
    }
    gen->bytes = bytes;
    return JC_OK;
}

jc_status jc_gen_create(const jc_allocator *allocator, const jc_gen_family *family, const jc_gen_options *options,
                        jc_gen **out)
{
    jc_allocator a = jc_allocator_or_default(allocator);
    jc_gen *gen;
    jc_status status = jc_alloc_zero(&a, 1, sizeof *gen, "a graph to generate", &gen);
    if (status) return status;
    gen->allocator = a;
    gen->family = family;
    gen->seed = options->seed;
    gen->dtype = options->dtype;
    gen->progress = options->progress;
    gen->sizes = gen->of = gen->wrt = jc_vec_of(sizeof(int64_t));
    gen->weight = jc_vec_of(sizeof(double));
    gen->groups = jc_vec_of(sizeof(jc_gen_group));
    if ((status = set_values(gen, options))) goto fail;
    if ((status = family->build(gen, gen->value))) goto fail;
    if ((status = count_bytes(gen))) goto fail;
    *out = gen;
    return JC_OK;
fail:
    jc_gen_destroy(gen);
    return status;
}

void jc_gen_destroy(jc_gen *gen)
{
    if (!gen) return;
    const jc_allocator a = gen->allocator;
    jc_vec_free(&a, &gen->groups);
    jc_vec_free(&a, &gen->weight);
    jc_vec_free(&a, &gen->wrt);
    jc_vec_free(&a, &gen->of);
    jc_vec_free(&a, &gen->sizes);
    jc_free(&a, gen, 1, sizeof *gen);
}
