/* The shadow of the memory: who wrote a place last, who has read it since, and whether something orders them before the
 * access at hand.
 *
 * Two operations are ordered when the clock of the later one, in the lane of the earlier one, has reached it. Within
 * one launch the places of the threads decide (jt_place). As an operation is run only when all that comes before it has
 * run, an earlier access that is not before is a race. After C. Flanagan, S. N. Freund: FastTrack (2009): a single last
 * read is enough until reads that nothing orders come together; then all of them are kept. */
#define _GNU_SOURCE
#include "standin/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define READ_SET UINT32_C(0x80000000)
#define AT_MASK UINT32_C(0x1FFFFFFF)

/* The smallest part of a grid that holds two threads. */
enum { SAME_THREAD, SAME_WARP, SAME_BLOCK, SAME_CLUSTER, SAME_GRID, LEVEL_SHIFT = 29 };

typedef struct read_set {
    uint32_t *serials; /* [n], the last one is the operation that read last */
    uint32_t n, capacity, next_free;
} read_set;

typedef struct shared_range {
    jt_block block;
} shared_range;

static read_set *sets;
static uint32_t n_sets, set_capacity, free_set; /* free_set: number + 1 */
static jt_place *places;                        /* [n_places] of the launch that runs; the first stands for none */
static uint32_t n_places, place_capacity;
static shared_range *shared; /* [n_shared] */
static int64_t n_shared, shared_capacity;

typedef struct access {
    const jt_op *op;
    jt_kernel_context *context;
    const jt_block *block;
    uint32_t at;
    bool write;
    size_t cell;
} access;

/* ---- cells ------------------------------------------------------------------------------------------------------- */

static size_t cells_of(const jt_block *b)
{
    return (b->bytes >> b->shift) + 1;
}

