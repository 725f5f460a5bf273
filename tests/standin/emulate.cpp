#include "standin/emulation.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <new>
#include <unordered_map>
#include <vector>

#include "kernels/device.h"
#include "standin/fiber.h"

namespace jt
{

enum { WARP = 32, GRANULE = 2, SHARED_BYTES = 228 * 1024, STATIC_BYTES = 48 * 1024, RED_ZONE = 64 };
enum { REFUSED = 1, INVALID_SHAPE = 9, LAUNCH_FAILURE = 719 };

/* What a thread waits for. */
enum waiting { RUNS, BLOCK_BARRIER, CLUSTER_BARRIER, WARP_BARRIER, SHUFFLE, ENDED };
static const char *const waiting_names[] = {
    "runs", "a barrier of the block", "a barrier of the cluster", "a warp barrier", "a shuffle", "its end"};

struct copy {
    void *to;
    const void *from;
    size_t bytes;
    int group;
};

struct block_state;

struct thread_state {
    fiber *stack;
    block_state *block;
    int number;
    waiting waits;
    uint64_t value; /* of a shuffle: given, then taken */
    int lane;       /* of a shuffle: asked */
    int groups;     /* of asynchronous copies, closed */
    std::vector<copy> copies;
};

/* The last accesses of a granule of shared memory. Threads -1: none, MANY: several. */
enum { NOBODY = -1, MANY = -2 };
struct access_note {
    int thread, warp, phase, warp_phase;
};
struct granule {
    uint64_t life; /* of the block that the notes are of */
    access_note write, read;
};

struct shared_piece {
    const void *key;
    size_t begin, bytes;
};

struct block_state {
    int64_t number;
    int rank; /* in the cluster */
    int phase, cluster_phase;
    std::vector<int> warp_phases;
    std::vector<thread_state *> threads;
    uint64_t life;
    unsigned char *shared;
    std::vector<granule> granules;
    std::vector<shared_piece> pieces; /* arrays; the first is the dynamic memory */
    size_t shared_used;
};

struct kernel_note {
    const void *kernel;
    size_t shared_bytes;
};

/* A launch that runs, and what stays for the next. */
struct machine {
    jt_emulation setting = {JT_FORWARD, 1, 2, nullptr, nullptr, 0};
    int64_t findings = 0;
    char first[400] = "";
    uint64_t random = 1, life = 0;
    std::vector<thread_state *> pool;
    std::vector<block_state *> blocks; /* of the cluster that runs */
    std::vector<kernel_note> kernels;  /* loaded */
    const jc_gpu_launch *work = nullptr;
    void (*kernel)(jc_gpu_launch) = nullptr;
    jc::launch_shape shape = {};
    std::unordered_map<uintptr_t, unsigned> uses; /* CONSTANT, WRITTEN: of a launch, by 16 bytes */
    jt_grid *ask = nullptr;                       /* only the shape is wanted */
    thread_state *current = nullptr;

