/* Memory: two ranges of addresses are reserved, one for devices (protected while the program runs) and one for pinned
 * host memory. Blocks take whole pages and stand between red zones; a page once given belongs to its block for ever. */
#define _GNU_SOURCE
#include "standin/internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    PAGE = 4096,
    ALIGNMENT = 256, /* of device memory; pinned: of pages, less a bit */
    ZONE = 256,      /* bytes of a red zone that are looked at */
    ZONE_BYTE = 0xFD,
    POISON_BYTE = 0xFF,
    FILL_MOST = 1 << 26, /* larger blocks are not filled: their pages come into being when they are used */
    SMALL_MOST = 1 << 18,
    KEPT_MOST = 1 << 20 /* bytes of released blocks that keep their pages */
};
static const size_t RANGE_MOST = (size_t)1 << 36, RANGE_LEAST = (size_t)1 << 28;

typedef struct arena {
    unsigned char *base;
    size_t bytes, top;
    uint32_t *owner; /* [pages], number of the block + 1 */
} arena;

static arena on_device, pinned;
static jt_block *blocks; /* [n_blocks] */
static int64_t n_blocks, block_capacity;
static int64_t
    *released; /* [n_released], the blocks in the order of their release; the first n_dropped have no pages */
static int64_t n_released, n_dropped, released_capacity;
static size_t kept_bytes;
static int64_t *open_blocks; /* [n_open], not protected now */
static int64_t n_open, open_capacity;
static volatile bool all_open; /* since a fault */
static bool handling;
static unsigned char *volatile touched; /* while protected, by an operation or (0) the host */
static volatile uint32_t touched_by;
static struct sigaction handler_before;

/* ---- protection -------------------------------------------------------------------------------------------------- */

static void protect(unsigned char *from, const unsigned char *to, int protection)
{
    uintptr_t first = (uintptr_t)from / PAGE * PAGE, end = ((uintptr_t)to + PAGE - 1) / PAGE * PAGE;
    mprotect((void *)first, end - first, protection);
}

/* With its red zones, until jt_memory_close. */
void jt_block_open(jt_block *b)
{
    if (b->open) return;
    protect(b->base - ZONE, b->base + b->bytes + ZONE, PROT_READ | PROT_WRITE);
    b->open = true;
    if (n_open == open_capacity) {
        open_capacity = open_capacity ? 2 * open_capacity : 64;
        open_blocks = jt_take(open_blocks, (size_t)open_capacity * sizeof *open_blocks);
    }
    open_blocks[n_open++] = b->id;
}

/* Protects the open blocks of at most so many bytes; the others stay open. */
static void close_blocks(size_t most)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < n_open; i++) {
        jt_block *b = &blocks[open_blocks[i]];
        if (b->bytes > most) {
            open_blocks[kept++] = b->id;
            continue;
        }
        protect(b->base - ZONE, b->base + b->bytes + ZONE, PROT_NONE);
        b->open = false;
    }
    n_open = kept;
}

void jt_memory_close(void)
{
    close_blocks(SIZE_MAX);
    if (all_open) mprotect(on_device.base, on_device.top, PROT_NONE);
    all_open = false;
}

/* Protecting a large block takes long: those stay open until the program goes on. */
void jt_memory_close_small(void)
{
    close_blocks(SMALL_MOST);
}

/* The access is made after all; it is told at the next call. */
static void on_fault(int sign, siginfo_t *info, void *machine)
{
    unsigned char *address = info->si_addr;
    bool ours = on_device.base && address >= on_device.base && address < on_device.base + on_device.top;
    if (ours) {
        touched = address;
        touched_by = jt_device.running;
        mprotect(on_device.base, on_device.top, PROT_READ | PROT_WRITE);
        all_open = true;
        return;
    }
    if (handler_before.sa_flags & SA_SIGINFO)
        handler_before.sa_sigaction(sign, info, machine);
    else if (handler_before.sa_handler != SIG_DFL && handler_before.sa_handler != SIG_IGN)
        handler_before.sa_handler(sign);
    else
        signal(sign, SIG_DFL); /* comes again, and ends the program */
}

