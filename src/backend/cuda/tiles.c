/* A segment's gathers cut into tiles. Dense terms and others are gathered one after the other, the others adding. Where
 * a tile would read too much, the sum is cut into parts, each with tiles of its own into a temporary, and a gather sums
 * the parts:
 *
 *   C = sum over parts of C_part,   C_part [rows x cols] side by side: a tile's adjoint with m = parts, q = rows cols
 */
#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/size.h"

static const char *const WHAT = "the tiles of a program";

enum { MOST_PARTS = 4096, LEAST_BLOCK = 8 };

/* Some terms of a segment that one kernel gathers, as they lie in the program's list of terms. */
typedef struct gathers {
    int64_t first, n;
    bool dense;
    int64_t block; /* dense: tiles do not cross its multiples; 0: they may */
    int lanes;     /* others: of an entry */
    double bytes, madds;
    bool computed; /* Jacobians of it are values of the plan */
} gathers;

/* Terms [first, first + n), of one term only the sum from .. to: what one tile's list is. */
typedef struct part {
    int64_t first, n, from, to;
} part;

/* ---- terms ------------------------------------------------------------------------------------------------------- */

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t r = a % b;
        a = b, b = r;
    }
    return a;
}

/* The width that tiles may not cross because the blocks of a dense term's batch end there; 0: none. */
static int64_t common_block(const jc_cuda_program *impl, const jc_cuda_term *terms, int64_t n)
{
    int64_t block = 0;
    for (int64_t i = 0; i < n; i++) {
        if (terms[i].route > JC_CUDA_ROWS) continue;
        const jc_cuda_operand *o = jc_cuda_operand_at(impl, terms[i].operand);
        if (o->batch > 1) block = common_divisor(o->n_out, block);
    }
    return block;
}

/* What a term reads and multiplies for `rows` rows. */
static void count_work(const jc_program *program, const jc_cuda_operand *o, int64_t rows, gathers *g)
{
    double element = (double)program->layout.element_bytes, entries = (double)(rows * o->out);
    g->bytes += (double)jc_cuda_operand_bytes(o) + (double)(rows * o->in) * element;
    g->bytes += (double)((o->n_start + o->n_index) * o->index_blocks * (o->wide ? 8 : 4));
    g->madds += entries * (double)jc_cuda_sum_length(o);
}

/* Appends the dense (or the other) terms to the program's. With `all_others` dense terms count as others. */
static jc_status take_terms(jc_cuda_level *level, const jc_cuda_segment *segment, const jc_cuda_term *terms, int64_t n,
                            bool all_others, gathers *g)
{
    jc_cuda_program *impl = level->program->impl;
    g->first = impl->terms.count;
    g->lanes = 1;
    for (int64_t i = 0; i < n; i++) {
        const jc_cuda_term *t = &terms[i];
        bool dense = t->route <= JC_CUDA_ROWS && !all_others;
        if (t->route >= JC_CUDA_BLAS || dense != g->dense) continue;
        const jc_cuda_operand *o = jc_cuda_operand_at(impl, t->operand);
        jc_gpu_term term = {.a = t->a, .member = t->member, .source = t->operand, .expand = t->expand};
        jc_status status = jc_vec_append(&level->program->allocator, &impl->terms, &term, 1, WHAT);
        if (status) return status;
        count_work(level->program, o, segment->rows, g);
        g->computed = g->computed || o->computed;
        if (!t->expand && jc_cuda_lanes_of(o) > g->lanes) g->lanes = jc_cuda_lanes_of(o);
        g->n++;
    }
    g->bytes += (double)(segment->rows * segment->cols * level->program->layout.element_bytes);
    return JC_OK;
}

/* ---- tiles ------------------------------------------------------------------------------------------------------- */

typedef struct tiling {
    int bin;
    int64_t rows, columns, block;
} tiling;

/* More threads for each tile where there is little to do at once. */
static tiling dense_tiling(const jc_cuda_level *level, const jc_cuda_segment *segment, const gathers *g, bool first)
{
    enum { SATURATED_BYTES = 64 << 10, LEAST_WIDE_BYTES = 4 << 10 };
    const jc_cuda_program *impl = level->program->impl;
    tiling t = {first ? JC_CUDA_BINS_FIRST : JC_CUDA_BINS_DENSE, 1, JC_GPU_ROW_COLUMNS, g->block};
    if (segment->rows > 1) {
        t.bin += 2, t.rows = JC_GPU_ROWS_ROWS, t.columns = JC_GPU_ROWS_COLUMNS;
        return t;
    }
    double share = (double)jc_min(t.columns, segment->cols) / (double)segment->cols;
    bool few = level->gather_bytes < (int64_t)impl->properties.multiprocessors * SATURATED_BYTES;
    double wide = few ? LEAST_WIDE_BYTES : (double)impl->crossover[JC_CUDA_WIDE_TILE_BYTES];
    if (g->bytes * share >= wide) t.bin++;
    return t;
}

