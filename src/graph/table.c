#include "graph/table.h"

#include "core/error.h"
#include "core/size.h"

/* FNV-1a, then a finalizer so that the low bits depend on all others. */
uint64_t jc_hash(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(1099511628211);
    h = (h ^ (h >> 32)) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ (h >> 29);
}

int64_t jc_table_find(const jc_table *table, uint64_t hash, bool (*equal)(const void *ctx, int64_t id), const void *ctx)
{
    if (!table->size) return -1;
    uint64_t mask = (uint64_t)table->size - 1;
    for (uint64_t i = hash & mask; table->slots[i].id >= 0; i = (i + 1) & mask)
        if (table->slots[i].hash == hash && equal(ctx, table->slots[i].id)) return table->slots[i].id;
    return -1;
}

static void place(jc_table_slot *slots, int64_t size, uint64_t hash, int64_t id)
{
    uint64_t mask = (uint64_t)size - 1, i = hash & mask;
    while (slots[i].id >= 0) i = (i + 1) & mask;
    slots[i].hash = hash;
    slots[i].id = id;
}

jc_status jc_table_reserve(const jc_allocator *a, jc_table *table, int64_t more, const char *what)
{
    int64_t need, size = jc_max(table->size, 16);
    if (!jc_size_add(table->used, more, &need) || need > INT64_MAX / 4)
        return jc_fail(JC_E_MEMORY, "not enough memory for %s", what);
    while (size < 2 * need) size *= 2;
    if (size == table->size) return JC_OK;
    jc_table_slot *slots;
    jc_status status = jc_alloc(a, size, sizeof *slots, what, &slots);
    if (status) return status;
    for (int64_t i = 0; i < size; i++) slots[i].id = -1;
    for (int64_t i = 0; i < table->size; i++)
        if (table->slots[i].id >= 0) place(slots, size, table->slots[i].hash, table->slots[i].id);
    jc_free(a, table->slots, table->size, sizeof *slots);
    table->slots = slots;
    table->size = size;
    return JC_OK;
}

void jc_table_insert(jc_table *table, uint64_t hash, int64_t id)
{
    place(table->slots, table->size, hash, id);
    table->used++;
}

void jc_table_free(const jc_allocator *a, jc_table *table)
{
    jc_free(a, table->slots, table->size, sizeof *table->slots);
    table->slots = NULL;
    table->size = table->used = 0;
}
