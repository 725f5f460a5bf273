#include "plan/verify_storage.h"

#include "core/error.h"
#include "core/size.h"

static const char *const WHAT = "the verifier of plans";

enum { MAX_HEIGHT = 11 }; /* 64^11 > 2^63 */

/* A set of integers 0 .. n-1 with the nearest member below or above a place: words of 64 bits, and above them words
 * that say which words below are not empty. */
typedef struct place_set {
    int height;
    int64_t n_words[MAX_HEIGHT];
    uint64_t *words[MAX_HEIGHT];
} place_set;

static jc_status place_set_init(const jc_allocator *a, int64_t n, place_set *set)
{
    *set = (place_set){0};
    do {
        n = n / 64 + 1;
        jc_status status = jc_alloc_zero(a, n, sizeof(uint64_t), WHAT, &set->words[set->height]);
        if (status) return status;
        set->n_words[set->height++] = n;
    } while (n > 1);
    return JC_OK;
}

static void place_set_fini(const jc_allocator *a, place_set *set)
{
    for (int h = 0; h < set->height; h++) jc_free(a, set->words[h], set->n_words[h], sizeof(uint64_t));
}

static void place_set_add(place_set *set, int64_t i)
{
    for (int h = 0; h < set->height; h++, i /= 64) set->words[h][i / 64] |= UINT64_C(1) << (i % 64);
}

static void place_set_remove(place_set *set, int64_t i)
{
    for (int h = 0; h < set->height; h++, i /= 64) {
        set->words[h][i / 64] &= ~(UINT64_C(1) << (i % 64));
        if (set->words[h][i / 64]) return;
    }
}

/* Bits of a word strictly below (above) bit i. */
static uint64_t bits_beside(uint64_t word, int64_t i, bool above)
{
    if (!above) return word & ((UINT64_C(1) << i) - 1);
    return i == 63 ? 0 : word >> (i + 1) << (i + 1);
}

static int64_t outer_bit(uint64_t word, bool lowest)
{
    return lowest ? __builtin_ctzll(word) : 63 - __builtin_clzll(word);
}

/* The nearest member strictly above (below) i, or -1. */
static int64_t place_set_next(const place_set *set, int64_t i, bool above)
{
    int h = 0;
    uint64_t beside = 0;
    for (; h < set->height; h++, i /= 64)
        if ((beside = bits_beside(set->words[h][i / 64], i % 64, above))) break;
    if (h == set->height) return -1;
    i = i / 64 * 64 + outer_bit(beside, above);
    while (h-- > 0) i = i * 64 + outer_bit(set->words[h][i], above);
    return i;
}

typedef struct storage {
    const jc_plan *plan;
    const jc_layout *layout;
    const jc_allocator *allocator;
    int64_t *by_place; /* [n_values] values by offset */
    int64_t *place;    /* [n_values] position of a value there */
    int64_t *expiring; /* [n_levels] last value that is read for the last time in a level, or -1 */
    int64_t *chain;    /* [n_values] the value before it in that list, or -1 */
    place_set held;    /* places of the values that hold their storage */
} storage;

static int64_t begin_of(const storage *s, int64_t value)
{
    return s->layout->offset[value];
}

/* Bytes of a value; -1 when they are not addressable. */
static int64_t bytes_of(const storage *s, int64_t value)
{
    const jc_value *v = &s->plan->values[value];
    int64_t bytes;
    if (!jc_size_mul(v->rows, v->cols, &bytes) || !jc_size_mul(bytes, s->layout->element_bytes, &bytes)) return -1;
    return bytes;
}

/* Lets element i of heap[0..n) sink until no child begins after it. */
static void sink(const storage *s, int64_t *heap, int64_t i, int64_t n)
{
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && begin_of(s, heap[child + 1]) > begin_of(s, heap[child])) child++;
        if (begin_of(s, heap[i]) >= begin_of(s, heap[child])) return;
        int64_t swapped = heap[i];
        heap[i] = heap[child], heap[child] = swapped;
    }
}

/* Heap sort: no recursion, no memory. */
static void sort_by_place(const storage *s)
{
    int64_t n = s->plan->n_values, *v = s->by_place;
    for (int64_t i = 0; i < n; i++) v[i] = i;
    for (int64_t i = n / 2 - 1; i >= 0; i--) sink(s, v, i, n);
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t first = v[0];
        v[0] = v[i], v[i] = first;
        sink(s, v, 0, i);
    }
    for (int64_t i = 0; i < n; i++) s->place[v[i]] = i;
}

