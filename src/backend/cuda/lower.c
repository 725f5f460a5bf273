/* A plan's values, level by level, to operations. The rows of a value that the same products cover are a segment; a
 * segment is what gathers, calls and callbacks write to. */
#include <stdlib.h>

#include "backend/cuda/internal.h"
#include "core/error.h"
#include "core/size.h"

static const char *const WHAT = "a program of the device";

/* What lowering works with beside the level. */
typedef struct lowering {
    jc_program *program;
    jc_cuda_program *impl;
    jc_cuda_operand_table table;
    jc_cuda_level level;
    jc_vec bounds; /* int64_t: where segments of a value begin and end */
    jc_vec starts; /* int64_t: first product of each segment */
    jc_vec steps;  /* int64_t: the steps of each segment, in their order */
    jc_vec terms;  /* jc_cuda_term of one segment */
} lowering;

jc_status jc_cuda_add_op(jc_program *program, const jc_cuda_op *op)
{
    jc_cuda_program *impl = program->impl;
    return jc_vec_append(&program->allocator, &impl->ops, op, 1, WHAT);
}

jc_status jc_cuda_level_take(jc_cuda_level *level, int64_t n, int64_t *first)
{
    enum { ALIGN = 16 }; /* elements: whole lines of 64 bytes and more */
    jc_program *program = level->program;
    jc_cuda_program *impl = program->impl;
    int64_t end;
    *first = program->layout.arena_bytes / program->layout.element_bytes + level->temps;
    if (!jc_size_add(level->temps, n, &end) || end > INT64_MAX / 64)
        return jc_fail(JC_E_MEMORY, "not enough memory: temporaries of a level are larger than can be addressed");
    level->temps = jc_round_up(end, ALIGN);
    impl->temp_elements = jc_max(impl->temp_elements, level->temps);
    return JC_OK;
}

/* ---- one product ------------------------------------------------------------------------------------------------- */

static jc_cuda_term term_of(const lowering *w, int32_t operand, int64_t member, int64_t a, int64_t rows, int32_t expand)
{
    const jc_cuda_operand *o = jc_cuda_operand_at(w->impl, operand);
    jc_cuda_term t = {
        .operand = operand, .route = jc_cuda_route_of(w->program, o, rows, expand), .member = member, .a = a};
    t.expand = expand;
    return t;
}

/* One product into a temporary that others of the level read. */
static jc_status form_first(lowering *w, const jc_cuda_term *term, int64_t rows, int64_t *y)
{
    const jc_cuda_operand *o = jc_cuda_operand_at(w->impl, term->operand);
    jc_cuda_segment t = {.rows = rows, .cols = o->out};
    int64_t elements;
    if (!jc_size_mul(rows, o->out, &elements))
        return jc_fail(JC_E_MEMORY, "not enough memory: a temporary of %lld x %lld is larger than can be addressed",
                       (long long)rows, (long long)o->out);
    jc_status status = jc_cuda_level_take(&w->level, elements, &t.y);
    *y = t.y;
    if (status) return status;
    if (term->route == JC_CUDA_BLAS) return jc_cuda_add_calls(&w->level, &t, term, true);
    return jc_cuda_add_gathers(&w->level, &t, term, 1, true);
}

/* x U V^T (adjoint) and x V U^T (tangent): the inner vector first. Rows of U V^T itself are formed entry by entry,
 * since what lies outside of its blocks must not be multiplied. */
static jc_status low_rank_term(lowering *w, int64_t group, jc_direction direction, jc_cuda_term *term, int64_t rows)
{
    int32_t in, out;
    if (term->expand) {
        jc_status found =
            jc_cuda_operand_find(w->program, &w->table, group, term->member, JC_CUDA_BOTH, direction, &out);
        if (!found) *term = term_of(w, out, term->member, term->a, rows, term->expand);
        return found;
    }
    bool adjoint = direction == JC_ADJOINT;
    jc_status status =
        jc_cuda_operand_find(w->program, &w->table, group, term->member, adjoint ? 0 : 1, JC_ADJOINT, &in);
    if (!status)
        status = jc_cuda_operand_find(w->program, &w->table, group, term->member, adjoint ? 1 : 0, JC_TANGENT, &out);
    if (status) return status;
    jc_cuda_term inner = term_of(w, in, term->member, term->a, rows, term->expand);
    int64_t y;
    status = form_first(w, &inner, rows, &y);
    if (!status) *term = term_of(w, out, term->member, y, rows, 0);
    return status;
}

