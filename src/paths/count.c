/* The exact number of paths, of any size:
 *   n(source) = 1,  n(v) = sum over the edges v <- u on paths of n(u)
 * in topological order. A number is shared by all nodes that have it (those of a chain), and freed when the last of
 * them has handed it on, so that only numbers that are still to be read are held. */
#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "paths/limbs.h"
#include "paths/paths.h"
#include "paths/uses.h"

typedef struct number {
    int64_t refs; /* nodes that have it */
    int64_t n, capacity;
    uint64_t limb[]; /* [capacity], the first n are in use, the last of them not 0 */
} number;

static const char *const WHAT = "numbers of paths";

static jc_status number_create(const jc_allocator *a, int64_t capacity, number **made)
{
    number *x;
    jc_status status = jc_alloc(a, (int64_t)sizeof *x + capacity * (int64_t)sizeof *x->limb, 1, WHAT, &x);
    if (status) return status;
    x->refs = 1, x->n = 0, x->capacity = capacity;
    *made = x;
    return JC_OK;
}

static void number_release(const jc_allocator *a, number *x)
{
    if (!x || --x->refs) return;
    jc_free(a, x, (int64_t)sizeof *x + x->capacity * (int64_t)sizeof *x->limb, 1);
}

/* r = x + y; r may be x and has room for the carry. */
static void number_sum(number *r, const number *x, const number *y)
{
    const number *longer = x->n >= y->n ? x : y, *other = x->n >= y->n ? y : x;
    int64_t n = longer->n;
    uint64_t carry = jc_limbs_add(r->limb, longer->limb, n, other->limb, other->n);
    if (carry) r->limb[n] = carry;
    r->n = n + (carry > 0);
}

/* *x += y, where *x NULL is zero. */
static jc_status number_add(const jc_allocator *a, number **x, number *y)
{
    number *sum;
    if (!*x) {
        y->refs++;
        *x = y;
        return JC_OK;
    }
    int64_t room = jc_max((*x)->n, y->n) + 1;
    if ((*x)->refs == 1 && (*x)->capacity >= room) {
        number_sum(*x, *x, y);
        return JC_OK;
    }
    jc_status status = number_create(a, room + 1, &sum);
    if (status) return status;
    number_sum(sum, *x, y);
    number_release(a, *x);
    *x = sum;
    return JC_OK;
}

/* *shifted = y 2^(64 limbs), a number of its own. */
static jc_status number_shift(const jc_allocator *a, const number *y, int64_t limbs, number **shifted)
{
    jc_status status = number_create(a, y->n + limbs + 1, shifted);
    if (status) return status;
    memset((*shifted)->limb, 0, (size_t)limbs * sizeof *y->limb);
    memcpy((*shifted)->limb + limbs, y->limb, (size_t)y->n * sizeof *y->limb);
    (*shifted)->n = y->n + limbs;
    return JC_OK;
}

/* Hands the number of v on along one edge. */
static jc_status push_edge(const jc_paths *p, const jc_path_uses *uses, int64_t limbs, number **of_node, int64_t edge)
{
    int64_t v = p->walk.wrt[edge], to = p->walk.of[edge];
    int64_t shift = limbs ? limbs * jc_path_uses_shift(uses, v, to, edge) : 0;
    number *y;
    if (!shift) return number_add(&p->allocator, &of_node[to], of_node[v]);
    jc_status status = number_shift(&p->allocator, of_node[v], shift, &y);
    if (status) return status;
    status = number_add(&p->allocator, &of_node[to], y);
    number_release(&p->allocator, y);
    return status;
}

/* Hands the number of v on along its edges. */
static jc_status push(const jc_paths *p, const jc_path_uses *uses, int64_t limbs, number **of_node, int64_t v)
{
    jc_status status = JC_OK;
    for (int64_t k = p->start[v]; k < p->start[v + 1] && !status; k++)
        status = push_edge(p, uses, limbs, of_node, p->out[k]);
    number_release(&p->allocator, of_node[v]);
    of_node[v] = NULL;
    return status;
}