static jc_status check_bounds(const storage *s)
{
    for (int64_t v = 0; v < s->plan->n_values; v++) {
        int64_t begin = begin_of(s, v), bytes = bytes_of(s, v);
        if (begin < 0 || begin % 64 || bytes < 0 || begin > s->layout->arena_bytes - bytes)
            return jc_fail(JC_E_INTERNAL,
                           "plan: value %lld at byte %lld, %lld bytes, does not lie in the arena of %lld", (long long)v,
                           (long long)begin, (long long)bytes, (long long)s->layout->arena_bytes);
    }
    return JC_OK;
}

static jc_status fail_overlap(int64_t value, int64_t level, int64_t other)
{
    return jc_fail(JC_E_INTERNAL, "plan: value %lld of level %lld is stored over value %lld, which is still needed",
                   (long long)value, (long long)level, (long long)other);
}

/* What holds storage is disjoint, so only the neighbours can overlap a newcomer. */
static jc_status hold(storage *s, int64_t value, int64_t level)
{
    int64_t place = s->place[value];
    int64_t below = place_set_next(&s->held, place, false), above = place_set_next(&s->held, place, true);
    if (below >= 0 && begin_of(s, s->by_place[below]) + bytes_of(s, s->by_place[below]) > begin_of(s, value))
        return fail_overlap(value, level, s->by_place[below]);
    if (above >= 0 && begin_of(s, value) + bytes_of(s, value) > begin_of(s, s->by_place[above]))
        return fail_overlap(value, level, s->by_place[above]);
    place_set_add(&s->held, place);
    return JC_OK;
}

static void list_expiring(const storage *s, const int64_t *last)
{
    for (int64_t l = 0; l < s->plan->n_levels; l++) s->expiring[l] = -1;
    for (int64_t v = 0; v < s->plan->n_values; v++) {
        if (last[v] >= s->plan->n_levels) continue;
        s->chain[v] = s->expiring[last[v]];
        s->expiring[last[v]] = v;
    }
}

static jc_status sweep(storage *s)
{
    for (int64_t l = 0; l < s->plan->n_levels; l++) {
        for (int64_t v = s->plan->levels[l]; v < s->plan->levels[l + 1]; v++) {
            jc_status status = hold(s, v, l);
            if (status) return status;
        }
        for (int64_t v = s->expiring[l]; v >= 0; v = s->chain[v]) place_set_remove(&s->held, s->place[v]);
    }
    return JC_OK;
}

jc_status jc_verify_storage(const jc_plan *plan, const jc_layout *layout, const int64_t *last)
{
    if (layout->n_values != plan->n_values || layout->element_bytes <= 0)
        return jc_fail(JC_E_INTERNAL, "plan: the layout has %lld values, the plan %lld", (long long)layout->n_values,
                       (long long)plan->n_values);
    const jc_allocator *a = &plan->allocator;
    storage s = {.plan = plan, .layout = layout, .allocator = a};
    int64_t n = plan->n_values;
    jc_status status;
    if ((status = jc_alloc(a, n, sizeof(int64_t), WHAT, &s.by_place))) goto done;
    if ((status = jc_alloc(a, n, sizeof(int64_t), WHAT, &s.place))) goto done;
    if ((status = jc_alloc(a, n, sizeof(int64_t), WHAT, &s.chain))) goto done;
    if ((status = jc_alloc(a, plan->n_levels, sizeof(int64_t), WHAT, &s.expiring))) goto done;
    if ((status = place_set_init(a, n, &s.held))) goto done;
    if ((status = check_bounds(&s))) goto done;
    sort_by_place(&s);
    list_expiring(&s, last);
    status = sweep(&s);
done:
    place_set_fini(a, &s.held);
    jc_free(a, s.expiring, plan->n_levels, sizeof(int64_t));
    jc_free(a, s.chain, n, sizeof(int64_t));
    jc_free(a, s.place, n, sizeof(int64_t));
    jc_free(a, s.by_place, n, sizeof(int64_t));
    return status;
}