/* An operator is applied to vectors only: rows of the identity are formed for it. */
static jc_status operator_term(lowering *w, jc_cuda_term *term, int64_t rows)
{
    int32_t identity;
    if (!term->expand) return JC_OK;
    int64_t n = jc_cuda_operand_at(w->impl, term->operand)->in, y;
    jc_status status = jc_cuda_operand_identity(w->program, n, &identity);
    if (status) return status;
    jc_cuda_term unit = term_of(w, identity, 0, term->a, rows, term->expand);
    status = form_first(w, &unit, rows, &y);
    term->a = y, term->expand = 0;
    return status;
}

/* A product with a fold. A segment takes all rows of a step that leaves one, since every step has whole seeds. */
static jc_status folded_term(lowering *w, const jc_step *step, int64_t group, jc_direction direction,
                             const jc_fold *fold, jc_cuda_term *term)
{
    const jc_layout *layout = &w->program->layout;
    term->route = JC_CUDA_ANY;
    if (!term->expand)
        term->a =
            layout->offset[step->a] / layout->element_bytes + step->a_row * w->program->plan->values[step->a].cols;
    return jc_cuda_operand_find_fold(w->program, &w->table, group, term->member, direction, fold, &term->operand);
}

static int32_t expands(const jc_step *step)
{
    if (step->a != JC_SEED_IDENTITY) return 0;
    return step->whole ? JC_GPU_EXPAND_WHOLE : JC_GPU_EXPAND_WINDOW;
}

/* Rows [row, row + rows) of a step's product. A row of A is what the Jacobian takes, which is not always a row of the
 * value: one may be read as a single row. */
static jc_status term_of_step(lowering *w, const jc_step *step, int64_t row, int64_t rows, jc_cuda_term *term)
{
    int64_t member, group;
    const jc_group *g = jc_program_jacobian(w->program, step->b, &group, &member);
    jc_direction direction = jc_shape_direction(&g->shape, step->transpose ? JC_TANGENT : JC_ADJOINT);
    int64_t in = step->transpose ? g->shape.cols : g->shape.rows, skip = step->a_row + row - step->c_row;
    const jc_fold *fold = jc_plan_fold(w->program->plan, step);
    *term = (jc_cuda_term){.member = member, .expand = expands(step)};
    term->a = skip;
    if (!term->expand) term->a = w->program->layout.offset[step->a] / w->program->layout.element_bytes + skip * in;
    if (fold) return folded_term(w, step, group, direction, fold, term);
    if (g->shape.kind == JC_LOW_RANK && g->has_numbers) return low_rank_term(w, group, direction, term, rows);
    jc_status status = jc_cuda_operand_find(w->program, &w->table, group, member, 0, direction, &term->operand);
    if (status) return status;
    if (!term->expand) ((jc_cuda_operand *)w->impl->operands.data)[term->operand].in_products = true;
    *term = term_of(w, term->operand, member, term->a, rows, term->expand);
    return term->route == JC_CUDA_OPERATOR ? operator_term(w, term, rows) : JC_OK;
}

/* ---- one segment ------------------------------------------------------------------------------------------------- */

static jc_status add_callback(lowering *w, jc_cuda_segment *segment, const jc_cuda_term *term)
{
    jc_cuda_callback c = {term->operand, term->member, term->a, segment->y, segment->rows, segment->written};
    segment->written = true;
    return jc_vec_append(&w->program->allocator, &w->level.callbacks, &c, 1, WHAT);
}

