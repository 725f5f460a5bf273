#include "kernels/piece.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SOURCES = 4, MAX_MEMBERS = 3 };

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

size_t jt_number_bytes(int dtype)
{
    return dtype == JC_GPU_F64 ? 8 : dtype == JC_GPU_F32 ? 4 : 2;
}

double jt_round_bits(double x, int bits)
{
    int exponent;
    if (x == 0 || isnan(x) || isinf(x)) return x;
    frexp(x, &exponent);
    return ldexp(nearbyint(ldexp(x, bits - exponent)), exponent - bits);
}

static double as_stored(int dtype, double x)
{
    if (dtype == JC_GPU_F64) return x;
    if (dtype == JC_GPU_F16 && fabs(x) < 0x1p-14) return nearbyint(x * 0x1p24) * 0x1p-24;
    return jt_round_bits(x, dtype == JC_GPU_F32 ? 24 : dtype == JC_GPU_BF16 ? 8 : 11);
}

/* x must be a number of the type. */
void jt_set_element(void *array, int dtype, int64_t i, double x)
{
    float f = (float)x;
    uint32_t bits;
    memcpy(&bits, &f, 4);
    if (dtype == JC_GPU_F64) {
        ((double *)array)[i] = x;
    } else if (dtype == JC_GPU_F32) {
        ((float *)array)[i] = f;
    } else if (dtype == JC_GPU_BF16) {
        ((uint16_t *)array)[i] = (uint16_t)(bits >> 16);
    } else {
        bool normal = fabs(x) >= 0x1p-14;
        uint32_t half = normal ? ((bits & 0x7fffffff) - (112u << 23)) >> 13 : (uint32_t)(fabs(x) * 0x1p24);
        ((uint16_t *)array)[i] = (uint16_t)(half | bits >> 31 << 15);
    }
}

double jt_element(const void *array, int dtype, int64_t i)
{
    uint32_t bits;
    float f;
    if (dtype == JC_GPU_F64) return ((const double *)array)[i];
    if (dtype == JC_GPU_F32) return ((const float *)array)[i];
    uint32_t half = ((const uint16_t *)array)[i];
    bits = half << 16;
    if (dtype == JC_GPU_F16) {
        if ((half >> 10 & 31) == 0) return ldexp((double)(half & 1023), -24) * (half >> 15 ? -1 : 1);
        if ((half >> 10 & 31) == 31) return half & 1023 ? NAN : half >> 15 ? -INFINITY : INFINITY;
        bits = (half >> 15 << 31) | (((half & 0x7fff) << 13) + (112u << 23));
    }
    memcpy(&f, &bits, 4);
    return f;
}

/* ---- sources ----------------------------------------------------------------------------------------------------- */

typedef struct source {
    jt_jacobian jac;
    jc_gpu_source *data;
    double *matrix[MAX_MEMBERS], *structure[MAX_MEMBERS]; /* op(B): n_in x n_out */
    int64_t n_in, n_out;
} source;

typedef struct maker {
    jt_pool *pool;
    jt_rng *rng;
    const jt_piece_kind *kind;
    jt_memory *memory;
    source sources[MAX_SOURCES];
    int n_sources;
} maker;

static const int kinds[] = {JC_GPU_DENSE,  JC_GPU_DIAGONAL, JC_GPU_IDENTITY, JC_GPU_CSR,
                            JC_GPU_SELECT, JC_GPU_WEIGHT,   JC_GPU_TILE,     JC_GPU_TRACE};

/* A divisor of n. */
static int64_t divisor(jt_rng *rng, int64_t n)
{
    int64_t d = jt_between(rng, 1, n < 8 ? n : 8);
    while (n % d) d--;
    return d;
}

/* p and q (and m) so that op(D) has `out` outputs. */
static jt_shape shape_of(maker *make, int kind, bool adjoint, int64_t out)
{
    jt_rng *rng = make->rng;
    int64_t other = jt_between(rng, 1, make->kind->size), m = jt_between(rng, 1, 4);
    jt_shape shape = {.kind = (jc_kind)kind, .p = adjoint ? other : out, .q = adjoint ? out : other, .m = 1};
    if (kind == JC_GPU_DIAGONAL || kind == JC_GPU_IDENTITY) shape.p = shape.q = out;
    if (kind == JC_GPU_WEIGHT || kind == JC_GPU_TRACE) {
        int64_t h = divisor(rng, out);
        shape.m = adjoint ? m : out / h;
        shape.p = shape.m * h;
        shape.q = adjoint ? out : h * other;
    }
    if (kind == JC_GPU_TILE) {
        shape.m = adjoint ? m : divisor(rng, out);
        shape.q = adjoint ? out : out / shape.m;
        shape.p = shape.m * shape.q;
    }
    return shape;
}

