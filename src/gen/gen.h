/* Graphs of named families with seeded random Jacobians whose products stay finite at any depth, and have a known
 * answer.
 *
 * Every variable v has a random orthogonal frame, a reflection with a sign,
 *     H_v = s_v (I - 2 u_v u_v^T),    |u_v| = 1, s_v = 1 or -1,
 * every edge of <- wrt a weight g, and with J the leading size(of) x size(wrt) part of an identity
 *     D[of,wrt] = g H_of J H_wrt,     so that D D^T (or D^T D, whichever is smaller) is g^2 I.
 * (One reflection for each edge would be symmetric: a transposed product would go unseen.) On a path each frame between
 * the ends meets itself, H_v H_v = I, and is gone:
 *     dT/dS = H_T W H_S,   W = the sum over the paths of the products of g J.
 * With n the smallest size in the graph, the leading n x n part of W is c I, where c is the total of the same graph
 * with the scalars g in place of the Jacobians. Families (families.c) choose g so that c neither vanishes nor grows. */
#ifndef JC_GEN_GEN_H
#define JC_GEN_GEN_H

#include <stdbool.h>

#include "core/alloc.h"
#include "gen/random.h"
#include "jacchain.h"

/* ---- families ---------------------------------------------------------------------------------------------- */

/* name, option, help */
#define JC_GEN_PARAMETER_MAP(X)                                                                                        \
    X(DEPTH, "depth", "edges from the first variable to the last")                                                     \
    X(LEVELS, "levels", "levels that have incoming edges")                                                             \
    X(WIDTH, "width", "variables of a level; a multiple of the fan-in")                                                \
    X(FAN_IN, "fan-in", "edges into a variable")                                                                       \
    X(VARIABLES, "variables", "variables in all")                                                                      \
    X(SOURCES, "sources", "variables without incoming edges")                                                          \
    X(SPAN, "span", "how far back an edge reaches, in variables")                                                      \
    X(BLOCKS, "blocks", "blocks, one after the other")                                                                 \
    X(LAYERS, "layers", "layers of a block")                                                                           \
    X(TIME, "time", "time steps")                                                                                      \
    X(HIDDEN, "hidden", "hidden units")                                                                                \
    X(BATCH, "batch", "samples")                                                                                       \
    X(INPUTS, "inputs", "inputs at each time step")                                                                    \
    X(OUTPUTS, "outputs", "outputs after the last step")

typedef enum jc_gen_parameter {
#define JC_GEN_PARAMETER_ENUM(name, option, help) JC_GEN_##name,
    JC_GEN_PARAMETER_MAP(JC_GEN_PARAMETER_ENUM)
#undef JC_GEN_PARAMETER_ENUM
        JC_GEN_PARAMETERS
} jc_gen_parameter;

typedef struct jc_gen jc_gen;

typedef struct jc_gen_family {
    const char *name;
    const char *summary;              /* structure and weights, for --help */
    int64_t value[JC_GEN_PARAMETERS]; /* the defaults; 0: the family has no such parameter */
    int64_t size;                     /* the default; 0: sizes follow from the parameters */
    jc_status (*build)(jc_gen *gen, const int64_t *value);
} jc_gen_family;

/* Ended by a row without name. */
extern const jc_gen_family jc_gen_families[];
const jc_gen_family *jc_gen_family_find(const char *name);     /* NULL: none */
const char *jc_gen_parameter_name(jc_gen_parameter parameter); /* "fan-in" */
const char *jc_gen_parameter_help(jc_gen_parameter parameter);

jc_status jc_gen_build_rnn(jc_gen *gen, const int64_t *value); /* rnn.c */

/* ---- a graph without its numbers --------------------------------------------------------------------------- */

typedef struct jc_gen_options {
    uint64_t seed;
    jc_dtype dtype;                   /* JC_F32 or JC_F64 */
    int64_t size_low, size_high;      /* of the variables; 0: the family's default */
    int64_t value[JC_GEN_PARAMETERS]; /* 0: the family's default */
} jc_gen_options;

/* Where the numbers of a group come from. */
typedef enum jc_gen_fill {
    JC_GEN_NOTHING,  /* it has none */
    JC_GEN_ROTATION, /* g H_of J H_wrt */
    JC_GEN_SIGNS,    /* 1 or -1 */
    JC_GEN_NORMAL    /* independent, variance 1 */
} jc_gen_fill;

/* Edges of one kind and shape. */
typedef struct jc_gen_group {
    jc_kind kind;
    jc_gen_fill fill;
    int64_t batch;
    int64_t first_edge, n_edges;
    int64_t rows, cols; /* of the numbers of one member: `values` or `x` */
    bool vector;        /* rows is 1 and not an axis */
    bool shared;        /* one set of numbers for all members */
    const char *label;  /* NULL: none; static text */
    char name[24];      /* of its tensors */
} jc_gen_group;