    ~machine()
    {
        for (thread_state *t : pool) {
            fiber_destroy(t->stack);
            delete t;
        }
        for (block_state *b : blocks) {
            free(b->shared);
            delete b;
        }
    }
};

static thread_local machine emulator;

/* ---- findings ---------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static void find(const char *format, ...)
{
    machine &m = emulator;
    if (m.findings++) return;
    int n = snprintf(m.first, sizeof m.first, "kernel %d, block %lld, thread %d: ", m.work ? (int)m.work->kernel : -1,
                     m.current ? (long long)m.current->block->number : -1LL, m.current ? m.current->number : -1);
    va_list args;
    va_start(args, format);
    vsnprintf(m.first + n, sizeof m.first - (size_t)n, format, args);
    va_end(args);
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

int thread()
{
    return emulator.current->number;
}

int64_t block()
{
    return emulator.current->block->number;
}

int64_t blocks()
{
    return emulator.shape.blocks;
}

int multiprocessors()
{
    return emulator.setting.multiprocessors;
}

int shared_limit()
{
    return emulator.setting.shared_bytes ? emulator.setting.shared_bytes : SHARED_BYTES - 1024;
}

static int warp_phase(const thread_state *t)
{
    return t->block->warp_phases[(size_t)(t->number / WARP)];
}

/* ---- accesses ---------------------------------------------------------------------------------------------------- */

static bool aligned(const void *ptr, size_t bytes)
{
    size_t unit = bytes > 16 ? 16 : bytes;
    return reinterpret_cast<uintptr_t>(ptr) % unit == 0;
}

enum use { CONSTANT = 1, WRITTEN = 2 };

/* What is read as constant need not be what another thread wrote, barriers or not: caches of constants are not kept up
 * to date. */
static void note_use(const void *ptr, size_t bytes, use how)
{
    enum { PIECE = 16 };
    const uintptr_t at = reinterpret_cast<uintptr_t>(ptr);
    for (uintptr_t piece = at / PIECE; piece <= (at + bytes - 1) / PIECE; piece++) {
        unsigned &uses = emulator.uses[piece];
        uses |= (unsigned)how;
        if (uses == (CONSTANT | WRITTEN)) find("global memory that the launch writes is read as constant");
    }
}

void touch_constant(const void *ptr, size_t bytes)
{
    note_use(ptr, bytes, CONSTANT);
}

bool touch_global(const void *ptr, size_t bytes, bool write)
{
    machine &m = emulator;
    const thread_state *t = m.current;
    if (write) note_use(ptr, bytes, WRITTEN);
    if (!aligned(ptr, bytes)) find("global %s of %zu bytes is not aligned", write ? "write" : "read", bytes);
    if (!m.setting.access) return true;
    const block_state *b = t->block;
    jt_where where = {b->number, t->number,     m.shape.cluster > 1 ? (int)(b->number / m.shape.cluster) : -1,
                      b->phase,  warp_phase(t), b->cluster_phase};
    return m.setting.access(m.setting.ctx, &where, ptr, bytes, write);
}

/* Whether the access noted may meet one of thread t. */
static bool ordered(const access_note &note, const thread_state *t)
{
    if (note.thread == NOBODY || note.thread == t->number || note.phase != t->block->phase) return true;
    return note.warp == t->number / WARP && note.warp_phase != warp_phase(t);
}

/* A reader takes the place of those it is ordered after; with others it becomes MANY. */
static void take_note(access_note &note, const thread_state *t, bool write)
{
    access_note now = {t->number, t->number / WARP, t->block->phase, warp_phase(t)};
    if (!write && !ordered(note, t)) {
        now.thread = MANY;
        if (note.warp != now.warp) now.warp = MANY;
    }
    note = now;
}

static void check_order(size_t at, size_t bytes, bool write)
{
    thread_state *t = emulator.current;
    block_state *b = t->block;
    const access_note none = {NOBODY, NOBODY, 0, 0};
    for (size_t g = at / GRANULE; g <= (at + bytes - 1) / GRANULE; g++) {
        granule &cell = b->granules[g];
        if (cell.life != b->life) cell = {b->life, none, none};
        if (!ordered(cell.write, t))
            find("shared memory at byte %zu: %s what thread %d wrote, with no barrier between", at,
                 write ? "overwrites" : "reads", cell.write.thread);
        if (write && !ordered(cell.read, t))
            find("shared memory at byte %zu: overwrites what thread %d (-2: several) read, with no barrier between", at,
                 cell.read.thread);
        take_note(write ? cell.write : cell.read, t, write);
    }
}

bool touch_shared(const void *ptr, size_t bytes, bool write)
{
    block_state *b = emulator.current->block;
    uintptr_t at = reinterpret_cast<uintptr_t>(ptr) - reinterpret_cast<uintptr_t>(b->shared);
    if (!aligned(ptr, bytes)) find("shared %s of %zu bytes is not aligned", write ? "write" : "read", bytes);
    for (const shared_piece &piece : b->pieces) {
        if (at < piece.begin || at + bytes > piece.begin + piece.bytes) continue;
        check_order(at, bytes, write);
        return true;
    }
    find("shared %s of %zu bytes outside every array", write ? "write" : "read", bytes);
    return false;
}

static void *add_piece(block_state *b, const void *key, size_t bytes)
{
    size_t begin = (b->shared_used + 127) / 128 * 128;
    if (begin + bytes + RED_ZONE > SHARED_BYTES) {
        find("%zu bytes of shared memory are more than there are", bytes);
        abort();
    }
    memset(b->shared + begin, 0xFF, bytes);
    b->pieces.push_back({key, begin, bytes});
    b->shared_used = begin + bytes + RED_ZONE;
    return b->shared + begin;
}

void *shared_array(const void *key, size_t bytes)
{
    block_state *b = emulator.current->block;
    size_t used = 0;
    for (const shared_piece &piece : b->pieces) {
        if (piece.key == key) return b->shared + piece.begin;
        used += piece.key ? piece.bytes : 0;
    }
    if (used + bytes > STATIC_BYTES) find("static shared memory of more than 48 KiB");
    if (used + bytes + emulator.shape.shared_bytes > (size_t)shared_limit())
        find("%zu bytes of shared memory are more than a block has", used + bytes + emulator.shape.shared_bytes);
    return add_piece(b, key, bytes);
}

unsigned char *shared_dynamic()
{
    block_state *b = emulator.current->block;
    return b->shared + b->pieces[0].begin;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static void wait_for(waiting what)
{
    thread_state *t = emulator.current;
    t->waits = what;
    fiber_leave(t->stack, false);
}

void block_barrier()
{
    wait_for(BLOCK_BARRIER);
}

void warp_barrier()
{
    wait_for(WARP_BARRIER);
}

void cluster_barrier()
{
    wait_for(CLUSTER_BARRIER);
}

uint64_t shuffle(uint64_t value, int lane)
{
    thread_state *t = emulator.current;
    t->value = value;
    t->lane = lane & (WARP - 1);
    wait_for(SHUFFLE);
    return t->value;
}

/* A copy is made when it is waited for, as late as it may; until then its place is NaN. */
void async_copy(void *to, const void *from, size_t bytes)
{
    thread_state *t = emulator.current;
    if (!aligned(from, bytes)) find("asynchronous copy of %zu bytes from where it is not aligned", bytes);
    if (!touch_shared(to, bytes, true)) return;
    memset(to, 0xFF, bytes);
    t->copies.push_back({to, from, bytes, t->groups});
}

void async_close()
{
    emulator.current->groups++;
}

void async_wait(int open)
{
    thread_state *t = emulator.current;
    size_t done = 0;
    for (; done < t->copies.size() && t->copies[done].group < t->groups - open; done++) {
        const copy &c = t->copies[done];
        if (touch_global(c.from, c.bytes, false) && touch_shared(c.to, c.bytes, true)) memcpy(c.to, c.from, c.bytes);
    }
    t->copies.erase(t->copies.begin(), t->copies.begin() + (long)done);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static uint64_t next_random()
{
    uint64_t x = (emulator.random += UINT64_C(0x9E3779B97F4A7C15));
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static void run_thread(void *arg)
{
    thread_state *t = static_cast<thread_state *>(arg);
    machine &m = emulator;
    m.kernel(*m.work);
    t->waits = ENDED;
    fiber_leave(t->stack, true);
}

static bool all_wait(thread_state *const *threads, int n, waiting what)
{
    for (int i = 0; i < n; i++)
        if (threads[i]->waits != what) return false;
    return true;
}

static void release(thread_state *const *threads, int n)
{
    for (int i = 0; i < n; i++) threads[i]->waits = RUNS;
}

static void finish_shuffle(thread_state *const *lanes)
{
    uint64_t given[WARP];
    for (int i = 0; i < WARP; i++) given[i] = lanes[i]->value;
    for (int i = 0; i < WARP; i++) lanes[i]->value = given[lanes[i]->lane];
}

static bool release_warps(block_state *b)
{
    bool some = false;
    for (size_t w = 0; w < b->warp_phases.size(); w++) {
        thread_state *const *lanes = &b->threads[w * WARP];
        bool barrier = all_wait(lanes, WARP, WARP_BARRIER);
        if (!barrier && !all_wait(lanes, WARP, SHUFFLE)) continue;
        if (barrier)
            b->warp_phases[w]++;
        else
            finish_shuffle(lanes);
        release(lanes, WARP);
        some = true;
    }
    return some;
}

static void enter_phase(block_state *b)
{
    b->phase++;
    for (int &phase : b->warp_phases) phase++;
    release(b->threads.data(), (int)b->threads.size());
}

static bool release_cluster(std::vector<block_state *> &blocks)
{
    for (block_state *b : blocks)
        if (!all_wait(b->threads.data(), (int)b->threads.size(), CLUSTER_BARRIER)) return false;
    for (block_state *b : blocks) {
        b->cluster_phase++;
        enter_phase(b);
    }
    return true;
}

static bool release_waiting(std::vector<block_state *> &blocks)
{
    bool some = false;
    for (block_state *b : blocks) {
        some |= release_warps(b);
        if (all_wait(b->threads.data(), (int)b->threads.size(), BLOCK_BARRIER)) {
            enter_phase(b);
            some = true;
        }
    }
    return release_cluster(blocks) || some;
}

/* Nobody runs and nobody can be released. */
static void find_stuck(const std::vector<block_state *> &blocks)
{
    const thread_state *waits = nullptr, *other = nullptr;
    for (const block_state *b : blocks)
        for (const thread_state *t : b->threads)
            if (!waits && t->waits != ENDED) waits = t;
    for (const block_state *b : blocks)
        for (const thread_state *t : b->threads)
            if (waits && !other && t->waits != waits->waits) other = t;
    if (waits)
        find("stuck: thread %d waits for %s, thread %d of block %lld for %s", waits->number,
             waiting_names[waits->waits], other ? other->number : -1, other ? (long long)other->block->number : -1LL,
             other ? waiting_names[other->waits] : "the same");
}

static void order_threads(std::vector<thread_state *> &threads)
{
    if (emulator.setting.order == JT_REVERSED) std::reverse(threads.begin(), threads.end());
    if (emulator.setting.order != JT_SHUFFLED) return;
    for (size_t i = threads.size(); i > 1; i--) std::swap(threads[i - 1], threads[next_random() % i]);
}

/* Every thread that may run runs until it waits; returns whether there was one. */
static bool run_round(std::vector<block_state *> &blocks, std::vector<thread_state *> &order)
{
    bool some = false;
    order.clear();
    for (block_state *b : blocks)
        for (thread_state *t : b->threads)
            if (t->waits == RUNS) order.push_back(t);
    order_threads(order);
    for (thread_state *t : order) {
        emulator.current = t;
        fiber_enter(t->stack);
        some = true;
    }
    emulator.current = nullptr;
    return some;
}

static thread_state *thread_of_pool(size_t i)
{
    machine &m = emulator;
    while (m.pool.size() <= i) {
        thread_state *t = new thread_state();
        t->stack = fiber_create(run_thread, t);
        m.pool.push_back(t);
    }
    return m.pool[i];
}

static block_state *block_of_pool(size_t i)
{
    machine &m = emulator;
    while (m.blocks.size() <= i) {
        block_state *b = new block_state();
        b->shared = static_cast<unsigned char *>(aligned_alloc(128, SHARED_BYTES));
        b->granules.resize(SHARED_BYTES / GRANULE);
        m.blocks.push_back(b);
    }
    return m.blocks[i];
}

static void begin_block(block_state *b, int64_t number, size_t first_thread)
{
    machine &m = emulator;
    b->number = number;
    b->rank = (int)(number % m.shape.cluster);
    b->phase = b->cluster_phase = 0;
    b->life = ++m.life;
    b->shared_used = 0;
    b->pieces.clear();
    add_piece(b, nullptr, m.shape.shared_bytes);
    b->warp_phases.assign((size_t)m.shape.threads / WARP, 0);
    b->threads.clear();
    for (int i = 0; i < m.shape.threads; i++) {
        thread_state *t = thread_of_pool(first_thread + (size_t)i);
        t->block = b;
        t->number = i;
        t->waits = RUNS;
        t->groups = 0;
        t->copies.clear();
        fiber_begin(t->stack);
        b->threads.push_back(t);
    }
}

/* The blocks of cluster c, to their end. */
static void run_cluster(int64_t c)
{
    machine &m = emulator;
    std::vector<block_state *> running;
    std::vector<thread_state *> order;
    for (int i = 0; i < m.shape.cluster; i++) {
        running.push_back(block_of_pool((size_t)i));
        begin_block(running.back(), c * m.shape.cluster + i, (size_t)(i * m.shape.threads));
    }
    while (run_round(running, order) || release_waiting(running)) {
    }
    find_stuck(running);
}

static void run_blocks()
{
    machine &m = emulator;
    int64_t n = m.shape.blocks / m.shape.cluster;
    std::vector<int64_t> order((size_t)n);
    for (int64_t i = 0; i < n; i++) order[(size_t)i] = m.setting.order == JT_REVERSED ? n - 1 - i : i;
    if (m.setting.order == JT_SHUFFLED)
        for (size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[next_random() % i]);
    for (int64_t c : order) run_cluster(c);
}

/* Shared memory for which the kernel was loaded. */
static size_t opted_in(const void *kernel)
{
    for (const kernel_note &note : emulator.kernels)
        if (note.kernel == kernel) return note.shared_bytes;
    return 0;
}

int load_kernel(const void *kernel, size_t shared_bytes)
{
    if (shared_bytes > (size_t)shared_limit()) return REFUSED;
    for (kernel_note &note : emulator.kernels) {
        if (note.kernel != kernel) continue;
        note.shared_bytes = shared_bytes;
        return 0;
    }
    emulator.kernels.push_back({kernel, shared_bytes});
    return 0;
}

static bool shape_fits(const jc::launch_shape &s, size_t limit)
{
    return s.blocks > 0 && s.blocks <= INT32_MAX && s.threads > 0 && s.threads <= 1024 && s.threads % WARP == 0 &&
           s.cluster >= 1 && s.cluster <= 8 && s.blocks % s.cluster == 0 && s.shared_bytes <= limit;
}

int launch(void (*kernel)(jc_gpu_launch), int64_t n_blocks, int threads, int cluster, size_t shared_bytes,
           const jc_gpu_launch &work)
{
    machine &m = emulator;
    const jc::launch_shape shape = {n_blocks, threads, cluster, shared_bytes};
    size_t limit = std::max<size_t>(opted_in(reinterpret_cast<const void *>(kernel)), 48 * 1024);
    if (m.ask) {
        *m.ask = {shape.blocks, shape.threads, shape.cluster, shape.shared_bytes, shape.shared_bytes > 48 * 1024};
        return 0;
    }
    if (!shape_fits(shape, limit)) return INVALID_SHAPE;
    m.shape = shape;
    m.kernel = kernel;
    m.work = &work;
    m.random = m.setting.seed;
    m.uses.clear();
    run_blocks();
    m.work = nullptr;
    return 0;
}

/* ---- conversions ------------------------------------------------------------------------------------------------- */

float f16_to_f32(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float magnitude = exponent == 31  ? (fraction ? NAN : INFINITY)
                      : exponent == 0 ? ldexpf((float)fraction, -24)
                                      : ldexpf((float)(fraction + 1024), exponent - 25);
    return bits >> 15 ? -magnitude : magnitude;
}

/* The nearest of the numbers k 2^-24 (k 2^(e-10) for larger ones), of two the even k. */
uint16_t f32_to_f16(float x)
{
    uint16_t sign = signbit(x) ? 0x8000 : 0;
    float magnitude = fabsf(x);
    if (isnan(x)) return 0x7fff;
    if (magnitude >= 65520.0f) return sign | 0x7c00;
    int exponent = 0;
    frexpf(magnitude, &exponent);
    int unit = magnitude == 0 || exponent - 11 < -24 ? -24 : exponent - 11;
    int whole = (int)nearbyintf(ldexpf(magnitude, -unit));
    return (uint16_t)(sign | (((unit + 24) << 10) + whole));
}

float f64_to_f32_down(double x)
{
    float y = (float)x;
    return fabs((double)y) > fabs(x) ? nextafterf(y, 0.0f) : y;
}

} // namespace jt

/* ---- interface --------------------------------------------------------------------------------------------------- */

void jt_emulation_set(const jt_emulation *emulation)
{
    jt::emulator.setting = *emulation;
    jt::emulator.findings = 0;
    jt::emulator.first[0] = 0;
}

int jt_kernels_run(const jc_gpu_launch *launch)
{
    return jt_kernels_run_by(jt_kernels_launch, launch);
}

int jt_kernels_run_by(jt_launch_function launcher, const jc_gpu_launch *launch)
{
    if (jt::emulator.kernels.empty()) {
        int code = jt_kernels_load();
        if (code) return code;
    }
    int64_t before = jt::emulator.findings;
    int code = launcher(launch, nullptr);
    return code ? code : jt::emulator.findings > before ? jt::LAUNCH_FAILURE : 0;
}

int jt_kernels_shape(const jc_gpu_launch *launch, jt_grid *grid)
{
    *grid = (jt_grid){};
    jt::emulator.ask = grid;
    int code = jt_kernels_launch(launch, nullptr);
    jt::emulator.ask = nullptr;
    return code;
}

int64_t jt_emulation_findings(void)
{
    return jt::emulator.findings;
}

const char *jt_emulation_first(void)
{
    return jt::emulator.first;
}