static void *index_array(maker *make, const jc_gpu_source *s, int64_t n)
{
    return jt_memory_add(make->memory, (size_t)n * (s->wide ? 8 : 4), 0, false);
}

static void set_index(void *array, bool wide, int64_t i, int64_t x)
{
    if (wide)
        ((int64_t *)array)[i] = x;
    else
        ((int32_t *)array)[i] = (int32_t)x;
}

/* The pattern of one block of D as lists of inputs by output; place: the number's position in row order. */
static int64_t list_block(const source *s, int64_t member, int64_t block, bool by_row, int64_t first, void *start,
                          int64_t start_at, void *index, void *place)
{
    const jt_jacobian *jac = &s->jac;
    int64_t n_out = by_row ? jac->p : jac->q, n_in = by_row ? jac->q : jac->p, n = 0, width = jac->q * jac->batch;
    (void)width;
    const double *pattern = s->structure[member];
    for (int64_t j = 0; j < n_out; j++) {
        set_index(start, s->data->wide, start_at + j, n);
        for (int64_t i = 0; i < n_in; i++) {
            int64_t in = (block * n_in + i) * jac->inner, out = (block * n_out + j) * jac->inner;
            if (pattern[in * s->n_out + out] == 0) continue;
            set_index(index, s->data->wide, first + n, i);
            if (place) {
                int64_t before = 0, row = by_row ? j : i, column = by_row ? i : j;
                for (int64_t r = 0; r <= row; r++)
                    for (int64_t c = 0; c < (r == row ? column : jac->q); c++) {
                        int64_t at_in = by_row ? c : r, at_out = by_row ? r : c;
                        before += pattern[(block * n_in + at_in) * jac->inner * s->n_out +
                                          (block * n_out + at_out) * jac->inner] != 0;
                    }
                set_index(place, s->data->wide, first + n, before);
            }
            n++;
        }
    }
    set_index(start, s->data->wide, start_at + n_out, n);
    return n;
}

/* Patterns of select may differ from block to block; those of csr do not. */
static void make_lists(maker *make, source *s)
{
    const jt_jacobian *jac = &s->jac;
    jc_gpu_source *d = s->data;
    bool by_row = d->direction == JC_GPU_TANGENT, csr = d->kind == JC_GPU_CSR;
    int64_t n_out = by_row ? jac->p : jac->q, blocks = csr ? 1 : jac->batch, per = csr ? jac->m : jac->p;
    if (csr && jac->m == 0) per = 1;
    if (!csr && by_row) {
        void *index = index_array(make, d, jac->members * blocks * jac->p);
        for (int64_t i = 0; i < jac->members * blocks * jac->p; i++)
            set_index(index, d->wide, i,
                      jac->indices.index[jac->indices.batched ? i : i / (blocks * jac->p) * jac->p + i % jac->p]);
        d->index = index;
        d->index_block = jac->p;
        d->index_member = blocks * jac->p;
        return;
    }
    void *start = index_array(make, d, jac->members * blocks * (n_out + 1));
    void *index = index_array(make, d, jac->members * blocks * per);
    void *place = csr && !by_row ? index_array(make, d, jac->members * blocks * per) : NULL;
    for (int64_t e = 0; e < jac->members; e++)
        for (int64_t b = 0; b < blocks; b++)
            list_block(s, e, b, by_row, (e * blocks + b) * per, start, (e * blocks + b) * (n_out + 1), index, place);
    d->start = start;
    d->index = index;
    d->place = place;
    d->start_block = csr ? 0 : n_out + 1;
    d->start_member = blocks * (n_out + 1);
    d->index_block = csr ? 0 : per;
    d->index_member = blocks * per;
}