/* Gathers first, then the calls of cuBLAS, then the callbacks: each adds to what is written before. */
static jc_status add_segment(lowering *w, jc_cuda_segment *segment)
{
    const jc_cuda_term *terms = w->terms.data;
    int64_t n = w->terms.count;
    jc_status status = jc_cuda_add_gathers(&w->level, segment, terms, n, false);
    for (int64_t i = 0; i < n && !status; i++)
        if (terms[i].route == JC_CUDA_BLAS) status = jc_cuda_add_calls(&w->level, segment, &terms[i], false);
    for (int64_t i = 0; i < n && !status; i++)
        if (terms[i].route == JC_CUDA_OPERATOR) status = add_callback(w, segment, &terms[i]);
    return status;
}

/* Rows [row, row + rows) of value v, which the steps numbered numbers[0..n) cover (NULL: all of the value's). */
static jc_status lower_segment(lowering *w, int64_t v, int64_t row, int64_t rows, const int64_t *numbers, int64_t n)
{
    const jc_plan *plan = w->program->plan;
    const jc_value *value = &plan->values[v];
    jc_cuda_segment segment = {.rows = rows, .cols = value->cols};
    segment.y = w->program->layout.offset[v] / w->program->layout.element_bytes + row * value->cols;
    w->terms.count = 0;
    for (int64_t i = 0; i < n; i++) {
        const jc_step *step = &plan->steps[value->first_step + (numbers ? numbers[i] : i)];
        jc_cuda_term term;
        jc_status status = term_of_step(w, step, row, rows, &term);
        if (!status) status = jc_vec_append(&w->program->allocator, &w->terms, &term, 1, WHAT);
        if (status) return status;
    }
    return add_segment(w, &segment);
}

/* ---- one value --------------------------------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The rows where steps begin or end, each once, in order. */
static jc_status find_bounds(lowering *w, const jc_step *steps, int64_t n)
{
    w->bounds.count = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t ends[2] = {steps[i].c_row, steps[i].c_row + steps[i].n_rows};
        jc_status status = jc_vec_append(&w->program->allocator, &w->bounds, ends, 2, WHAT);
        if (status) return status;
    }
    int64_t *bounds = w->bounds.data, kept = 0;
    qsort(bounds, (size_t)w->bounds.count, sizeof *bounds, compare_numbers);
    for (int64_t i = 0; i < w->bounds.count; i++)
        if (!kept || bounds[i] != bounds[kept - 1]) bounds[kept++] = bounds[i];
    w->bounds.count = kept;
    return JC_OK;
}

