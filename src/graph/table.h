/* A hash table from keys kept elsewhere to their numbers: variable names, labels, label sets. */
#ifndef JC_GRAPH_TABLE_H
#define JC_GRAPH_TABLE_H

#include "core/alloc.h"

typedef struct jc_table_slot {
    uint64_t hash;
    int64_t id; /* -1: empty */
} jc_table_slot;

/* Open addressing, at most half full. slots is owned. */
typedef struct jc_table {
    jc_table_slot *slots; /* [size] */
    int64_t size, used;   /* size is 0 or a power of two */
} jc_table;

uint64_t jc_hash(const void *bytes, size_t n);

/* The number of the key with that hash for which equal(ctx, id) holds, or -1. */
int64_t jc_table_find(const jc_table *table, uint64_t hash, bool (*equal)(const void *ctx, int64_t id),
                      const void *ctx);

/* Makes room for `more` keys. */
jc_status jc_table_reserve(const jc_allocator *a, jc_table *table, int64_t more, const char *what);

/* Adds a key that is not there yet; room must have been reserved. */
void jc_table_insert(jc_table *table, uint64_t hash, int64_t id);

void jc_table_free(const jc_allocator *a, jc_table *table);

#endif