/* Pages that nobody touches cost nothing. */
void jt_cells_create(jt_block *b, unsigned shift)
{
    b->shift = shift;
    b->cell_bytes = cells_of(b) * sizeof *b->cells;
    void *cells = mmap(NULL, b->cell_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (cells == MAP_FAILED) abort();
    b->cells = cells;
}

void jt_cells_destroy(jt_block *b)
{
    if (b->cells) munmap(b->cells, b->cell_bytes);
    b->cells = NULL;
}

static uint32_t set_copy(uint32_t set);

/* Cells of half the size, each what the whole one was. */
static void refine(jt_block *b)
{
    jt_block old = *b;
    jt_cells_create(b, old.shift - 1);
    for (size_t i = 0; i < cells_of(&old); i++) {
        const jt_cell *c = &old.cells[i];
        if (!c->write && !c->read) continue;
        for (size_t j = 2 * i; j < 2 * i + 2 && j < cells_of(b); j++) {
            b->cells[j] = *c;
            if (j > 2 * i && (c->read & READ_SET)) b->cells[j].read = set_copy(c->read);
        }
    }
    jt_cells_destroy(&old);
}

/* ---- sets of reads ----------------------------------------------------------------------------------------------- */

static uint32_t set_take(void)
{
    if (free_set) {
        uint32_t set = free_set - 1;
        free_set = sets[set].next_free;
        return set;
    }
    if (n_sets == set_capacity) {
        set_capacity = set_capacity ? 2 * set_capacity : 64;
        sets = jt_take(sets, set_capacity * sizeof *sets);
    }
    sets[n_sets] = (read_set){0};
    return n_sets++;
}

static void set_add(uint32_t set, uint32_t serial)
{
    read_set *s = &sets[set];
    if (s->n == s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 4;
        s->serials = jt_take(s->serials, s->capacity * sizeof *s->serials);
    }
    s->serials[s->n++] = serial;
}

static void set_give(uint32_t read)
{
    if (!(read & READ_SET)) return;
    uint32_t set = read & ~READ_SET;
    sets[set].n = 0;
    sets[set].next_free = free_set;
    free_set = set + 1;
}

static uint32_t set_copy(uint32_t read)
{
    uint32_t from = read & ~READ_SET, to = set_take();
    for (uint32_t i = 0; i < sets[from].n; i++) set_add(to, sets[from].serials[i]);
    return to | READ_SET;
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

static bool before(const jt_op *op, uint32_t serial)
{
    int32_t lane = jt_device.records[serial].lane;
    return lane < op->clock.n && op->clock.at[lane] >= serial;
}

static int scope(const jt_place *a, const jt_place *b)
{
    if (a->block == b->block) {
        if (a->thread == b->thread) return SAME_THREAD;
        return a->thread / 32 == b->thread / 32 ? SAME_WARP : SAME_BLOCK;
    }
    return a->cluster >= 0 && a->cluster == b->cluster ? SAME_CLUSTER : SAME_GRID;
}

/* Whether a barrier of that part of the grid lies between. */
static bool barrier_between(const jt_place *a, const jt_place *b, int level)
{
    if (level == SAME_THREAD) return true;
    if (level == SAME_WARP) return a->phase != b->phase || a->warp_phase != b->warp_phase;
    if (level == SAME_BLOCK) return a->phase != b->phase;
    return level == SAME_CLUSTER && a->cluster_phase != b->cluster_phase;
}

/* at: of earlier accesses of this launch, whose threads are all within one part of the grid of that level. */
static bool ordered_in_launch(const access *x, uint32_t at, int *level)
{
    const jt_place *then = &places[at & AT_MASK], *now = &places[x->at];
    int between = scope(then, now);
    *level = (int)(at >> LEVEL_SHIFT);
    if (between > *level) *level = between;
    return barrier_between(then, now, *level);
}

/* ---- findings ---------------------------------------------------------------------------------------------------- */

static void race(const access *x, uint32_t serial, const char *did)
{
    char now[128], then[128], where[128];
    const jt_block *b = x->block;
    jt_op_text(x->op->serial, now);
    jt_op_text(serial, then);
    jt_place_text(b, b->base + (x->cell << b->shift), (size_t)1 << b->shift, where);
    jt_note(JT_RACE, "%s %s %s, which %s %s; nothing orders them", now, x->write ? "writes" : "reads", where, then,
            did);
}

static void kernel_race(const access *x, uint32_t at, const char *did)
{
    char now[128], where[128];
    const jt_block *b = x->block;
    const jt_place *p = &places[x->at], *q = &places[at & AT_MASK];
    jt_op_text(x->op->serial, now);
    jt_place_text(b, b->base + (x->cell << b->shift), (size_t)1 << b->shift, where);
    if (jt_device.records[x->op->serial].type == JT_OP_PRODUCT)
        jt_note(JT_ALIAS, "%s: member %lld %s %s, which member %lld %s", now, (long long)p->block,
                x->write ? "writes" : "reads", where, (long long)q->block, did);
    else
        jt_note(JT_KERNEL_RACE, "%s: block %lld thread %d phase %d %s %s, which block %lld thread %d phase %d %s", now,
                (long long)p->block, p->thread, p->phase, x->write ? "writes" : "reads", where, (long long)q->block,
                q->thread, q->phase, did);
}

static void stale(const access *x, jt_kind kind, const char *why)
{
    char now[128], where[128];
    const jt_block *b = x->block;
    jt_op_text(x->op->serial, now);
    jt_place_text(b, b->base + (x->cell << b->shift), (size_t)1 << b->shift, where);
    jt_note(kind, "%s reads %s, %s", now, where, why);
}

/* ---- one place --------------------------------------------------------------------------------------------------- */

static void check_write_before(const access *x, const jt_cell *c)
{
    int level;
    if (c->write == x->op->serial) {
        if (!ordered_in_launch(x, c->write_at, &level)) kernel_race(x, c->write_at, "wrote");
        return;
    }
    if (c->write && !before(x->op, c->write)) race(x, c->write, "wrote");
}

static void check_value(const access *x, const jt_cell *c)
{
    jt_type type = (jt_type)jt_device.records[x->op->serial].type;
    bool computes = type == JT_OP_KERNEL || type == JT_OP_PRODUCT;
    if (c->write == 0 && computes && x->block->home != JT_PINNED && jt_device.config.unwritten_is_bad)
        stale(x, JT_UNWRITTEN, "where nothing was written yet");
    if (c->write && jt_device.records[c->write].type == JT_OP_POISON) stale(x, JT_DEAD, "whose value is dead");
}

/* Reads that come before this one need not be kept: what is ordered after this one is ordered after them. */
static void note_read(const access *x, jt_cell *c)
{
    uint32_t serial = x->op->serial;
    if (c->read & READ_SET) {
        read_set *s = &sets[c->read & ~READ_SET];
        uint32_t kept = 0;
        for (uint32_t i = 0; i < s->n; i++)
            if (!before(x->op, s->serials[i])) s->serials[kept++] = s->serials[i];
        s->n = kept;
        set_add(c->read & ~READ_SET, serial);
    } else if (c->read && !before(x->op, c->read)) {
        uint32_t set = set_take();
        set_add(set, c->read);
        set_add(set, serial);
        c->read = set | READ_SET;
    } else
        c->read = serial;
    c->read_at = x->at;
}

static bool read_by(const jt_cell *c, uint32_t serial)
{
    if (!(c->read & READ_SET)) return c->read == serial;
    const read_set *s = &sets[c->read & ~READ_SET];
    return s->serials[s->n - 1] == serial;
}

static void read_cell(const access *x, jt_cell *c)
{
    int level;
    if (!read_by(c, x->op->serial)) {
        check_write_before(x, c);
        check_value(x, c);
        note_read(x, c);
        return;
    }
    if (c->write == x->op->serial) check_write_before(x, c);
    c->read_at = ordered_in_launch(x, c->read_at, &level) ? x->at : x->at | (uint32_t)level << LEVEL_SHIFT;
}

static void check_reads_before(const access *x, const jt_cell *c)
{
    int level;
    uint32_t n = c->read & READ_SET ? sets[c->read & ~READ_SET].n : c->read != 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t serial = c->read & READ_SET ? sets[c->read & ~READ_SET].serials[i] : c->read;
        if (serial == x->op->serial) {
            if (!ordered_in_launch(x, c->read_at, &level)) kernel_race(x, c->read_at, "read");
        } else if (!before(x->op, serial))
            race(x, serial, "read");
    }
}

static void write_cell(const access *x, jt_cell *c)
{
    check_write_before(x, c);
    if (c->read) check_reads_before(x, c);
    set_give(c->read);
    *c = (jt_cell){.write = x->op->serial, .write_at = x->at};
}

/* ---- accesses ---------------------------------------------------------------------------------------------------- */

/* The number of the context's place, which is put into the list at its first access. */
static uint32_t place_number(jt_kernel_context *context)
{
    if (!context) return 0;
    if (context->segment) return context->segment;
    if (n_places == place_capacity) {
        place_capacity = place_capacity ? 2 * place_capacity : 1024;
        places = jt_take(places, place_capacity * sizeof *places);
    }
    places[n_places] = context->place;
    return context->segment = n_places++;
}

static jt_block *shared_at(const void *ptr)
{
    const unsigned char *p = ptr;
    for (int64_t i = 0; i < n_shared; i++) {
        jt_block *b = &shared[i].block;
        if (p >= b->base && p < b->base + b->bytes) return b;
    }
    return NULL;
}

static bool in_bounds(const jt_op *op, const jt_block *b, const void *ptr, size_t bytes, bool write)
{
    const unsigned char *p = ptr;
    char now[128], where[128];
    bool inside = b && p >= b->base && bytes <= b->bytes && (size_t)(p - b->base) <= b->bytes - bytes;
    if (inside && b->live) return true;
    jt_op_text(op->serial, now);
    jt_place_text(b, ptr, bytes, where);
    jt_note(inside ? JT_USE_AFTER_FREE : JT_OUT_OF_BOUNDS, "%s %s %s", now, write ? "writes" : "reads", where);
    return false;
}

/* Cells small enough for an access of [from, to) to cover whole ones; the last of a block may stand over. */
static void refine_for(jt_block *b, size_t from, size_t to)
{
    while (b->shift) {
        size_t mask = ((size_t)1 << b->shift) - 1;
        if (!(from & mask) && (!(to & mask) || to == b->bytes)) return;
        refine(b);
    }
}

static bool touch(const jt_op *op, jt_kernel_context *context, const void *ptr, size_t bytes, bool write, bool open)
{
    if (!bytes) return true;
    jt_block *b = jt_block_at(ptr);
    if (!b && n_shared) b = shared_at(ptr);
    if (!in_bounds(op, b, ptr, bytes, write)) return false;
    if (open && !b->open) jt_block_open(b);
    size_t from = (size_t)((const unsigned char *)ptr - b->base), to = from + bytes;
    if (b->shift) refine_for(b, from, to);
    access x = {op, context, b, place_number(context), write, from >> b->shift};
    for (size_t last = (to - 1) >> b->shift; x.cell <= last; x.cell++) {
        if (write)
            write_cell(&x, &b->cells[x.cell]);
        else
            read_cell(&x, &b->cells[x.cell]);
    }
    return true;
}

bool jt_touch(const jt_op *op, jt_kernel_context *context, const void *ptr, size_t bytes, bool write)
{
    return touch(op, context, ptr, bytes, write, false);
}

bool jt_reach(const jt_op *op, jt_kernel_context *context, const void *ptr, size_t bytes, bool write)
{
    return touch(op, context, ptr, bytes, write, true);
}

bool jt_access(jt_kernel_context *context, const void *ptr, size_t bytes, bool write)
{
    if (bytes <= 16 && !(bytes & (bytes - 1)) && (uintptr_t)ptr & (bytes - 1)) {
        char now[128], where[128];
        jt_op_text(context->op->serial, now);
        jt_place_text(jt_block_at(ptr), ptr, bytes, where);
        jt_note(JT_MISALIGNED, "%s: block %lld thread %d: %s", now, (long long)context->place.block,
                context->place.thread, where);
    }
    return touch(context->op, context, ptr, bytes, write, true);
}

void jt_shared(jt_kernel_context *context, void *ptr, size_t bytes)
{
    int64_t i = 0;
    (void)context;
    if (!bytes) return;
    while (i < n_shared && shared[i].block.base != ptr) i++;
    if (i == shared_capacity) {
        shared_capacity = shared_capacity ? 2 * shared_capacity : 16;
        shared = jt_take(shared, (size_t)shared_capacity * sizeof *shared);
    }
    if (i < n_shared)
        jt_cells_destroy(&shared[i].block);
    else
        n_shared++;
    shared[i].block = (jt_block){.base = ptr, .bytes = bytes, .home = JT_SHARED, .live = true, .open = true, .id = i};
    jt_cells_create(&shared[i].block, 2);
}

void jt_shadow_begin(void)
{
    for (int64_t i = 0; i < n_shared; i++) jt_cells_destroy(&shared[i].block);
    n_shared = 0;
    if (!places) places = jt_take(NULL, (place_capacity = 1024) * sizeof *places);
    places[0] = (jt_place){.cluster = -1};
    n_places = 1;
    memset(jt_device.in_operation, 0, sizeof jt_device.in_operation);
}

/* Each access of the host is an operation of its own: later ones are not before work that was queued earlier. */
jt_op jt_host_op(void)
{
    jt_shadow_begin();
    uint32_t serial = jt_serial(JT_OP_HOST, -1, 0, -1, -1);
    jt_clock_set(&jt_device.host, 0, serial);
    return (jt_op){.work.type = JT_OP_HOST, .serial = serial, .clock = jt_device.host};
}

static void host_access(const void *ptr, size_t bytes, bool write)
{
    char where[128];
    jt_lock();
    jt_memory_note_touch();
    jt_place_text(jt_block_at(ptr), ptr, bytes, where);
    if (jt_is_device(ptr)) jt_note(JT_HOST_TOUCH, "the host %s %s", write ? "writes" : "reads", where);
    if (jt_is_pinned(ptr)) {
        jt_op host = jt_host_op();
        jt_touch(&host, NULL, ptr, bytes, write);
    }
    jt_unlock();
}

void jt_standin_host_read(const void *ptr, size_t bytes)
{
    host_access(ptr, bytes, false);
}

void jt_standin_host_write(void *ptr, size_t bytes)
{
    host_access(ptr, bytes, true);
}

void jt_shadow_reset(void)
{
    for (int64_t i = 0; i < n_shared; i++) jt_cells_destroy(&shared[i].block);
    for (uint32_t i = 0; i < n_sets; i++) free(sets[i].serials);
    free(sets);
    free(places);
    free(shared);
    sets = NULL, places = NULL, shared = NULL;
    n_sets = set_capacity = free_set = n_places = place_capacity = 0;
    n_shared = shared_capacity = 0;
}