static int lanes_bin(int lanes)
{
    return lanes == 1 ? 0 : lanes == 8 ? 1 : 2;
}

/* Smaller tiles where the segment alone would not occupy the device. */
static tiling other_tiling(const jc_cuda_level *level, const jc_cuda_segment *segment, int lanes, int bin)
{
    const jc_cuda_program *impl = level->program->impl;
    tiling t = {bin + lanes_bin(lanes), 1, JC_GPU_ANY_ENTRIES / lanes, 0};
    if (jc_cost_mul(segment->rows, segment->cols) < 2 * t.columns * impl->properties.multiprocessors) t.columns /= 4;
    if (segment->cols < t.columns) {
        t.rows = jc_max(1, t.columns / segment->cols);
        t.columns = segment->cols;
    }
    return t;
}

static jc_status add_tiles(jc_cuda_level *level, const tiling *t, const part *p, int64_t y, const jc_cuda_segment *s,
                           bool add)
{
    jc_status status = JC_OK;
    for (int64_t row = 0; row < s->rows; row += t->rows)
        for (int64_t column = 0, n; column < s->cols && !status; column += n) {
            n = jc_min(t->columns, s->cols - column);
            if (t->block) n = jc_min(n, t->block - column % t->block);
            jc_gpu_tile tile = {.y = y + row * s->cols + column,
                                .ld = s->cols,
                                .row = row,
                                .column = column,
                                .from = p->from,
                                .to = p->to,
                                .first_term = p->first,
                                .n_terms = (int32_t)p->n,
                                .rows = (int32_t)jc_min(t->rows, s->rows - row),
                                .columns = (int32_t)n,
                                .add = add};
            status = jc_vec_append(&level->program->allocator, &level->bin[t->bin], &tile, 1, WHAT);
        }
    return status;
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

/* Bytes that a tile may read before its sum is cut: enough tiles for the whole device. */
static double part_bytes(const jc_cuda_level *level)
{
    const jc_cuda_program *impl = level->program->impl;
    double share = (double)level->gather_bytes / (4.0 * impl->properties.multiprocessors);
    double least = (double)impl->crossover[JC_CUDA_PART_BYTES];
    return share > least ? share : least;
}

/* Bytes that a tile reads of one term, counting as many again as it has rows beyond those that hide behind reading. */
static double tile_cost(const jc_program *program, const jc_cuda_operand *o, const tiling *t)
{
    enum { FREE_ROWS = 8 };
    int64_t length = jc_cuda_sum_length(o), columns = jc_min(t->columns, o->out);
    int64_t bytes = jc_max(jc_dtype_bytes(o->dtype), program->layout.element_bytes);
    return (double)length * (double)columns * (double)bytes * (double)jc_max(1, t->rows / FREE_ROWS);
}

static bool sum_can_be_cut(const jc_cuda_operand *o, const jc_gpu_term *term)
{
    if (term->expand || o->fold_w) return false;
    return o->kind == JC_DENSE || o->kind == JC_WEIGHT || o->kind == JC_TRACE ||
           (o->kind == JC_TILE && o->direction == JC_ADJOINT);
}

/* Walks the parts of a list of terms: *at and *from are where the next one begins. Terms go together until they cost
 * more than `most`; one that costs more alone is cut. False at the end. */
static bool next_part(const jc_program *program, const gathers *g, const tiling *t, double most, int64_t *at,
                      int64_t *from, part *p)
{
    enum { GRAIN = 32 };
    const jc_cuda_program *impl = program->impl;
    const jc_gpu_term *terms = (const jc_gpu_term *)impl->terms.data + g->first;
    if (*at >= g->n) return false;
    const jc_cuda_operand *o = jc_cuda_operand_at(impl, terms[*at].source);
    double cost = tile_cost(program, o, t);
    if (cost > 1.5 * most && sum_can_be_cut(o, &terms[*at])) {
        int64_t length = jc_cuda_sum_length(o);
        double pieces = cost / most < MOST_PARTS ? cost / most : MOST_PARTS;
        int64_t chunk = jc_round_up(jc_max(1, (int64_t)((double)length / pieces)), GRAIN);
        *p = (part){g->first + *at, 1, *from, jc_min(*from + chunk, length)};
        *from = p->to;
        if (p->to == length) *from = 0, ++*at;
        return true;
    }
    double sum = 0;
    *p = (part){g->first + *at, 0, 0, INT64_MAX};
    for (; *at < g->n && p->n < INT32_MAX; ++*at, p->n++) {
        o = jc_cuda_operand_at(impl, terms[*at].source);
        cost = tile_cost(program, o, t);
        if (p->n && (sum + cost > most || (cost > 1.5 * most && sum_can_be_cut(o, &terms[*at])))) break;
        sum += cost;
    }
    return true;
}

static int64_t count_parts(const jc_program *program, const gathers *g, const tiling *t, double most)
{
    part p;
    int64_t at = 0, from = 0, n = 0;
    while (next_part(program, g, t, most, &at, &from, &p)) n++;
    return n;
}

/* The parts of one list, each into its own rows of the temporary from *y on. */
static jc_status add_parts(jc_cuda_level *level, const gathers *g, const tiling *t, double most,
                           const jc_cuda_segment *s, int64_t *y)
{
    part p;
    int64_t at = 0, from = 0;
    jc_status status = JC_OK;
    while (!status && next_part(level->program, g, t, most, &at, &from, &p)) {
        status = add_tiles(level, t, &p, *y, s, false);
        *y += s->rows * s->cols;
    }
    return status;
}

/* C (+)= the sum of n parts at `a`. */
static jc_status sum_parts(jc_cuda_level *level, const jc_cuda_segment *s, int64_t a, int64_t n, bool first)
{
    jc_cuda_program *impl = level->program->impl;
    int32_t operand;
    int64_t entries = s->rows * s->cols;
    jc_status status = jc_cuda_operand_parts(level->program, n, entries, &operand);
    if (status) return status;
    gathers g = {.first = impl->terms.count, .n = 1};
    jc_gpu_term term = {.a = a, .source = operand};
    jc_cuda_segment flat = {.y = s->y, .rows = 1, .cols = entries};
    part all = {g.first, 1, 0, INT64_MAX};
    status = jc_vec_append(&level->program->allocator, &impl->terms, &term, 1, WHAT);
    if (status) return status;
    g.lanes = n >= 64 ? 32 : n >= 8 ? 8 : 1; /* few entries, many parts: what is read lies in the cache */
    tiling t = other_tiling(level, &flat, g.lanes, first ? JC_CUDA_BINS_FIRST_PARTS : JC_CUDA_BINS_PARTS);
    level->bytes[t.bin] += (double)((n + 1) * entries * level->program->layout.element_bytes);
    return add_tiles(level, &t, &all, flat.y, &flat, s->written);
}

/* ---- a segment --------------------------------------------------------------------------------------------------- */

static void count_bin(jc_cuda_level *level, const gathers *g, const tiling *t)
{
    level->bytes[t->bin] += g->bytes;
    level->madds[t->bin] += g->madds;
    level->computed[t->bin] = level->computed[t->bin] || g->computed;
}

/* Both lists straight into the segment: the second adds to the first. */
static jc_status add_whole(jc_cuda_level *level, jc_cuda_segment *s, const gathers lists[2], const tiling tilings[2])
{
    jc_status status = JC_OK;
    for (int i = 0; i < 2 && !status; i++) {
        if (!lists[i].n) continue;
        part all = {lists[i].first, lists[i].n, 0, INT64_MAX};
        status = add_tiles(level, &tilings[i], &all, s->y, s, s->written);
        s->written = true;
    }
    return status;
}

static jc_status add_in_parts(jc_cuda_level *level, jc_cuda_segment *s, const gathers lists[2], const tiling tilings[2],
                              double most, int64_t n_parts, bool first)
{
    int64_t elements, a = 0;
    if (!jc_size_mul(n_parts, s->rows * s->cols, &elements)) elements = INT64_MAX;
    jc_status status = jc_cuda_level_take(level, elements, &a);
    int64_t y = a;
    for (int i = 0; i < 2 && !status; i++) status = add_parts(level, &lists[i], &tilings[i], most, s, &y);
    if (!status) status = sum_parts(level, s, a, n_parts, first);
    s->written = true;
    return status;
}

jc_status jc_cuda_add_gathers(jc_cuda_level *level, jc_cuda_segment *s, const jc_cuda_term *terms, int64_t n,
                              bool first)
{
    const jc_cuda_program *impl = level->program->impl;
    gathers lists[2] = {{.dense = true, .block = common_block(impl, terms, n)}, {.dense = false}};
    bool no_dense = lists[0].block && lists[0].block < LEAST_BLOCK;
    tiling tilings[2] = {{0, 1, 1, 0}, {0, 1, 1, 0}};
    int64_t parts[2] = {0, 0};
    double most = part_bytes(level);
    for (int i = no_dense ? 1 : 0; i < 2; i++) {
        gathers *g = &lists[i];
        jc_status status = take_terms(level, s, terms, n, no_dense, g);
        if (status) return status;
        if (!g->n) continue;
        int bin = first ? JC_CUDA_BINS_FIRST + 3 : JC_CUDA_BINS_OTHER;
        tilings[i] = g->dense ? dense_tiling(level, s, g, first) : other_tiling(level, s, g->lanes, bin);
        parts[i] = count_parts(level->program, g, &tilings[i], most);
        count_bin(level, g, &tilings[i]);
    }
    if (parts[0] + parts[1] == 0) return JC_OK;
    if (parts[0] <= 1 && parts[1] <= 1) return add_whole(level, s, lists, tilings);
    return add_in_parts(level, s, lists, tilings, most, parts[0] + parts[1], first);
}