static int64_t segment_at(const lowering *w, int64_t row)
{
    const int64_t *bounds = w->bounds.data;
    int64_t low = 0, high = w->bounds.count - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (bounds[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The steps of each segment, in their order: counted, then placed. */
static jc_status sort_steps(lowering *w, const jc_step *steps, int64_t n)
{
    const jc_allocator *a = &w->program->allocator;
    int64_t n_segments = w->bounds.count - 1, total = 0;
    w->starts.count = w->steps.count = 0;
    jc_status status = jc_vec_append(a, &w->starts, NULL, n_segments + 1, WHAT);
    if (status) return status;
    int64_t *starts = w->starts.data;
    for (int64_t i = 0; i < n; i++) {
        int64_t end = segment_at(w, steps[i].c_row + steps[i].n_rows);
        for (int64_t k = segment_at(w, steps[i].c_row); k < end; k++) starts[k + 1]++, total++;
    }
    for (int64_t k = 0; k < n_segments; k++) starts[k + 1] += starts[k];
    if ((status = jc_vec_append(a, &w->steps, NULL, total, WHAT))) return status;
    int64_t *placed = w->steps.data;
    for (int64_t i = n; i-- > 0;) {
        int64_t end = segment_at(w, steps[i].c_row + steps[i].n_rows);
        for (int64_t k = segment_at(w, steps[i].c_row); k < end; k++) placed[--starts[k + 1]] = i;
    }
    return JC_OK;
}

/* The numbers of a sparse Jacobian may be none. */
static jc_status lower_value(lowering *w, int64_t v)
{
    const jc_plan *plan = w->program->plan;
    const jc_value *value = &plan->values[v];
    int64_t n;
    const jc_step *steps = jc_plan_steps_of(plan, v, &n);
    bool whole = true;
    if (!value->rows || !value->cols) return JC_OK;
    for (int64_t i = 0; i < n; i++) whole = whole && steps[i].c_row == 0 && steps[i].n_rows == value->rows;
    if (whole) return lower_segment(w, v, 0, value->rows, NULL, n);
    jc_status status = find_bounds(w, steps, n);
    if (!status) status = sort_steps(w, steps, n);
    /* placing moved each segment's start to its own place: starts[k + 1] is where segment k begins */
    for (int64_t k = 0; k + 1 < w->bounds.count && !status; k++) {
        const int64_t *bounds = w->bounds.data, *starts = w->starts.data, *placed = w->steps.data;
        int64_t begin = starts[k + 1], end = k + 2 < w->bounds.count ? starts[k + 2] : w->steps.count;
        if (begin == end) continue;
        status = lower_segment(w, v, bounds[k], bounds[k + 1] - bounds[k], placed + begin, end - begin);
    }
    return status;
}

/* ---- one level --------------------------------------------------------------------------------------------------- */

static const struct {
    int form, lanes;
} bins[JC_CUDA_BINS] = {
    {JC_GPU_GATHER_ROW, 32}, {JC_GPU_GATHER_ROW, 256}, {JC_GPU_GATHER_ROWS, 0},  {JC_GPU_GATHER_ANY, 1},
    {JC_GPU_GATHER_ANY, 8},  {JC_GPU_GATHER_ANY, 32},  {JC_GPU_GATHER_ANY, 1},   {JC_GPU_GATHER_ANY, 8},
    {JC_GPU_GATHER_ANY, 32}, {JC_GPU_GATHER_ROW, 32},  {JC_GPU_GATHER_ROW, 256}, {JC_GPU_GATHER_ROWS, 0},
    {JC_GPU_GATHER_ANY, 1},  {JC_GPU_GATHER_ANY, 8},   {JC_GPU_GATHER_ANY, 32},  {JC_GPU_GATHER_ANY, 1},
    {JC_GPU_GATHER_ANY, 8},  {JC_GPU_GATHER_ANY, 32},
};

static jc_status flush_bins(lowering *w, int first, int end)
{
    jc_cuda_level *level = &w->level;
    jc_status status = JC_OK;
    for (int b = first; b < end && !status; b++) {
        jc_vec *tiles = &level->bin[b];
        if (!tiles->count) continue;
        jc_cuda_op op = {.kind = JC_CUDA_OP_GATHER, .form = bins[b].form, .lanes = bins[b].lanes, .bin = b};
        op.level = level->level, op.first = w->impl->tiles.count, op.count = tiles->count;
        op.bytes = level->bytes[b], op.madds = level->madds[b], op.computed = level->computed[b];
        status = jc_vec_append(&w->program->allocator, &w->impl->tiles, tiles->data, tiles->count, WHAT);
        if (!status) status = jc_cuda_add_op(w->program, &op);
        tiles->count = 0;
        level->bytes[b] = level->madds[b] = 0;
        level->computed[b] = false;
    }
    return status;
}

static jc_status flush_callbacks(lowering *w)
{
    jc_vec *callbacks = &w->level.callbacks;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < callbacks->count && !status; i++) {
        const jc_cuda_callback *c = (const jc_cuda_callback *)callbacks->data + i;
        const jc_cuda_operand *o = jc_cuda_operand_at(w->impl, c->operand);
        jc_cuda_op op = {.kind = JC_CUDA_OP_CALLBACK, .level = w->level.level, .count = 1};
        op.first = w->impl->callbacks.count;
        op.bytes = (double)(c->rows * (o->in + o->out) * w->program->layout.element_bytes);
        status = jc_vec_append(&w->program->allocator, &w->impl->callbacks, c, 1, WHAT);
        if (!status) status = jc_cuda_add_op(w->program, &op);
    }
    callbacks->count = 0;
    return status;
}

static jc_status flush_level(lowering *w)
{
    jc_status status = flush_bins(w, JC_CUDA_BINS_FIRST, JC_CUDA_BINS_DENSE);
    if (!status) status = jc_cuda_flush_calls(&w->level, &w->level.first_calls);
    if (!status) status = flush_bins(w, JC_CUDA_BINS_DENSE, JC_CUDA_BINS);
    if (!status) status = jc_cuda_flush_calls(&w->level, &w->level.calls);
    if (!status) status = flush_callbacks(w);
    return status;
}

/* Bytes of the Jacobians of a level: how much there is for the device to do at once. */
static int64_t level_bytes(const jc_program *program, int64_t l)
{
    const jc_plan *plan = program->plan;
    int64_t bytes = 0;
    for (int64_t s = plan->values[plan->levels[l]].first_step; s < plan->values[plan->levels[l + 1]].first_step; s++)
        bytes = jc_cost_add(bytes, jc_program_member_bytes(program, jc_plan_group_number(plan, plan->steps[s].b)));
    return bytes;
}

static jc_status lower_level(lowering *w, int64_t l)
{
    const jc_plan *plan = w->program->plan;
    jc_status status = JC_OK;
    w->level.level = l;
    w->level.temps = 0;
    w->level.gather_bytes = level_bytes(w->program, l);
    for (int64_t v = plan->levels[l]; v < plan->levels[l + 1] && !status; v++) status = lower_value(w, v);
    if (!status && w->impl->api->dead)
        status = jc_vec_append(&w->program->allocator, &w->impl->temps, &w->level.temps, 1, WHAT);
    return status ? status : flush_level(w);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static void lowering_init(lowering *w, jc_program *program)
{
    *w = (lowering){.program = program, .impl = program->impl};
    w->level.program = program;
    for (int b = 0; b < JC_CUDA_BINS; b++) w->level.bin[b] = jc_vec_of(sizeof(jc_gpu_tile));
    w->level.calls = w->level.first_calls = jc_vec_of(sizeof(jc_cuda_product));
    w->level.callbacks = jc_vec_of(sizeof(jc_cuda_callback));
    w->bounds = w->starts = w->steps = jc_vec_of(sizeof(int64_t));
    w->terms = jc_vec_of(sizeof(jc_cuda_term));
}

static void lowering_fini(lowering *w)
{
    const jc_allocator *a = &w->program->allocator;
    for (int b = 0; b < JC_CUDA_BINS; b++) jc_vec_free(a, &w->level.bin[b]);
    jc_vec_free(a, &w->level.calls);
    jc_vec_free(a, &w->level.first_calls);
    jc_vec_free(a, &w->level.callbacks);
    jc_vec_free(a, &w->bounds);
    jc_vec_free(a, &w->starts);
    jc_vec_free(a, &w->steps);
    jc_vec_free(a, &w->terms);
    jc_cuda_operand_table_fini(w->program, &w->table);
}

/* From here on members are counted from the first that the plan uses. */
static void rebase_members(jc_cuda_program *impl)
{
    jc_gpu_term *terms = impl->terms.data;
    jc_cuda_product *products = impl->products.data;
    jc_cuda_pointer *pointers = impl->pointers.data;
    for (int64_t i = 0; i < impl->terms.count; i++) {
        const jc_cuda_operand *o = jc_cuda_operand_at(impl, terms[i].source);
        if (o->group != JC_CUDA_NO_GROUP) terms[i].member -= o->first_member;
    }
    for (int64_t i = 0; i < impl->products.count; i++)
        products[i].member -= jc_cuda_operand_at(impl, products[i].operand)->first_member;
    for (int64_t i = 0; i < impl->pointers.count; i++)
        if (pointers[i].operand >= 0) pointers[i].at -= jc_cuda_operand_at(impl, pointers[i].operand)->first_member;
}

jc_status jc_cuda_lower(jc_program *program)
{
    lowering w;
    lowering_init(&w, program);
    jc_status status = jc_cuda_operand_table_init(program, &w.table);
    for (int64_t l = 0; l < program->plan->n_levels && !status; l++) status = lower_level(&w, l);
    if (!status) status = jc_cuda_operand_table_keep(program, &w.table);
    lowering_fini(&w);
    if (!status) rebase_members(program->impl);
    return status;
}