/* The numbers of a field, rows of `width` numbers ld apart. */
static void make_numbers(maker *make, source *s, jt_field *field, int64_t rows, int64_t width)
{
    jc_gpu_source *d = s->data;
    jt_rng *rng = make->rng;
    const jt_jacobian *jac = &s->jac;
    int64_t blocks = field->batched ? jac->batch : 1, n = jac->members * blocks * field->block;
    for (int64_t i = 0; i < n; i++) field->number[i] = as_stored(d->dtype, field->number[i]);
    d->ld = width + (rows > 1 && jt_below(rng, 2) ? jt_between(rng, 1, 8) : 0);
    int64_t block = (rows - 1) * d->ld + width, gap = jt_below(rng, 2) ? jt_between(rng, 0, 5) : 0;
    if (jt_below(rng, 2)) block = rows * d->ld, d->ld = width, block = rows * width;
    d->block_stride = field->batched ? block + gap : 0;
    d->member_stride = blocks * (block + gap);
    size_t bytes = jt_number_bytes(d->dtype);
    int64_t total = jac->members * d->member_stride;
    int off = jt_below(rng, 2) ? (int)(jt_below(rng, 8) * (int64_t)bytes) : 0;
    void *numbers = jt_memory_add(make->memory, (size_t)total * bytes, off, false);
    memset(numbers, 0xFF, (size_t)total * bytes);
    for (int64_t e = 0; e < jac->members * blocks; e++)
        for (int64_t i = 0; i < rows; i++)
            for (int64_t l = 0; l < width; l++)
                jt_set_element(numbers, d->dtype, e * (block + gap) + i * d->ld + l,
                               field->number[e * field->block + i * width + l]);
    d->numbers = numbers;
}

/* op(B) of a member, and its structure, from the Jacobian's dense matrix. */
static double *oriented(maker *make, const source *s, double *dense)
{
    if (s->data->direction == JC_GPU_ADJOINT) return dense;
    int64_t rows = s->n_out, cols = s->n_in;
    double *t = jt_alloc(make->pool, rows * cols, sizeof(double));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) t[j * rows + i] = dense[i * cols + j];
    return t;
}

static int number_type(maker *make)
{
    return make->kind->number >= 0 ? make->kind->number : (int)jt_below(make->rng, 4);
}

/* A source with `out` = batch n_out inner outputs. */
static void make_source(maker *make, source *s, jc_gpu_source *data, int64_t out)
{
    jt_rng *rng = make->rng;
    bool plain = make->kind->kernel != JC_GPU_GATHER_ANY, adjoint = jt_below(rng, 2);
    int kind = plain ? JC_GPU_DENSE : make->kind->kind >= 0 ? make->kind->kind : kinds[jt_below(rng, 8)];
    int64_t batch = jt_below(rng, 2) ? divisor(rng, out) : 1;
    int64_t inner = plain || jt_below(rng, 2) ? 1 : divisor(rng, out / batch);
    jt_shape shape = shape_of(make, kind, adjoint, out / batch / inner);
    shape.batch = batch;
    shape.inner = inner;
    shape.batched = jt_below(rng, 2);
    shape.members = jt_between(rng, 1, MAX_MEMBERS);
    s->jac =
        jt_jacobian_random(make->pool, rng, rng, &shape, make->kind->integers ? JT_SMALL : JT_REAL, JC_F64, JC_I64, 0);
    const jt_jacobian *jac = &s->jac;
    bool wide = jt_below(rng, 2), one_scale = jac->members == 1 && jt_below(rng, 2);
    *data = (jc_gpu_source){
        .p = jac->p, .q = jac->q, .m = kind == JC_GPU_TILE ? shape.m : jac->m, .batch = batch, .inner = inner};
    data->kind = kind;
    data->direction = adjoint ? JC_GPU_ADJOINT : JC_GPU_TANGENT;
    data->dtype = number_type(make);
    data->wide = wide;
    data->scale = jac->scales[0];
    if (!one_scale) {
        double *scales = jt_memory_add(make->memory, (size_t)jac->members * 8, 0, false);
        memcpy(scales, jac->scales, (size_t)jac->members * 8);
        data->scales = scales;
        data->scale = 777;
    }
    s->data = data;
    s->n_in = (adjoint ? jac->p : jac->q) * batch * inner;
    s->n_out = out;
    if (kind == JC_GPU_DENSE) make_numbers(make, s, &s->jac.values, jac->p, jac->q);
    if (kind == JC_GPU_DIAGONAL) make_numbers(make, s, &s->jac.values, 1, jac->p);
    if (kind == JC_GPU_WEIGHT) make_numbers(make, s, &s->jac.x, jac->m, jac->q / (jac->p / jac->m));
    if (kind == JC_GPU_TRACE) make_numbers(make, s, &s->jac.values, jac->p, jac->q / (jac->p / jac->m));
    if (kind == JC_GPU_CSR && jac->m) make_numbers(make, s, &s->jac.values, 1, jac->m);
    for (int64_t e = 0; e < jac->members; e++) {
        s->matrix[e] = oriented(make, s, jt_jacobian_dense(make->pool, jac, e, false));
        s->structure[e] = oriented(make, s, jt_jacobian_structure(make->pool, jac, e));
    }
    if (kind == JC_GPU_CSR || kind == JC_GPU_SELECT) make_lists(make, s);
}

