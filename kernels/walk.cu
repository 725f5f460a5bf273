/* A run of gathers (phases) by one cluster of blocks, one after the other.
 *
 * Who does what. A phase of one tile is narrow: block 0 does it. Between two narrow phases a barrier of block 0 is
 * enough; otherwise all blocks meet, so that what one wrote the others read. The other blocks pass over narrow phases.
 * A wide phase deals its tiles out: to blocks where there are few, else to warps. A row tile of a block is cut into
 * eight slabs of columns, a warp each: no warp waits for another inside a phase, so a phase costs one barrier.
 *
 * What is fetched ahead. In narrow phases of dense row tiles, which are the steps of a chain, all but the vector is
 * known long before: warp 0 reads the descriptions of the next 32 phases, a lane each, tile, term and source one after
 * the other with some phases between, so that no load is waited for, and leaves what a step needs in shared memory.
 * Every warp then copies its slab of the Jacobian of the step RING ahead into a ring of its own in shared memory
 * (cp.async). The row a step forms also stays in shared memory for the next. So a step reads nothing from global memory
 * that it waits for: a barrier, shared memory reads of the slab and of the row, multiply-adds, a few shuffles, a store.
 * For 64 x 64 in f32 a warp's slab is 2 KiB, a step 16 KiB; 8 steps under way are 128 KiB for one multiprocessor, which
 * covers its share of the latency of memory (64 bytes a clock over about 1200 clocks are 77 KiB).
 * Slabs too large for the ring, and other terms than the first, are asked for in L2, and read from there.
 * Before a wide phase each block asks for its tiles' descriptions and Jacobians between arriving at the barrier and
 * waiting there.
 *
 * As compiled for sm_90: about 175 registers (one block a multiprocessor), nothing spilled, copies by
 * LDGSTS.E.BYPASS.128. The barrier of the cluster is MEMBAR.ALL.GPU, UCGABAR_ARV, UCGABAR_WAIT, CCTL.IVALL: writes
 * reach L2 before it, L1 is emptied after.
 *
 * Order of a sum: as in row.h for one warp and any.h for the whole block (or one warp, where tiles are dealt to warps).
 */
#include "kernels/any.h"
#include "kernels/row.h"

