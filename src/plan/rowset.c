#include "plan/rowset.h"

#include <string.h>

#include "core/size.h"

static const char *const what = "sets of targets or sources";

/* A new table of n buckets with every set in it. */
static jc_status make_buckets(jc_rowsets *s, int64_t n)
{
    int64_t *buckets;
    jc_status status = jc_alloc(s->allocator, n, sizeof *buckets, what, &buckets);
    if (status) return status;
    memset(buckets, -1, (size_t)n * sizeof *buckets);
    jc_free(s->allocator, s->buckets, s->n_buckets, sizeof *buckets);
    s->buckets = buckets;
    s->n_buckets = n;
    for (int64_t i = 1; i < s->sets.count; i++) {
        jc_rowset *set = (jc_rowset *)s->sets.data + i;
        int64_t *bucket = &buckets[set->hash & (uint64_t)(n - 1)];
        set->next = *bucket;
        *bucket = i;
    }
    return JC_OK;
}

jc_status jc_rowsets_init(jc_rowsets *s, const jc_allocator *allocator, const int64_t *seed_rows, int64_t n_seeds)
{
    jc_rowset empty = {0, 0, 0, 0, -1};
    memset(s, 0, sizeof *s);
    s->allocator = allocator;
    s->seed_rows = seed_rows;
    s->n_seeds = n_seeds;
    s->members = jc_vec_of(sizeof(int64_t));
    s->rows_before = jc_vec_of(sizeof(int64_t));
    s->sets = jc_vec_of(sizeof(jc_rowset));
    jc_status status = make_buckets(s, 1024);
    if (!status) status = jc_alloc_zero(allocator, JC_ROWSET_MEMO, sizeof *s->memo, what, &s->memo);
    if (!status) status = jc_vec_append(allocator, &s->sets, &empty, 1, what);
    if (!status) status = jc_vec_reserve(allocator, &s->members, 2 * n_seeds + 1, what);
    if (status) {
        jc_rowsets_fini(s);
        return status;
    }
    return JC_OK;
}

void jc_rowsets_fini(jc_rowsets *s)
{
    jc_free(s->allocator, s->buckets, s->n_buckets, sizeof *s->buckets);
    jc_free(s->allocator, s->memo, JC_ROWSET_MEMO, sizeof *s->memo);
    jc_vec_free(s->allocator, &s->members);
    jc_vec_free(s->allocator, &s->rows_before);
    jc_vec_free(s->allocator, &s->sets);
    s->buckets = NULL;
    s->memo = NULL;
}

/* FNV-1a over the members. */
static uint64_t hash_members(const int64_t *m, int64_t n)
{
    uint64_t h = 14695981039346656037u;
    for (int64_t i = 0; i < n; i++) h = (h ^ (uint64_t)m[i]) * 1099511628211u;
    return h ^ (h >> 32);
}

/* The set whose members lie at the end of s->members, beyond what the sets own: an old one, or a new one that takes
 * them. */
static jc_status intern(jc_rowsets *s, int64_t first, int64_t count, int64_t *set)
{
    const int64_t *m = (const int64_t *)s->members.data + first;
    uint64_t hash = hash_members(m, count);
    for (int64_t i = s->buckets[hash & (uint64_t)(s->n_buckets - 1)]; i >= 0; i = jc_rowsets_at(s, i)->next)
        if (jc_rowsets_at(s, i)->hash == hash && jc_rowsets_at(s, i)->count == count &&
            !memcmp(jc_rowsets_members(s, i), m, (size_t)count * sizeof *m)) {
            s->members.count = first;
            *set = i;
            return JC_OK;
        }
    jc_rowset made = {first, count, 0, hash, -1};
    jc_status status = s->sets.count < s->n_buckets ? JC_OK : make_buckets(s, 2 * s->n_buckets);
    if (!status) status = jc_vec_append(s->allocator, &s->rows_before, NULL, count, what);
    if (status) return status;
    for (int64_t i = 0; i < count; i++) {
        ((int64_t *)s->rows_before.data)[first + i] = made.rows;
        made.rows = jc_cost_add(made.rows, s->seed_rows[m[i]]);
    }
    status = jc_vec_append(s->allocator, &s->sets, &made, 1, what);
    if (status) return status;
    *set = s->sets.count - 1;
    int64_t *bucket = &s->buckets[hash & (uint64_t)(s->n_buckets - 1)];
    ((jc_rowset *)s->sets.data)[*set].next = *bucket;
    *bucket = *set;
    return JC_OK;
}