/* ---- destinations ------------------------------------------------------------------------------------------------ */

typedef struct destination {
    int64_t y, ld, rows, columns, first_term;
    int32_t n_terms;
    jc_gpu_tile *tiles;
    int64_t n_tiles;
} destination;

static double operand(const jt_piece_kind *kind, const jc_gpu_source *s, double x)
{
    if (kind->mode == JC_GPU_FULL || (s->kind != JC_GPU_DENSE && s->kind != JC_GPU_WEIGHT && s->kind != JC_GPU_TRACE))
        return x;
    return jt_round_bits(x, kind->mode == JC_GPU_ROUND_TF32 ? 11 : 8);
}

/* Whether input number `in` of op(B) is in the part [from, to) of the sum. */
static bool in_part(const source *s, const jc_gpu_tile *tile, int64_t in)
{
    const jc_gpu_source *d = s->data;
    int64_t n = d->direction == JC_GPU_ADJOINT ? d->p : d->q, i = in / d->inner % n;
    if (tile->from == 0 && tile->to == INT64_MAX) return true;
    if (d->kind == JC_GPU_WEIGHT || d->kind == JC_GPU_TRACE) {
        int64_t h = d->p / d->m, w = d->q / h;
        i = d->direction == JC_GPU_ADJOINT ? i / h : i % w;
    }
    if (d->kind == JC_GPU_TILE) i /= d->q;
    return i >= tile->from && i < tile->to;
}

/* What the tile's entry (row, column of the destination) must be: adds to *sum and to the bound's parts. */
static void add_expected(const maker *make, const jt_piece *piece, const jc_gpu_tile *tile, const jc_gpu_term *term,
                         int64_t row, int64_t column, long double *sum, long double *absolute, int64_t *count)
{
    const source *s = &make->sources[term->source];
    const double *matrix = s->matrix[term->member], *structure = s->structure[term->member];
    if (term->expand) {
        int64_t in = term->a + (term->expand == JC_GPU_EXPAND_WHOLE ? 0 : piece->launch.pass->row0) + row;
        if (in >= s->n_in) return;
        *sum += matrix[in * s->n_out + column];
        *absolute += fabs(matrix[in * s->n_out + column]);
        (*count)++;
        return;
    }
    for (int64_t in = 0; in < s->n_in; in++) {
        if (structure[in * s->n_out + column] == 0 || !in_part(s, tile, in)) continue;
        long double a = operand(make->kind, s->data, piece->before[term->a + row * s->n_in + in]);
        long double d = matrix[in * s->n_out + column];
        if (piece->launch.dtype == JC_GPU_F32) d = (float)d;
        d = operand(make->kind, s->data, (double)d);
        *sum += a * d;
        *absolute += fabsl(a * d);
        *count += 1 + (piece->launch.dtype == JC_GPU_F32 && s->data->dtype == JC_GPU_F64);
    }
}

static void expect_tile(const maker *make, jt_piece *piece, const jc_gpu_tile *tile, const jc_gpu_term *terms)
{
    double unit = piece->launch.dtype == JC_GPU_F64 ? DBL_EPSILON / 2 : FLT_EPSILON / 2;
    for (int64_t r = 0; r < tile->rows; r++)
        for (int64_t c = 0; c < tile->columns; c++) {
            int64_t at = tile->y + r * tile->ld + c, count = 1;
            long double sum = tile->add ? piece->before[at] : 0, absolute = fabsl(sum);
            for (int32_t t = 0; t < tile->n_terms; t++)
                add_expected(make, piece, tile, terms + tile->first_term + t, tile->row + r, tile->column + c, &sum,
                             &absolute, &count);
            piece->expected[at] = (double)sum;
            piece->bound[at] = make->kind->integers ? 0 : (double)((long double)(count + 1) * unit * absolute * 1.01L);
            piece->written[at] = true;
        }
}

