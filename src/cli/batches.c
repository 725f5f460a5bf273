#include "cli/batches.h"

#include <stdlib.h>
#include <string.h>

#include "core/size.h"

enum { SHOWN = 24 };

static jc_status append(void *ctx, const jc_batch *batch)
{
    jc_batches *batches = ctx;
    jc_allocator allocator = jc_allocator_or_default(NULL);
    return jc_vec_append(&allocator, &batches->list, batch, 1, "the batches of the plan");
}

jc_status jc_batches_collect(const jc_program *program, jc_batches *batches)
{
    batches->list = jc_vec_of(sizeof(jc_batch));
    return jc_program_batches(program, append, batches);
}

void jc_batches_fini(jc_batches *batches)
{
    jc_allocator allocator = jc_allocator_or_default(NULL);
    jc_vec_free(&allocator, &batches->list);
}

static int compare(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* By what is the same in batches of several levels. */
static int by_product(const void *left, const void *right)
{
    const jc_batch *a = left, *b = right;
    int c = compare(a->kind, b->kind);
    if (!c) c = strcmp(a->routine, b->routine);
    if (!c) c = compare(a->m, b->m);
    if (!c) c = compare(a->n, b->n);
    return c ? c : compare(a->k, b->k);
}

static int64_t work_of(const jc_batch *b)
{
    return jc_cost_mul(jc_cost_mul(b->m, b->n), jc_cost_mul(b->k, b->count));
}

static int by_work(const void *left, const void *right)
{
    int c = compare(work_of(right), work_of(left));
    return c ? c : by_product(left, right);
}

/* Adds up batches that differ in their level only; `level` becomes how many there were. Returns how many are left. */
static int64_t gather(jc_batch *batches, int64_t n)
{
    int64_t kept = 0;
    qsort(batches, (size_t)n, sizeof *batches, by_product);
    for (int64_t i = 0; i < n; i++) {
        if (kept && by_product(&batches[kept - 1], &batches[i]) == 0) {
            batches[kept - 1].count = jc_cost_add(batches[kept - 1].count, batches[i].count);
            batches[kept - 1].level++;
        } else {
            batches[kept] = batches[i];
            batches[kept++].level = 1;
        }
    }
    qsort(batches, (size_t)kept, sizeof *batches, by_work);
    return kept;
}

static void print_lines(const char *first_column, const jc_batch *batches, int64_t n)
{
    printf("\n%-8s  %-10s  %10s  %24s  %s\n", first_column, "kind", "count", "m x n x k", "routine");
    for (int64_t i = 0; i < n; i++) {
        const jc_batch *b = &batches[i];
        char shape[80];
        snprintf(shape, sizeof shape, "%lld x %lld x %lld", (long long)b->m, (long long)b->n, (long long)b->k);
        printf("%-8lld  %-10s  %10lld  %24s  %s\n", (long long)b->level, jc_kind_name(b->kind), (long long)b->count,
               shape, b->routine);
    }
}

void jc_batches_print(const jc_batches *batches)
{
    int64_t n = batches->list.count;
    if (n <= SHOWN) {
        if (n) print_lines("level", batches->list.data, n);
        return;
    }
    jc_batch *copy = jc_cli_alloc(n, sizeof *copy);
    memcpy(copy, batches->list.data, (size_t)n * sizeof *copy);
    int64_t kinds = gather(copy, n);
    print_lines("batches", copy, jc_min(kinds, SHOWN));
    if (kinds > SHOWN) printf("and %lld more kinds of batch with less work\n", (long long)(kinds - SHOWN));
    free(copy);
}

void jc_batches_emit(jc_emit *e, const jc_batches *batches)
{
    const jc_batch *list = batches->list.data;
    jc_emit_open(e, "batches", '[');
    for (int64_t i = 0; i < batches->list.count; i++) {
        jc_emit_open(e, NULL, '{');
        jc_emit_int(e, "level", list[i].level);
        jc_emit_text(e, "kind", jc_kind_name(list[i].kind));
        jc_emit_int(e, "count", list[i].count);
        jc_emit_int(e, "m", list[i].m);
        jc_emit_int(e, "n", list[i].n);
        jc_emit_int(e, "k", list[i].k);
        jc_emit_text(e, "routine", list[i].routine);
        jc_emit_close(e, '}');
    }
    jc_emit_close(e, ']');
}
