/* The exact number of paths, of any size:
 *   n(source) = 1,  n(v) = sum over the edges v <- u on paths of n(u)
 * in topological order. A number is shared by all nodes that have it (those of a chain), and freed when the last of
 * them has handed it on, so that only numbers that are still to be read are held. */
#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "paths/limbs.h"
#include "paths/paths.h"

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

/* Hands the number of v on along its edges. */
static jc_status push(const jc_paths *p, number **of_node, int64_t v)
{
    jc_status status = JC_OK;
    for (int64_t k = p->start[v]; k < p->start[v + 1] && !status; k++)
        status = number_add(&p->allocator, &of_node[p->walk.of[p->out[k]]], of_node[v]);
    number_release(&p->allocator, of_node[v]);
    of_node[v] = NULL;
    return status;
}

/* *total: the number at the target, its only owner the caller. Nodes are in topological order. */
static jc_status count(const jc_paths *p, number **of_node, number **total)
{
    int64_t source = jc_paths_source(p), target = jc_paths_stay(p) ? source : jc_paths_target(p);
    jc_status status = number_create(&p->allocator, 2, &of_node[source]);
    if (status) return status;
    of_node[source]->limb[0] = 1, of_node[source]->n = 1;
    for (int64_t v = source; v < target && !status; v++)
        if (of_node[v]) status = push(p, of_node, v);
    if (status) return status;
    *total = of_node[target];
    of_node[target] = NULL;
    return JC_OK;
}

/* Decimal digits, 19 at a time from the last one on; x is used up. A limb has less than 20. */
static jc_status write_digits(jc_paths *p, number *x)
{
    static const uint64_t group = UINT64_C(10000000000000000000);
    int64_t bytes = 20 * x->n + 20, at = bytes;
    char *text;
    jc_status status = jc_alloc(&p->allocator, bytes, 1, "the digits of a number of paths", &text);
    if (status) return status;
    text[--at] = '\0';
    while (x->n) {
        uint64_t rest = jc_limbs_divide(x->limb, x->n, group);
        while (x->n && !x->limb[x->n - 1]) x->n--;
        for (int digit = 0; digit < 19 && (rest || x->n); digit++, rest /= 10) text[--at] = (char)('0' + rest % 10);
    }
    memmove(text, text + at, (size_t)(bytes - at));
    p->count = text;
    p->count_bytes = bytes;
    return JC_OK;
}

static jc_status count_paths(jc_paths *p)
{
    int64_t n = p->walk.n_nodes;
    number **of_node, *total = NULL;
    jc_status status = jc_alloc_zero(&p->allocator, n, sizeof(number *), WHAT, &of_node);
    if (status) return status;
    status = count(p, of_node, &total);
    if (!status) status = write_digits(p, total);
    number_release(&p->allocator, total);
    for (int64_t v = 0; v < n; v++) number_release(&p->allocator, of_node[v]);
    jc_free(&p->allocator, of_node, n, sizeof(number *));
    return status;
}

jc_status jc_paths_count(jc_paths *p, const char **count_text)
{
    jc_status status = p->there && !p->count ? count_paths(p) : JC_OK;
    if (!status) *count_text = p->there ? p->count : "0";
    return status;
}