static int64_t at_most(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The widest tile from `column` on: within the kernel's limits and one block of the batch of each term. */
static int64_t tile_columns(const maker *make, const destination *to, const jc_gpu_term *terms, int64_t column,
                            int64_t rows)
{
    int64_t limit = make->kind->kernel == JC_GPU_GATHER_ANY   ? JC_GPU_ANY_ENTRIES / rows
                    : make->kind->kernel == JC_GPU_GATHER_ROW ? JC_GPU_ROW_COLUMNS
                                                              : JC_GPU_ROWS_COLUMNS;
    limit = at_most(limit, to->columns - column);
    for (int32_t t = 0; t < to->n_terms && make->kind->kernel != JC_GPU_GATHER_ANY; t++) {
        const source *s = &make->sources[terms[to->first_term + t].source];
        int64_t n = s->n_out / s->data->batch;
        limit = at_most(limit, n - column % n);
    }
    return limit;
}

/* Cuts a destination into tiles of random size. */
static int64_t make_tiles(maker *make, const destination *to, const jc_gpu_term *terms, jc_gpu_tile *tiles)
{
    jt_rng *rng = make->rng;
    int64_t n = 0;
    int64_t row_limit = make->kind->kernel == JC_GPU_GATHER_ROW    ? 1
                        : make->kind->kernel == JC_GPU_GATHER_ROWS ? JC_GPU_ROWS_ROWS
                                                                   : 64;
    const jc_gpu_source *first = make->sources[terms[to->first_term].source].data;
    bool split = make->kind->split && to->n_terms == 1 && !terms[to->first_term].expand &&
                 (first->kind == JC_GPU_DENSE || first->kind == JC_GPU_WEIGHT || first->kind == JC_GPU_TRACE ||
                  (first->kind == JC_GPU_TILE && first->direction == JC_GPU_ADJOINT));
    for (int64_t row = 0; row < to->rows;) {
        int64_t rows = at_most(jt_below(rng, 2) ? row_limit : jt_between(rng, 1, row_limit), to->rows - row);
        for (int64_t column = 0; column < to->columns;) {
            int64_t columns = tile_columns(make, to, terms, column, rows);
            if (jt_below(rng, 2)) columns = jt_between(rng, 1, columns);
            jc_gpu_tile tile = {.y = to->y + row * to->ld + column,
                                .ld = to->ld,
                                .row = row,
                                .column = column,
                                .to = INT64_MAX,
                                .first_term = to->first_term,
                                .n_terms = to->n_terms,
                                .rows = (int32_t)rows,
                                .columns = (int32_t)columns,
                                .add = jt_below(rng, 3) == 0};
            if (split) {
                tile.from = jt_between(rng, 0, make->kind->size / 2);
                tile.to = jt_below(rng, 2) ? tile.from + jt_between(rng, 0, make->kind->size) : INT64_MAX;
            }
            tiles[n++] = tile;
            column += columns;
        }
        row += rows;
    }
    return n;
}

static void make_term(maker *make, const jt_piece *piece, jc_gpu_term *term, int64_t rows, int64_t *used)
{
    jt_rng *rng = make->rng;
    term->source = (int32_t)jt_below(rng, make->n_sources);
    const source *s = &make->sources[term->source];
    term->member = jt_below(rng, s->jac.members);
    term->expand = make->kind->expand ? (int32_t)jt_below(rng, JC_GPU_EXPAND_WHOLE + 1) : 0;
    term->a = term->expand ? jt_below(rng, s->n_in) : *used + jt_between(rng, 0, 3);
    if (term->expand == JC_GPU_EXPAND_WINDOW) term->a -= piece->launch.pass->row0;
    if (!term->expand) *used = term->a + rows * s->n_in;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void fill_before(maker *make, jt_piece *piece)
{
    piece->before = jt_alloc(make->pool, piece->elements, sizeof(double));
    piece->expected = jt_alloc(make->pool, piece->elements, sizeof(double));
    piece->bound = jt_alloc(make->pool, piece->elements, sizeof(double));
    piece->written = jt_alloc(make->pool, piece->elements, sizeof(bool));
    for (int64_t i = 0; i < piece->elements; i++) {
        double x = make->kind->integers ? (double)jt_between(make->rng, -2, 2) : jt_unit(make->rng);
        piece->before[i] = piece->expected[i] = as_stored(piece->launch.dtype, x);
    }
    if (make->kind->bad)
        for (int i = 0; i < 3; i++) piece->before[jt_below(make->rng, piece->elements)] = NAN;
    memcpy(piece->expected, piece->before, (size_t)piece->elements * sizeof(double));
}

enum { DESTINATIONS = 3, ROWS_LIMIT = 40, TILES_LIMIT = 4000 };

jt_piece jt_piece_random(jt_pool *pool, jt_rng *rng, const jt_piece_kind *kind)
{
    jt_piece piece = {.memory = {.pool = pool}};
    maker *make = jt_alloc(pool, 1, sizeof *make);
    *make = (maker){.pool = pool, .rng = rng, .kind = kind, .memory = jt_alloc(pool, 1, sizeof(jt_memory))};
    make->memory->pool = pool;
    make->n_sources = (int)jt_between(rng, 1, MAX_SOURCES);
    jc_gpu_source *sources = jt_memory_add(make->memory, sizeof *sources * MAX_SOURCES, 0, false);
    int64_t columns = jt_below(rng, 2) ? jt_between(rng, 1, kind->size) : (kind->size + 7) / 8 * 8;
    for (int i = 0; i < make->n_sources; i++) make_source(make, &make->sources[i], sources + i, columns);
    jc_gpu_pass *pass = jt_memory_add(make->memory, sizeof *pass, 0, false);
    pass->row0 = jt_below(rng, 3);
    piece.launch = (jc_gpu_launch){.kernel = kind->kernel, .dtype = kind->dtype, .mode = kind->mode, .pass = pass};
    piece.launch.sources = sources;

    destination to[DESTINATIONS];
    int64_t n_terms = 0, used = 0;
    jc_gpu_term *terms = jt_memory_add(make->memory, sizeof *terms * (size_t)(DESTINATIONS * kind->terms), 0, false);
    for (int d = 0; d < DESTINATIONS; d++) {
        to[d].rows = kind->kernel == JC_GPU_GATHER_ROW || jt_below(rng, 2) ? 1 : jt_between(rng, 1, ROWS_LIMIT);
        to[d].columns = columns;
        to[d].first_term = n_terms;
        to[d].n_terms = (int32_t)(kind->split ? 1 : jt_between(rng, 0, kind->terms));
        for (int32_t t = 0; t < to[d].n_terms; t++) make_term(make, &piece, terms + n_terms + t, to[d].rows, &used);
        n_terms += to[d].n_terms;
    }
    for (int d = 0; d < DESTINATIONS; d++) {
        to[d].ld = columns + jt_between(rng, 0, 3);
        to[d].y = used + jt_between(rng, 0, 3);
        used = to[d].y + to[d].rows * to[d].ld;
    }
    piece.elements = used + 4;
    piece.launch.terms = terms;
    fill_before(make, &piece);
    jc_gpu_tile *tiles = jt_alloc(pool, TILES_LIMIT, sizeof *tiles);
    for (int d = 0; d < DESTINATIONS; d++) piece.n_tiles += make_tiles(make, &to[d], terms, tiles + piece.n_tiles);
    jc_gpu_tile *shared = jt_memory_add(make->memory, sizeof *tiles * (size_t)piece.n_tiles, 0, false);
    memcpy(shared, tiles, sizeof *tiles * (size_t)piece.n_tiles);
    for (int64_t t = 0; t < piece.n_tiles; t++) expect_tile(make, &piece, tiles + t, terms);
    piece.launch.tiles = shared;
    piece.launch.n_tiles = piece.n_tiles;
    piece.launch.arena = jt_memory_arena(make->memory, (size_t)piece.elements * jt_number_bytes(kind->dtype));
    piece.memory = *make->memory;
    return piece;
}

void jt_piece_reset(jt_piece *piece)
{
    for (int64_t i = 0; i < piece->elements; i++)
        jt_set_element(piece->launch.arena, piece->launch.dtype, i, piece->before[i]);
    jt_memory_begin(&piece->memory);
}

int64_t jt_piece_check(const jt_piece *piece)
{
    for (int64_t i = 0; i < piece->elements; i++) {
        double x = jt_element(piece->launch.arena, piece->launch.dtype, i), y = piece->expected[i];
        if (isnan(y) ? !isnan(x) : !(fabs(x - y) <= piece->bound[i])) return i;
        if (!piece->written[i] && memcmp(&x, &piece->before[i], sizeof x) && !isnan(x)) return i;
    }
    return -1;
}