static void handle_faults(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    if (!handling) sigaction(SIGSEGV, &action, &handler_before);
    handling = true;
}

void jt_memory_note_touch(void)
{
    char text[128], by[128];
    if (!touched) return;
    unsigned char *at = touched;
    touched = NULL;
    jt_place_text(jt_block_at(at), at, 1, text);
    jt_op_text(touched_by, by);
    if (touched_by)
        jt_note(JT_UNDECLARED, "%s touches %s and has declared nothing there", by, text);
    else
        jt_note(JT_HOST_TOUCH, "the host touches %s", text);
    jt_memory_close();
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static void *map(size_t bytes, int protection)
{
    void *ptr = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return ptr == MAP_FAILED ? NULL : ptr;
}

static void arena_open(arena *a, int protection)
{
    if (a->base) return;
    for (a->bytes = RANGE_MOST; !a->base && a->bytes >= RANGE_LEAST; a->bytes /= 4) a->base = map(a->bytes, protection);
    a->bytes *= 4; /* as it was when it was had */
    a->owner = a->base ? map(a->bytes / PAGE * sizeof *a->owner, PROT_READ | PROT_WRITE) : NULL;
    if (a->owner) return;
    fprintf(stderr, "stand-in: no range of addresses\n");
    abort();
}

/* The addresses stay reserved; what lay there is forgotten. */
static void arena_reset(arena *a, int protection)
{
    if (!a->top) return;
    madvise(a->base, a->top, MADV_DONTNEED);
    mprotect(a->base, a->top, protection);
    memset(a->owner, 0, a->top / PAGE * sizeof *a->owner);
    a->top = 0;
}

static bool within(const arena *a, const void *ptr)
{
    const unsigned char *p = ptr;
    return a->base && p >= a->base && p < a->base + a->bytes;
}

bool jt_is_device(const void *ptr)
{
    return within(&on_device, ptr);
}

bool jt_is_pinned(const void *ptr)
{
    return within(&pinned, ptr);
}

jt_block *jt_block_at(const void *ptr)
{
    const arena *a = jt_is_device(ptr) ? &on_device : &pinned;
    if (!within(a, ptr)) return NULL;
    uint32_t owner = a->owner[(size_t)((const unsigned char *)ptr - a->base) / PAGE];
    return owner ? &blocks[owner - 1] : NULL;
}

void jt_place_text(const jt_block *block, const void *ptr, size_t bytes, char text[128])
{
    static const char *const home[] = {"device", "pinned", "shared"};
    if (!block) {
        snprintf(text, 128, "%zu bytes at %p, memory of nobody", bytes, ptr);
        return;
    }
    long long at = (long long)((const unsigned char *)ptr - block->base);
    snprintf(text, 128, "bytes [%lld, %lld) of %s block %lld%s of %zu bytes", at, at + (long long)bytes,
             home[block->home], (long long)block->id, block->live ? "" : " (released)", block->bytes);
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* The block lies a page and some behind the last: aligned to 256 bytes and to nothing more. */
static jt_block *block_create(jt_home home, size_t bytes)
{
    arena *a = home == JT_ON_DEVICE ? &on_device : &pinned;
    arena_open(a, home == JT_ON_DEVICE ? PROT_NONE : PROT_READ | PROT_WRITE);
    size_t front = PAGE + ALIGNMENT * (size_t)(1 + 2 * (n_blocks % 8));
    size_t span = (front + bytes + PAGE - 1) / PAGE * PAGE + PAGE;
    if (bytes > a->bytes || span > a->bytes - a->top || n_blocks == UINT32_MAX - 1) return NULL;
    if (n_blocks == block_capacity) {
        block_capacity = block_capacity ? 2 * block_capacity : 64;
        blocks = jt_take(blocks, (size_t)block_capacity * sizeof *blocks);
    }
    for (size_t page = a->top / PAGE; page < (a->top + span) / PAGE; page++) a->owner[page] = (uint32_t)n_blocks + 1;
    jt_block *b = &blocks[n_blocks];
    *b = (jt_block){.base = a->base + a->top + front, .bytes = bytes, .home = home, .live = true, .id = n_blocks};
    n_blocks++;
    a->top += span;
    b->open = home == JT_PINNED;
    if (jt_device.config.keep_unprotected) protect(b->base - ZONE, b->base + bytes + ZONE, PROT_READ | PROT_WRITE);
    if (jt_device.config.keep_unprotected) b->open = true;
    jt_block_open(b);
    memset(b->base - ZONE, ZONE_BYTE, ZONE);
    memset(b->base + bytes, ZONE_BYTE, ZONE);
    if (bytes <= FILL_MOST) memset(b->base, POISON_BYTE, bytes);
    jt_cells_create(b, 3);
    return b;
}

static void zones_check(jt_block *b)
{
    jt_block_open(b);
    for (int side = 0; side < 2; side++) {
        const unsigned char *zone = side ? b->base + b->bytes : b->base - ZONE;
        for (int i = 0; i < ZONE; i++) {
            if (zone[i] == ZONE_BYTE) continue;
            jt_note(JT_RED_ZONE, "block %lld of %zu bytes: byte %lld was written", (long long)b->id, b->bytes,
                    (long long)(zone + i - b->base));
            break;
        }
    }
}

static void drop_pages(const jt_block *b)
{
    uintptr_t from = ((uintptr_t)b->base + PAGE - 1) / PAGE * PAGE, to = ((uintptr_t)b->base + b->bytes) / PAGE * PAGE;
    if (from < to) madvise((void *)from, to - from, MADV_DONTNEED);
}

/* Poisoned; in the course of time its pages go, lest a long test keeps all memory it ever had. */
static void block_release(jt_block *b)
{
    zones_check(b);
    b->live = false;
    jt_cells_destroy(b);
    if (b->bytes <= KEPT_MOST) memset(b->base, POISON_BYTE, b->bytes);
    if (n_released == released_capacity) {
        released_capacity = released_capacity ? 2 * released_capacity : 64;
        released = jt_take(released, (size_t)released_capacity * sizeof *released);
    }
    released[n_released++] = b->id;
    kept_bytes += b->bytes;
    while (kept_bytes > KEPT_MOST) {
        const jt_block *oldest = &blocks[released[n_dropped++]];
        kept_bytes -= oldest->bytes;
        drop_pages(oldest);
    }
}

static void account(jt_block *b, bool more)
{
    jt_standin_memory *m = &jt_device.memory;
    size_t *live = b->home == JT_PINNED ? &m->pinned_live_bytes : &m->live_bytes;
    size_t *peak = b->home == JT_PINNED ? &m->pinned_peak_bytes : &m->peak_bytes;
    int64_t *count = b->home == JT_PINNED ? &m->pinned_live_blocks : &m->live_blocks;
    *live = more ? *live + b->bytes : *live - b->bytes;
    *count += more ? 1 : -1;
    if (*live > *peak) *peak = *live;
    if (b->home == JT_PINNED) return;
    size_t *used = &jt_device.used_bytes[b->device];
    *used = more ? *used + b->bytes : *used - b->bytes;
}

static int allocate(jt_home home, void **ptr, size_t bytes)
{
    size_t room = jt_device.config.memory_bytes - jt_device.used_bytes[*jt_thread_device()];
    *ptr = NULL;
    if (bytes == 0) return 0;
    if (home == JT_ON_DEVICE && bytes > room) return JC_GPU_NO_MEMORY;
    handle_faults();
    jt_block *b = block_create(home, bytes);
    if (!b) return JC_GPU_NO_MEMORY;
    b->device = *jt_thread_device();
    account(b, true);
    *ptr = b->base;
    return 0;
}

/* As cudaFree, which waits for all work before. */
static int release(jt_home home, void *ptr)
{
    char text[128];
    if (!ptr) return 0;
    int code = jt_wait_for_all();
    if (code) return code;
    jt_block *b = jt_block_at(ptr);
    if (!b || b->home != home || !b->live || b->base != ptr) {
        jt_place_text(b, ptr, 1, text);
        jt_note(JT_BAD_FREE, "release%s of %s", home == JT_PINNED ? " (pinned)" : "", text);
        return JT_E_VALUE;
    }
    if (jt_device.config.release_is_wait)
        jt_release_orders_host();
    else {
        jt_op host = jt_host_op();
        jt_touch(&host, NULL, ptr, b->bytes, true);
    }
    account(b, false);
    block_release(b);
    return 0;
}

int jt_allocate(void **d_ptr, size_t bytes)
{
    int code = jt_enter(JT_ALLOCATE);
    if (!code) code = allocate(JT_ON_DEVICE, d_ptr, bytes);
    return jt_leave(JT_ALLOCATE, code);
}

int jt_release(void *d_ptr)
{
    int code = jt_enter(JT_RELEASE);
    if (!code) code = release(JT_ON_DEVICE, d_ptr);
    return jt_leave(JT_RELEASE, code);
}

int jt_allocate_pinned(void **ptr, size_t bytes)
{
    int code = jt_enter(JT_ALLOCATE_PINNED);
    if (!code) code = allocate(JT_PINNED, ptr, bytes);
    return jt_leave(JT_ALLOCATE_PINNED, code);
}

int jt_release_pinned(void *ptr)
{
    int code = jt_enter(JT_RELEASE_PINNED);
    if (!code) code = release(JT_PINNED, ptr);
    return jt_leave(JT_RELEASE_PINNED, code);
}

int jt_memory_info(size_t *free_bytes, size_t *total_bytes)
{
    int code = jt_enter(JT_MEMORY_INFO);
    if (!code) {
        *total_bytes = jt_device.config.memory_bytes;
        *free_bytes = *total_bytes - jt_device.used_bytes[*jt_thread_device()];
    }
    return jt_leave(JT_MEMORY_INFO, code);
}

/* ---- for tests --------------------------------------------------------------------------------------------------- */

jt_standin_memory jt_standin_memory_use(void)
{
    jt_lock();
    jt_standin_memory m = jt_device.memory;
    jt_unlock();
    return m;
}

/* The block, open; NULL: not in one. */
static jt_block *open_around(const void *ptr, size_t bytes)
{
    jt_block *b = jt_block_at(ptr);
    const unsigned char *p = ptr;
    bool inside = b && b->live && p >= b->base && bytes <= b->bytes && (size_t)(p - b->base) <= b->bytes - bytes;
    if (inside) jt_block_open(b);
    return inside ? b : NULL;
}

bool jt_standin_peek(void *to, const void *d_from, size_t bytes)
{
    jt_lock();
    bool there = open_around(d_from, bytes);
    if (there) memcpy(to, d_from, bytes);
    jt_memory_close();
    jt_unlock();
    return there;
}

bool jt_standin_poke(void *d_to, const void *from, size_t bytes)
{
    jt_lock();
    bool there = open_around(d_to, bytes);
    jt_op host = jt_host_op();
    if (there && jt_touch(&host, NULL, d_to, bytes, true)) memcpy(d_to, from, bytes);
    jt_memory_close();
    jt_unlock();
    return there;
}

int64_t jt_memory_leaks(void)
{
    char text[128];
    int64_t leaks = 0;
    for (int64_t i = 0; i < n_blocks; i++) {
        if (!blocks[i].live) continue;
        zones_check(&blocks[i]);
        jt_place_text(&blocks[i], blocks[i].base, blocks[i].bytes, text);
        jt_note(JT_LEAK, "%s", text);
        leaks++;
    }
    return leaks;
}

void jt_memory_reset(void)
{
    for (int64_t i = 0; i < n_blocks; i++) jt_cells_destroy(&blocks[i]);
    free(blocks);
    free(released);
    blocks = NULL, released = NULL;
    n_blocks = block_capacity = n_released = n_dropped = released_capacity = 0;
    kept_bytes = 0;
    arena_reset(&on_device, PROT_NONE);
    arena_reset(&pinned, PROT_READ | PROT_WRITE);
    n_open = 0;
    all_open = false;
    touched = NULL;
}
