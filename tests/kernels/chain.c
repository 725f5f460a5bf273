#include "kernels/chain.h"

#include <string.h>

#include "kernels/piece.h"

enum { MAX_PHASES = 100, MAX_TILES = 64 * MAX_PHASES };

typedef struct value {
    int64_t at, size;
} value;

typedef struct maker {
    jt_pool *pool;
    jt_rng *rng;
    const jt_chain_kind *kind;
    jt_chain *chain;
    jt_memory *memory;
    value values[MAX_PHASES + 1]; /* [0]: given */
    jc_gpu_source *sources;
    jc_gpu_term *terms;
    jc_gpu_tile *tiles;
    jc_gpu_phase *phases;
    int64_t n_sources, n_terms, n_tiles;
} maker;

static bool one_in(maker *make, int n)
{
    return n && jt_below(make->rng, n) == 0;
}

/* A dense Jacobian from `in` to `out` values: output j is sign[j] times input from[j]. */
static int32_t make_source(maker *make, int64_t in, int64_t out, const int64_t *from, const double *sign)
{
    jt_rng *rng = make->rng;
    bool adjoint = jt_below(rng, 2);
    jc_gpu_source s = {.p = adjoint ? in : out, .q = adjoint ? out : in, .m = 1, .batch = 1, .inner = 1, .scale = 1};
    s.kind = JC_GPU_DENSE;
    s.direction = adjoint ? JC_GPU_ADJOINT : JC_GPU_TANGENT;
    s.dtype = make->kind->number >= 0 ? make->kind->number : (int)jt_below(rng, 4);
    s.ld = s.q + (jt_below(rng, 3) ? 0 : jt_between(rng, 1, 8));
    s.member_stride = s.p * s.ld;
    size_t bytes = jt_number_bytes(s.dtype);
    int off = jt_below(rng, 3) ? 0 : (int)(jt_below(rng, 8) * (int64_t)bytes);
    void *numbers = jt_memory_add(make->memory, (size_t)s.member_stride * bytes, off, false);
    for (int64_t j = 0; j < out; j++)
        jt_set_element(numbers, s.dtype, adjoint ? from[j] * s.ld + j : j * s.ld + from[j], sign[j]);
    s.numbers = numbers;
    make->sources[make->n_sources] = s;
    return (int32_t)make->n_sources++;
}

/* A term from value v to `to`, and what it adds. */
static void make_term(maker *make, const value *v, const value *to)
{
    int64_t *from = jt_alloc(make->pool, to->size, sizeof *from);
    double *sign = jt_alloc(make->pool, to->size, sizeof *sign);
    for (int64_t j = 0; j < to->size; j++) {
        from[j] = jt_below(make->rng, v->size);
        sign[j] = jt_below(make->rng, 2) ? 1 : -1;
        make->chain->expected[to->at + j] += sign[j] * make->chain->expected[v->at + from[j]];
    }
    make->terms[make->n_terms++] =
        (jc_gpu_term){.a = v->at, .source = make_source(make, v->size, to->size, from, sign)};
}

static void make_tiles(maker *make, const value *to, int64_t first_term, bool add, jc_gpu_phase *phase, bool wide)
{
    int64_t limit = wide ? jt_between(make->rng, 1, 40) : phase->form == JC_GPU_GATHER_ROW ? JC_GPU_ROW_COLUMNS : 2048;
    phase->first_tile = make->n_tiles;
    for (int64_t column = 0; column < to->size; column += limit) {
        int64_t left = to->size - column;
        make->tiles[make->n_tiles++] = (jc_gpu_tile){.y = to->at + column,
                                                     .ld = to->size,
                                                     .column = column,
                                                     .to = INT64_MAX,
                                                     .first_term = first_term,
                                                     .n_terms = (int32_t)(make->n_terms - first_term),
                                                     .rows = 1,
                                                     .columns = (int32_t)(left < limit ? left : limit),
                                                     .add = add};
        phase->n_tiles++;
    }
}

/* Value k + 1 from value k, and perhaps from older ones. */
static void make_phase(maker *make, int64_t k)
{
    static const int16_t lanes[] = {1, 8, 32};
    const value *to = &make->values[k + 1];
    jc_gpu_phase *phase = &make->phases[k];
    int64_t first_term = make->n_terms;
    bool any = one_in(make, make->kind->any), add = one_in(make, make->kind->others);
    phase->form = any ? JC_GPU_GATHER_ANY : JC_GPU_GATHER_ROW;
    phase->lanes = any ? lanes[jt_below(make->rng, 3)] : jt_below(make->rng, 2) ? 32 : 256;
    if (!add) memset(make->chain->expected + to->at, 0, (size_t)to->size * sizeof(double));
    bool older = one_in(make, make->kind->others);
    make_term(make, &make->values[older ? jt_below(make->rng, k + 1) : k], to);
    while (one_in(make, make->kind->others) && make->n_terms - first_term < 7) make_term(make, &make->values[0], to);
    make_tiles(make, to, first_term, add, phase, one_in(make, make->kind->wide));
}

static void place_values(maker *make)
{
    int n = 0;
    while (n < 4 && make->kind->sizes[n]) n++;
    int64_t at = 3;
    for (int64_t k = 0; k <= make->kind->phases; k++) {
        make->values[k] = (value){at, make->kind->sizes[jt_below(make->rng, n)]};
        at += make->values[k].size + jt_below(make->rng, 3);
    }
    make->chain->elements = at;
}

jt_chain jt_chain_random(jt_pool *pool, jt_rng *rng, const jt_chain_kind *kind)
{
    jt_chain chain = {.memory = {.pool = pool}};
    maker *make = jt_alloc(pool, 1, sizeof *make);
    *make = (maker){.pool = pool, .rng = rng, .kind = kind, .chain = &chain, .memory = &chain.memory};
    place_values(make);
    chain.before = jt_alloc(pool, chain.elements, sizeof(double));
    chain.expected = jt_alloc(pool, chain.elements, sizeof(double));
    for (int64_t i = 0; i < chain.elements; i++) chain.before[i] = chain.expected[i] = (double)jt_between(rng, -2, 2);
    make->sources = jt_memory_add(make->memory, sizeof(jc_gpu_source) * 8 * MAX_PHASES, 0, false);
    make->terms = jt_memory_add(make->memory, sizeof(jc_gpu_term) * 8 * MAX_PHASES, 0, false);
    make->tiles = jt_memory_add(make->memory, sizeof(jc_gpu_tile) * MAX_TILES, 0, false);
    make->phases = jt_memory_add(make->memory, sizeof(jc_gpu_phase) * (size_t)kind->phases, 0, false);
    for (int64_t k = 0; k < kind->phases; k++) make_phase(make, k);
    void *arena = jt_memory_arena(make->memory, (size_t)chain.elements * jt_number_bytes(kind->dtype));
    chain.launch = (jc_gpu_launch){.kernel = JC_GPU_WALK,
                                   .dtype = kind->dtype,
                                   .mode = kind->mode,
                                   .arena = arena,
                                   .sources = make->sources,
                                   .terms = make->terms,
                                   .tiles = make->tiles,
                                   .phases = make->phases,
                                   .n_tiles = make->n_tiles,
                                   .n_phases = kind->phases};
    return chain;
}