/* *total: the number at the target, its only owner the caller. Nodes are in topological order. limbs 0: of all paths;
 * else the digits of limbs limbs each are those of the paths by their uses, from the fewest on. */
static jc_status count(const jc_paths *p, const jc_path_uses *uses, int64_t limbs, number **of_node, number **total)
{
    int64_t source = jc_paths_source(p), target = jc_paths_stay(p) ? source : jc_paths_target(p);
    jc_status status = number_create(&p->allocator, 2, &of_node[source]);
    if (status) return status;
    of_node[source]->limb[0] = 1, of_node[source]->n = 1;
    for (int64_t v = source; v < target && !status; v++)
        if (of_node[v]) status = push(p, uses, limbs, of_node, v);
    if (status) return status;
    *total = of_node[target];
    of_node[target] = NULL;
    return JC_OK;
}

/* Decimal digits of a number of n limbs, 19 at a time from the last one on; it is used up. A limb has less than 20.
 * *text, of *bytes, is owned by the caller. */
static jc_status write_digits(const jc_allocator *a, uint64_t *limb, int64_t n, char **text, int64_t *bytes)
{
    static const uint64_t group = UINT64_C(10000000000000000000);
    int64_t room = 20 * n + 20, at = room;
    char *digits;
    jc_status status = jc_alloc(a, room, 1, "the digits of a number of paths", &digits);
    if (status) return status;
    digits[--at] = '\0';
    if (!n) digits[--at] = '0';
    while (n) {
        uint64_t rest = jc_limbs_divide(limb, n, group);
        while (n && !limb[n - 1]) n--;
        for (int digit = 0; digit < 19 && (rest || n); digit++, rest /= 10) digits[--at] = (char)('0' + rest % 10);
    }
    memmove(digits, digits + at, (size_t)(room - at));
    *text = digits;
    *bytes = room;
    return JC_OK;
}

/* Runs count, whose *total the caller releases. */
static jc_status run_count(const jc_paths *p, const jc_path_uses *uses, int64_t limbs, number **total)
{
    int64_t n = p->walk.n_nodes;
    number **of_node;
    jc_status status = jc_alloc_zero(&p->allocator, n, sizeof(number *), WHAT, &of_node);
    if (status) return status;
    status = count(p, uses, limbs, of_node, total);
    for (int64_t v = 0; v < n; v++) number_release(&p->allocator, of_node[v]);
    jc_free(&p->allocator, of_node, n, sizeof(number *));
    return status;
}

static jc_status count_paths(jc_paths *p)
{
    number *total = NULL;
    jc_status status = run_count(p, NULL, 0, &total);
    if (!status) status = write_digits(&p->allocator, total->limb, total->n, &p->count, &p->count_bytes);
    number_release(&p->allocator, total);
    return status;
}

jc_status jc_paths_count(jc_paths *p, const char **count_text)
{
    jc_status status = p->there && !p->count ? count_paths(p) : JC_OK;
    if (!status) *count_text = p->there ? p->count : "0";
    return status;
}

/* Digit i of `all`, limbs limbs each. */
static jc_status write_part(const jc_allocator *a, number *all, int64_t limbs, int64_t i, char **text, int64_t *bytes)
{
    int64_t n = jc_max(0, jc_min(limbs, all->n - i * limbs));
    uint64_t *limb = all->limb + i * limbs;
    while (n && !limb[n - 1]) n--;
    return write_digits(a, limb, n, text, bytes);
}

jc_status jc_paths_count_uses(const jc_paths *p, const jc_path_uses *uses, char **texts, int64_t *bytes)
{
    number *total = NULL, *all = NULL;
    jc_status status = run_count(p, NULL, 0, &total);
    if (!status) status = run_count(p, uses, total->n, &all); /* no digit is larger than the number of all paths */
    for (int64_t i = 0; i <= uses->most[uses->end] - uses->fewest[uses->end] && !status; i++)
        status = write_part(&p->allocator, all, total->n, i, &texts[i], &bytes[i]);
    number_release(&p->allocator, all);
    number_release(&p->allocator, total);
    return status;
}