namespace jc
{

enum { WALK_THREADS = 256, WALK_WARPS = 8, BATCH = 32, STEPS = 3 * BATCH, WALK_MAX = ROW_MAX };

/* Slots of a warp's ring: what a warp has under way. */
template <class R> struct ring {
    static const int slots = sizeof(R) == 8 ? 4 : 8;
    static JC_DEVICE int slot_bytes(const jc_gpu_launch &work)
    {
        return work.ring / slots;
    }
};

/* A step of a chain as its warps need it. unit 0: not one (or one whose slabs do not fit): the rest may be empty. */
struct alignas(16) walk_step {
    uint64_t panel; /* address of the first number of D: first product, first column of the tile */
    int64_t y, a;   /* elements of the arena: of the tile, of the first product's input */
    int64_t ld;     /* of D */
    int32_t n, columns, n_terms, dtype;
    int32_t adjoint, add;
    int32_t unit; /* bytes of an asynchronous copy: 16, 8 or 4 */
    int32_t size; /* bytes of a number; 0: the phase is no dense row of one tile */
};

/* The phases a warp's lanes hold: phase base + lane. */
struct phase_batch {
    int32_t first_low, first_high, n_tiles, form_lanes;
};

struct phase_now {
    int64_t first_tile;
    int32_t n_tiles;
    int form, lanes;
};

JC_DEVICE phase_batch load_phases(const jc_gpu_launch &work, int64_t base)
{
    phase_batch b = {0, 0, 0, 0};
    if (base + lane_x() >= work.n_phases) return b;
    const int32_t *words = reinterpret_cast<const int32_t *>(work.phases + base + lane_x());
    b.first_low = load_const(words), b.first_high = load_const(words + 1);
    b.n_tiles = load_const(words + 2), b.form_lanes = load_const(words + 3);
    return b;
}

JC_DEVICE phase_now phase_of_lane(const phase_batch &b)
{
    return {(int64_t)((uint64_t)(uint32_t)b.first_high << 32 | (uint32_t)b.first_low), b.n_tiles, (int16_t)b.form_lanes,
            b.form_lanes >> 16};
}

JC_DEVICE phase_now phase_at(const phase_batch &b, int lane)
{
    const phase_batch one = {shuffle(b.first_low, lane), shuffle(b.first_high, lane), shuffle(b.n_tiles, lane),
                             shuffle(b.form_lanes, lane)};
    return phase_of_lane(one);
}

/* Columns of a tile that a warp forms. */
JC_DEVICE int slab_columns(int32_t columns)
{
    return columns <= 8 * WALK_WARPS ? 8 : 16;
}

JC_DEVICE int number_bytes(int dtype)
{
    return dtype == JC_GPU_F64 ? 8 : dtype == JC_GPU_F32 ? 4 : 2;
}

/* ---- steps: what is known of phases to come ---------------------------------------------------------------------- */

/* What of a phase is read to make a step of it, in shared memory. n_terms of the tile 0: it is not a step. */
struct looking {
    jc_gpu_tile tile;
    jc_gpu_term term;
    jc_gpu_source source;
};
static_assert(sizeof(looking) % 8 == 0, "copied by eights");

template <class V> JC_DEVICE void copy_eights(V *to, const V *from)
{
    for (size_t i = 0; i < sizeof(V); i += 8)
        async_copy<8>(reinterpret_cast<char *>(to) + i, reinterpret_cast<const char *>(from) + i);
}

/* The largest unit of a copy that divides all of `bits`. */
JC_DEVICE int copy_unit(uint64_t bits)
{
    return bits % 16 == 0 ? 16 : bits % 8 == 0 ? 8 : bits % 4 == 0 ? 4 : 0;
}

template <class R> JC_DEVICE walk_step step_of(const jc_gpu_launch &work, const looking &l)
{
    walk_step s = {};
    if (l.tile.n_terms == 0) return s;
    const jc_gpu_source &d = l.source;
    const jc_gpu_tile &tile = l.tile;
    const bool adjoint = d.direction == JC_GPU_ADJOINT;
    const int64_t n_in = adjoint ? d.p : d.q, n_out = adjoint ? d.q : d.p;
    const int64_t block = d.batch == 1 ? 0 : quotient(tile.column, n_out), c = tile.column - block * n_out;
    const int64_t first = l.term.member * d.member_stride + block * d.block_stride +
                          (adjoint ? tile.from * d.ld + c : c * d.ld + tile.from);
    const int64_t n = max_of(min_of(tile.to, n_in) - tile.from, 0);
    s.size = number_bytes(d.dtype);
    s.panel = reinterpret_cast<uint64_t>(d.numbers) + first * s.size;
    s.y = tile.y;
    s.a = l.term.a + (tile.row * d.batch + block) * n_in + tile.from;
    s.ld = d.ld;
    s.columns = tile.columns;
    s.n_terms = tile.n_terms;
    s.dtype = d.dtype;
    s.adjoint = adjoint;
    s.add = tile.add;
    const int64_t width = adjoint ? tile.columns : n;
    const int room = ring<R>::slot_bytes(work);
    if (n <= room && n * slab_columns(tile.columns) * s.size <= room)
        s.unit = copy_unit(s.panel | (uint64_t)(d.ld * s.size) | (uint64_t)(width * s.size));
    s.n = (int32_t)min_of(n, INT32_MAX);
    return s;
}

/* A part, 0 to 3, of making the step of phase k, by a lane of warp 0. A part finds in shared memory what the one before
 * has asked for: its copies have been waited for. */
template <class R>
JC_APART void look_ahead(const jc_gpu_launch &work, int64_t k, const phase_now phase, int part, looking *l,
                         walk_step *steps)
{
    const bool row = k < work.n_phases && phase.n_tiles == 1 && phase.form == JC_GPU_GATHER_ROW;
    if (part == 0) {
        if (row) copy_eights(&l->tile, work.tiles + phase.first_tile);
        return;
    }
    const bool step = row && shared_load(&l->tile.n_terms) > 0;
    if (part == 1 && step) copy_eights(&l->term, work.terms + shared_load(&l->tile.first_term));
    if (part == 2 && step) copy_eights(&l->source, work.sources + shared_load(&l->term.source));
    if (part < 3 || k >= work.n_phases) return;
    looking all = {};
    if (step) all = shared_load(l);
    shared_store(steps + k % STEPS, step_of<R>(work, all));
}

/* ---- copies ahead ------------------------------------------------------------------------------------------------ */

/* A warp's slab of a step: `lines` rows of D, `bytes` of each, line_bytes apart, from `at` on. */
struct slab {
    uint64_t at;
    int64_t line_bytes;
    int32_t lines, bytes, columns;
};

JC_DEVICE slab slab_of(const walk_step &s, int warp)
{
    const int32_t wide = slab_columns(s.columns), first = warp * wide, left = s.columns - first;
    const int32_t columns = left < 0 ? 0 : left < wide ? left : wide;
    slab b;
    b.line_bytes = s.ld * s.size;
    b.at = s.panel + (s.adjoint ? (int64_t)first * s.size : first * b.line_bytes);
    b.lines = s.adjoint ? s.n : columns;
    b.bytes = (s.adjoint ? columns : s.n) * s.size;
    b.columns = columns;
    if (columns == 0) b.lines = 0;
    return b;
}

template <int UNIT> JC_DEVICE void copy_slab(const slab &b, unsigned char *slot)
{
    const uint32_t each = (uint32_t)b.bytes / UNIT, total = (uint32_t)b.lines * each;
    JC_UNROLL_BY(1)
    for (uint32_t i = (uint32_t)lane_x(); i < total; i += 32) {
        const uint32_t line = i / each, at = (i - line * each) * UNIT;
        async_copy<UNIT>(slot + (size_t)line * (uint32_t)b.bytes + at,
                         reinterpret_cast<const void *>(b.at + (uint64_t)(line * b.line_bytes) + at));
    }
}

enum { LINE = 128 };

/* Asks for the lines of a slab in L2: at most 8 a lane. */
JC_DEVICE void touch_slab(const slab &b)
{
    const int64_t each = (b.bytes + LINE - 1) / LINE, total = min_of(b.lines * each, 8 * 32);
    JC_UNROLL_BY(1)
    for (int64_t i = lane_x(); i < total; i += 32) {
        const int64_t line = quotient(i, each);
        prefetch(reinterpret_cast<const void *>(b.at + (uint64_t)(line * b.line_bytes + (i - line * each) * LINE)));
    }
}

JC_DEVICE void fetch_ahead(const walk_step &s, unsigned char *slot)
{
    const slab b = slab_of(s, warp_x());
    if (s.unit == 16)
        copy_slab<16>(b, slot);
    else if (s.unit == 8)
        copy_slab<8>(b, slot);
    else if (s.unit == 4)
        copy_slab<4>(b, slot);
    else if (s.size && b.lines)
        touch_slab(b);
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

/* The row that the step before left in shared memory: elements [y, y + columns) of the arena; columns 0: none. */
template <class R> struct held_row {
    R *row;
    int64_t y;
    int32_t columns;
};

/* The first term's product with the slab in the slot; D by rows of `width` numbers. */
template <class W, class N, bool FOURS, class A>
JC_DEVICE void add_slot(const walk_step &s, const N *d, const typename W::real *a, int32_t columns, int drop,
                        row_sums<W> &sums)
{
    typedef typename W::real real;
    const int across = lanes_across(s.adjoint ? columns : s.n), at = lane_x() % across, row = lane_x() / across;
    const int rows = 32 / across;
    if (s.adjoint) {
        const int32_t left = s.n > row ? (s.n - row + rows - 1) / rows : 0;
        add_rows<W, N, FOURS, from_shared, A>(a + row, d + row * columns + 4 * at, rows, rows * columns, left,
                                              columns - 4 * at, drop, sums.mine);
        return;
    }
    for (int32_t base = 0; base < columns; base += 4 * rows) {
        real four[4] = {};
        const int32_t c = base + row, there = columns > c ? (columns - c + rows - 1) / rows : 0;
        int index;
        add_columns<W, N, FOURS, from_shared, A>(a + 4 * at, d + c * s.n + 4 * at, rows * s.n, 4 * across, s.n - 4 * at,
                                                 there, drop, four);
        const real one = sum_of_four(four, 1, across, &index);
        add_to_shared(sums, four, one, index, at % (across < 4 ? across : across / 4) == 0, c, rows, columns);
    }
    warp_barrier();
}

template <class W, class A>
JC_DEVICE void add_slot_of(const walk_step &s, const unsigned char *slot, const typename W::real *a, int32_t columns,
                           int drop, row_sums<W> &sums)
{
    with_number(s.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        const N *d = reinterpret_cast<const N *>(slot);
        if ((s.adjoint ? columns : s.n) % 4 == 0)
            add_slot<W, N, true, A>(s, d, a, columns, drop, sums);
        else
            add_slot<W, N, false, A>(s, d, a, columns, drop, sums);
    });
}

/* A function of its own: steps seldom read other rows than that of the step before. */
template <class W>
JC_APART row_sums<W> add_slot_from_arena(const walk_step s, const unsigned char *slot, const typename W::real *a,
                                         int32_t columns, int drop, row_sums<W> sums)
{
    add_slot_of<W, from_global>(s, slot, a, columns, drop, sums);
    return sums;
}

template <class R>
JC_DEVICE void write_slab(const jc_gpu_launch &work, int64_t y, bool add, const R *sums, int32_t columns, R *held)
{
    R *to = static_cast<R *>(work.arena) + y;
    for (int32_t c = lane_x(); c < columns; c += 32) {
        const R sum = shared_load(sums + c), all = add ? load(to + c) + sum : sum;
        store(to + c, all);
        if (held) shared_store(held + c, all);
    }
}

/* `columns` of the tile's columns after the first `skip`, by one warp, from term number `done` on: `sums` are those of
 * the terms before. held: where in shared memory the columns are left too, or NULL. */
template <class W>
JC_APART void finish_slab(const jc_gpu_launch &work, const jc_gpu_tile *tile, int32_t done, int32_t skip,
                          int32_t columns, row_sums<W> sums, typename W::real *held)
{
    const uint32_t words = load_words(tile, TILE_WORDS);
    const int32_t n_terms = word_32(words, offsetof(jc_gpu_tile, n_terms));
    const int64_t first_term = word_64(words, offsetof(jc_gpu_tile, first_term));
    const uint32_t terms = done < n_terms ? load_term_words(work, first_term, done, n_terms) : 0;
    add_terms(work, words, terms, done, skip, columns, 0, 1, sums);
    finish_warp(sums, columns);
    warp_barrier();
    write_slab(work, word_64(words, offsetof(jc_gpu_tile, y)) + skip, word_32(words, offsetof(jc_gpu_tile, add)) != 0,
               sums.shared, columns, held);
    warp_barrier();
}

/* The warp's slab of a step whose slab is in the slot. */
template <class W>
JC_DEVICE void take_step(const jc_gpu_launch &work, const walk_step &s, int64_t tile, const unsigned char *slot,
                         typename W::real *shared, const held_row<typename W::real> &before, typename W::real *held)
{
    typedef typename W::real real;
    const slab b = slab_of(s, warp_x());
    const int32_t skip = warp_x() * slab_columns(s.columns);
    const int drop = mode_drop(work.mode);
    if (b.columns == 0) return;
    row_sums<W> sums = {{}, shared, false};
    if (!s.adjoint) begin_shared(sums);
    if (s.a >= before.y && s.a + s.n <= before.y + before.columns)
        add_slot_of<W, from_shared>(s, slot, before.row + (s.a - before.y), b.columns, drop, sums);
    else
        sums = add_slot_from_arena<W>(s, slot, static_cast<const real *>(work.arena) + s.a, b.columns, drop, sums);
    if (s.n_terms > 1) {
        finish_slab<W>(work, work.tiles + tile, 1, skip, b.columns, sums, held + skip);
        return;
    }
    finish_warp(sums, b.columns);
    warp_barrier();
    write_slab(work, s.y + skip, s.add != 0, sums.shared, b.columns, held + skip);
}

/* ---- tiles of other phases --------------------------------------------------------------------------------------- */

/* How the tiles of a phase are dealt out: `first`, then `step` further, of them to this block's warps together or to
 * this warp. */
struct deal {
    int64_t first, step;
    bool to_warps;
};

JC_DEVICE deal deal_out(const jc_gpu_launch &work, const phase_now &phase)
{
    if (phase.n_tiles <= 2 * work.cluster) return {block_x(), work.cluster, false};
    return {block_x() + (int64_t)work.cluster * warp_x(), (int64_t)work.cluster * WALK_WARPS, true};
}

template <class W> JC_APART void any_tile_apart(const jc_gpu_launch &work, const jc_gpu_tile *tile, const crew who)
{
    any_tile<W>(work, arrays_of<W>(work), tile, who);
}

template <class W> JC_APART void do_tiles(const jc_gpu_launch &work, const phase_now phase, typename W::real *shared)
{
    const deal mine = deal_out(work, phase);
    const crew block = {thread_x(), WALK_THREADS, phase.lanes}, warp = {lane_x(), 32, phase.lanes};
    typename W::real *none = nullptr;
    for (int64_t t = mine.first; t < phase.n_tiles; t += mine.step) {
        const jc_gpu_tile *tile = work.tiles + phase.first_tile + t;
        if (phase.form == JC_GPU_GATHER_ANY) {
            any_tile_apart<W>(work, tile, mine.to_warps ? warp : block);
            continue;
        }
        const int32_t columns = load_const(&tile->columns);
        const int32_t wide = mine.to_warps ? columns : slab_columns(columns);
        const int32_t skip = mine.to_warps ? 0 : warp_x() * wide, left = columns - skip;
        const row_sums<W> sums = {{}, shared, false};
        if (left > 0) finish_slab<W>(work, tile, 0, skip, left < wide ? left : wide, sums, none);
    }
}

template <class V> JC_DEVICE V load_all(const V *p)
{
    V v;
    uint64_t w[sizeof(V) / 8];
    JC_UNROLL
    for (size_t i = 0; i < sizeof(V) / 8; i++) w[i] = load_const(reinterpret_cast<const uint64_t *>(p) + i);
    memcpy(&v, w, sizeof v);
    return v;
}

/* Asks for the descriptions of this warp's first tiles of a phase, and of a dense row's first Jacobian. */
template <class R> JC_APART void touch_tiles(const jc_gpu_launch &work, const phase_now phase)
{
    const deal mine = deal_out(work, phase);
    for (int64_t t = mine.first; t < min_of(phase.n_tiles, mine.first + 2 * mine.step); t += mine.step) {
        const jc_gpu_tile *tile = work.tiles + phase.first_tile + t;
        prefetch(tile);
        if (load_const(&tile->n_terms) == 0) continue;
        const jc_gpu_term *term = work.terms + load_const(&tile->first_term);
        prefetch(term);
        if (phase.form != JC_GPU_GATHER_ROW) continue;
        const looking l = {load_all(tile), load_all(term), load_all(work.sources + load_const(&term->source))};
        touch_slab(slab_of(step_of<R>(work, l), mine.to_warps ? 0 : warp_x()));
    }
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

/* What block 0's warps have in shared memory. */
template <class R> struct walk_memory {
    walk_step *steps;    /* [STEPS] */
    looking *looks;      /* [BATCH] */
    R *held;             /* [2 WALK_MAX]: rows of the last two steps */
    R *sums;             /* of the warp */
    unsigned char *ring; /* of the warp, [work.ring] */
};

/* All parts of the steps of the batch from phase `base` on. */
template <class R>
JC_DEVICE void look_at_once(const jc_gpu_launch &work, const walk_memory<R> &memory, int64_t base,
                            const phase_batch &batch)
{
    const phase_now mine = phase_of_lane(batch);
    for (int part = 0; part < 4; part++) {
        look_ahead<R>(work, base + lane_x(), mine, part, memory.looks + lane_x(), memory.steps);
        async_close();
        async_wait<0>();
    }
}

/* The steps of the first two batches, and the first copies. */
template <class R>
JC_DEVICE void begin_walk(const jc_gpu_launch &work, const walk_memory<R> &memory, const phase_batch &first,
                          const phase_batch &second)
{
    if (warp_x() == 0) {
        look_at_once(work, memory, 0, first);
        look_at_once(work, memory, BATCH, second);
    }
    block_barrier();
    JC_UNROLL_BY(1)
    for (int k = 0; k < ring<R>::slots; k++) {
        if (k < work.n_phases) fetch_ahead(shared_load(memory.steps + k), memory.ring + k * ring<R>::slot_bytes(work));
        async_close();
    }
}

/* After phase k: a part of looking at the batch after the next, and the copy that takes the slot of phase k. The parts
 * are as many phases apart as a warp has groups of copies open. */
template <class R>
JC_DEVICE void go_ahead(const jc_gpu_launch &work, const walk_memory<R> &memory, int64_t k, const phase_batch &later)
{
    const int in_batch = (int)(k % BATCH);
    if (warp_x() == 0 && in_batch % ring<R>::slots == 0 && in_batch < 4 * ring<R>::slots)
        look_ahead<R>(work, k - in_batch + 2 * BATCH + lane_x(), phase_of_lane(later), in_batch / ring<R>::slots,
                      memory.looks + lane_x(), memory.steps);
    warp_barrier();
    const int64_t next = k + ring<R>::slots;
    if (next < work.n_phases)
        fetch_ahead(shared_load(memory.steps + next % STEPS),
                    memory.ring + next % ring<R>::slots * ring<R>::slot_bytes(work));
    async_close();
}

/* Phase k, and what the next may read of it from shared memory. */
template <class W>
JC_DEVICE held_row<typename W::real> do_phase(const jc_gpu_launch &work, const walk_memory<typename W::real> &memory,
                                              const phase_now &phase, int64_t k,
                                              const held_row<typename W::real> &before)
{
    typedef typename W::real real;
    real *held = memory.held + k % 2 * WALK_MAX;
    if (block_x() == 0) {
        const walk_step s = shared_load(memory.steps + k % STEPS);
        if (s.unit) {
            take_step<W>(work, s, phase.first_tile, memory.ring + k % ring<real>::slots * ring<real>::slot_bytes(work),
                         memory.sums, before, held);
            return {held, s.y, s.columns};
        }
    }
    do_tiles<W>(work, phase, memory.sums);
    return {held, 0, 0};
}

/* The barrier before a phase; what is written before is read after. */
template <class R> JC_DEVICE void meet(const jc_gpu_launch &work, const phase_now &phase, bool alone)
{
    if (work.cluster == 1 || alone) {
        block_barrier();
        return;
    }
    cluster_arrive();
    if (phase.n_tiles > 1) touch_tiles<R>(work, phase);
    cluster_wait();
}

template <class W> JC_KERNEL(WALK_THREADS, 1) walk(JC_WORK)
{
    typedef typename W::real real;
    JC_SHARED(walk_step, steps, STEPS);
    JC_SHARED(looking, looks, BATCH);
    JC_SHARED(real, held, 2 * WALK_MAX);
    JC_SHARED(real, sums, WALK_WARPS * WALK_MAX);
    const walk_memory<real> memory = {steps, looks, held, sums + warp_x() * WALK_MAX,
                                      shared_dynamic() + warp_x() * work.ring};
    const bool first_block = block_x() == 0;
    phase_batch batch = load_phases(work, 0), coming = load_phases(work, BATCH), later = load_phases(work, 2 * BATCH);
    held_row<real> before = {held, 0, 0};
    bool narrow_before = first_block;
    if (first_block) begin_walk(work, memory, batch, coming);
    for (int64_t k = 0; k < work.n_phases; k++) {
        if (k && k % BATCH == 0) {
            batch = coming;
            coming = later;
            later = load_phases(work, k + 2 * BATCH);
        }
        const phase_now phase = phase_at(batch, (int)(k % BATCH));
        const bool narrow = work.cluster == 1 || phase.n_tiles <= 1, alone = narrow && (narrow_before || k == 0);
        narrow_before = narrow;
        if (first_block) async_wait<ring<real>::slots - 1>();
        if (first_block || !alone) meet<real>(work, phase, alone);
        if (first_block || !narrow) before = do_phase<W>(work, memory, phase, k, before);
        if (first_block) go_ahead(work, memory, k, later);
    }
}

static kernel_function walk_variant(const jc_gpu_launch &work)
{
    if (work.dtype == JC_GPU_F64) return walk<in_f64>;
    return work.mode == JC_GPU_FULL ? walk<in_f32> : walk<in_f32_rounded>;
}

/* Bytes of a ring: 16 KiB, or what remains of a block's shared memory beside the kernel's arrays (devices of 8.6, 8.9
 * and 12.0 have 99 KiB, 8.0 has 163, 9.0 has 227). A multiple of what copies are aligned to, for each slot. */
static int ring_bytes(int *bytes)
{
    enum { MOST = 16 * 1024, ARRAYS = 28 * 1024, GRAIN = 1024 };
    int limit;
    const int error = shared_limit(&limit);
    const int each = (limit - ARRAYS) / WALK_WARPS / GRAIN * GRAIN;
    if (!error) *bytes = each < MOST ? each : MOST;
    return error;
}

int walk_launch(const jc_gpu_launch &given, jc_gpu_stream stream)
{
    jc_gpu_launch work = given;
    const int error = ring_bytes(&work.ring);
    if (error) return error;
    const launch_shape shape = {work.cluster, WALK_THREADS, work.cluster, (size_t)work.ring * WALK_WARPS};
    return launch_kernel(walk_variant(work), shape, work, stream);
}

int walk_load()
{
    int bytes, error = ring_bytes(&bytes);
    const size_t shared = error ? 0 : (size_t)bytes * WALK_WARPS;
    if (!error) error = load_kernel(walk<in_f64>, shared);
    if (!error) error = load_kernel(walk<in_f32>, shared);
    return error ? error : load_kernel(walk<in_f32_rounded>, shared);
}

} // namespace jc