int64_t jc_rowsets_row(const jc_rowsets *s, int64_t set, int64_t seed)
{
    const int64_t *m = jc_rowsets_members(s, set);
    int64_t low = 0, high = jc_rowsets_at(s, set)->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (m[middle] < seed)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < jc_rowsets_at(s, set)->count && m[low] == seed;
    return found ? jc_rowsets_rows_before(s, set)[low] : -1;
}

jc_status jc_rowsets_single(jc_rowsets *s, int64_t seed, int64_t *set)
{
    int64_t first = s->members.count;
    jc_status status = jc_vec_append(s->allocator, &s->members, &seed, 1, what);
    return status ? status : intern(s, first, 1, set);
}

jc_status jc_rowsets_replace(jc_rowsets *s, int64_t a, int64_t first, const int64_t *to, int64_t *set)
{
    int64_t begin = s->members.count, count = jc_rowsets_at(s, a)->count, low = 0;
    jc_status status = jc_vec_reserve(s->allocator, &s->members, count, what);
    if (status) return status;
    const int64_t *m = jc_rowsets_members(s, a);
    int64_t *out = s->members.data;
    while (low < count && m[low] < first) low++;
    for (int64_t i = 0, j = low; i < low || j < count;) {
        int64_t kept = i < low ? m[i] : INT64_MAX, taken = j < count ? to[m[j] - first] : INT64_MAX;
        out[s->members.count++] = jc_min(kept, taken);
        i += kept <= taken, j += taken <= kept;
    }
    s->work += count;
    return intern(s, begin, s->members.count - begin, set);
}

/* Appends the ordered union of sets a and b; room was made. */
static void merge(jc_rowsets *s, int64_t a, int64_t b)
{
    const int64_t *x = jc_rowsets_members(s, a), *y = jc_rowsets_members(s, b);
    const int64_t *x_end = x + jc_rowsets_at(s, a)->count, *y_end = y + jc_rowsets_at(s, b)->count;
    int64_t *to = (int64_t *)s->members.data;
    while (x < x_end || y < y_end) {
        int64_t m = y == y_end || (x < x_end && *x <= *y) ? *x : *y;
        if (x < x_end && *x == m) x++;
        if (y < y_end && *y == m) y++;
        to[s->members.count++] = m;
    }
}

jc_status jc_rowsets_unite(jc_rowsets *s, int64_t a, int64_t b, int64_t *set)
{
    if (a == b || !b) return *set = a, JC_OK;
    if (!a) return *set = b, JC_OK;
    if (a > b) {
        int64_t t = a;
        a = b, b = t;
    }
    jc_rowset_union *memo = &s->memo[((uint64_t)a * 0x9e3779b97f4a7c15u + (uint64_t)b * 0xc2b2ae3d27d4eb4fu) >> 52];
    if (memo->a == a && memo->b == b) return *set = memo->result, JC_OK;
    int64_t first = s->members.count;
    int64_t most = jc_rowsets_at(s, a)->count + jc_rowsets_at(s, b)->count;
    jc_status status = jc_vec_reserve(s->allocator, &s->members, most, what);
    if (status) return status;
    merge(s, a, b);
    s->work += most;
    status = intern(s, first, s->members.count - first, set);
    if (!status) *memo = (jc_rowset_union){a, b, *set};
    return status;
}