enum { JC_GEN_SIZES = 8 }; /* distinct sizes of a range, so that a graph has few groups */

/* A run of variables, one after the other. */
typedef struct jc_gen_range {
    int64_t first, count;
} jc_gen_range;

struct jc_gen {
    jc_allocator allocator;
    const jc_gen_family *family;
    uint64_t seed;
    jc_dtype dtype;
    int64_t size_low, size_high;
    int64_t value[JC_GEN_PARAMETERS];

    jc_vec sizes;   /* int64_t [variables] */
    jc_vec of, wrt; /* int64_t [edges], variables, group by group */
    jc_vec weight;  /* double [edges]: g */
    jc_vec groups;  /* jc_gen_group */
    jc_gen_range targets, sources;
    int64_t bytes; /* of all numbers */
    /* The name of a variable; NULL: the variables are v0, v1, ... */
    void (*name)(const jc_gen *gen, int64_t variable, char *text, size_t capacity);
};

/* JC_E_USAGE naming the option where the family does not have it or the graph would be too large for 64 bits. */
jc_status jc_gen_create(const jc_allocator *allocator, const jc_gen_family *family, const jc_gen_options *options,
                        jc_gen **gen);
void jc_gen_destroy(jc_gen *gen); /* NULL is allowed */

static inline int64_t jc_gen_size(const jc_gen *gen, int64_t v)
{
    return ((const int64_t *)gen->sizes.data)[v];
}
static inline int64_t jc_gen_of(const jc_gen *gen, int64_t e)
{
    return ((const int64_t *)gen->of.data)[e];
}
static inline int64_t jc_gen_wrt(const jc_gen *gen, int64_t e)
{
    return ((const int64_t *)gen->wrt.data)[e];
}
static inline double jc_gen_weight(const jc_gen *gen, int64_t e)
{
    return ((const double *)gen->weight.data)[e];
}

static inline const jc_gen_group *jc_gen_group_at(const jc_gen *gen, int64_t g)
{
    return (const jc_gen_group *)gen->groups.data + g;
}

/* Members of a group that have numbers of their own. */
static inline int64_t jc_gen_members(const jc_gen_group *group)
{
    return group->fill == JC_GEN_NOTHING ? 0 : group->shared ? 1 : group->n_edges;
}

/* The field that holds a group's numbers, "values" or "x". */
const char *jc_gen_field(const jc_gen_group *group);

/* Writes the variable's name, at most capacity bytes with its NUL. Returns text. */
const char *jc_gen_name(const jc_gen *gen, int64_t variable, char *text, size_t capacity);

/* ---- for the families -------------------------------------------------------------------------------------- */

/* Makes room, and draws the sizes of all variables. */
jc_status jc_gen_begin(jc_gen *gen, int64_t n_variables, int64_t n_edges);
void jc_gen_set_size(jc_gen *gen, int64_t variable, int64_t size);

/* The next edge; room was made by jc_gen_begin. */
void jc_gen_edge(jc_gen *gen, int64_t of, int64_t wrt, double weight);

/* Sorts the edges into groups of one shape, each in the order in which its edges were made. */
jc_status jc_gen_group_by_shape(jc_gen *gen);

/* *out = a + b * c, or JC_E_USAGE. */
jc_status jc_gen_count(int64_t a, int64_t b, int64_t c, int64_t *out);

/* ---- numbers ----------------------------------------------------------------------------------------------- */

/* Room for making numbers; one thread at a time. */
typedef struct jc_gen_numbers {
    const jc_gen *gen;
    int64_t room;          /* the largest size of a variable, or dimension of shared numbers */
    double *buffer;        /* [4 * room]: u_of, u_wrt, and two rows of coefficients */
    int64_t group, member; /* whose coefficients these are; -1: none */
    double diagonal;       /* s_of s_wrt g */
} jc_gen_numbers;

jc_status jc_gen_numbers_init(const jc_gen *gen, jc_gen_numbers *numbers);
void jc_gen_numbers_fini(jc_gen_numbers *numbers);

/* Rows [first, first + n) of a group, counted over all its members, to dst (contiguous, gen->dtype). */
void jc_gen_rows(jc_gen_numbers *numbers, int64_t group, int64_t first, int64_t n, void *dst);

/* The unit vector u [size] and the sign s of a frame; the frame of a variable has the variable's number. */
double jc_gen_frame(const jc_gen *gen, int64_t frame, int64_t size, double *u);

/* ---- the graph itself -------------------------------------------------------------------------------------- */

/* In memory: a finished graph that owns its numbers. Independent of `gen` afterwards. */
jc_status jc_gen_graph(const jc_gen *gen, const jc_graph_options *options, jc_graph **graph);

/* As STEM.json and STEM.safetensors: both files whole, or none; single_file: as STEM.safetensors with the document in
 * its metadata. Numbers go to the file in pieces of about a megabyte. */
jc_status jc_gen_write(const jc_gen *gen, const char *stem, bool single_file);

#endif
