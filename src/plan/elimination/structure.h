/* What is known to be zero in an accumulated Jacobian, so that products of structured Jacobians stay structured.
 * Structures are interned: equal ones have equal numbers, and the product and the sum of two are looked up.
 *
 *   DIAGONAL   n numbers
 *   BLOCKS     I_batch (x) D (x) I_inner with a D of its own for every block (b,a): entry ((b,i,a), (b,j,a)) is
 *              D_(b,a)[i,j], p x q each, p = rows / (batch inner), q = cols / (batch inner); batch inner > 1
 *   SPARSE     a pattern, not empty, its numbers in the order of its rows; of the blocks that it lies in a quarter at
 *              most
 *   DENSE      all entries
 *
 * How the numbers of a value are held (jc_form): DIAGONAL, SPARSE as one row of NUMBERS; DENSE as ROWS (rows x cols) or
 * COLUMNS (cols x rows); BLOCKS as ROWS: p x (batch q inner), entry (i; b,j,a) is D_(b,a)[i,j], its rows being sums of
 * rows that no column has in common, or as COLUMNS: q x (batch p inner), the same of the transpose. Source: compression
 * by structurally orthogonal rows, Griewank & Walther (2008), ch. 8; Curtis, Powell & Reid (1974). */
#ifndef JC_PLAN_ELIMINATION_STRUCTURE_H
#define JC_PLAN_ELIMINATION_STRUCTURE_H

#include "core/alloc.h"
#include "graph/kinds.h"

typedef enum jc_structure_kind {
    JC_STRUCTURE_DENSE,
    JC_STRUCTURE_BLOCKS,
    JC_STRUCTURE_SPARSE,
    JC_STRUCTURE_DIAGONAL
} jc_structure_kind;

typedef struct jc_structure {
    jc_structure_kind kind;
    int64_t rows, cols;
    int64_t batch, inner;      /* BLOCKS; SPARSE: the blocks that it lies in; else 1 */
    int64_t entries;           /* numbers held */
    int64_t *indptr, *indices; /* SPARSE: [rows + 1], [entries], increasing in a row; owned by the table */
} jc_structure;

typedef struct jc_structures jc_structures;

jc_status jc_structures_create(const jc_allocator *allocator, jc_structures **structures);
void jc_structures_destroy(jc_structures *structures); /* NULL is allowed */

/* Valid until the next call that may add one. */
const jc_structure *jc_structures_at(const jc_structures *structures, int32_t id);

/* Rows of its ROWS form and of its COLUMNS form (DENSE, BLOCKS). */
static inline int64_t jc_structure_rows(const jc_structure *s)
{
    return s->rows / (s->batch * s->inner);
}
static inline int64_t jc_structure_cols(const jc_structure *s)
{
    return s->cols / (s->batch * s->inner);
}

/* The structure of rows x cols without any. */
jc_status jc_structures_dense(jc_structures *s, int64_t rows, int64_t cols, int32_t *id);

/* Of a Jacobian of the graph, by a table of kinds (structure.c). Without numbers it counts as a full D. */
jc_status jc_structures_of(jc_structures *s, const jc_group *group, int64_t member, int32_t *id);

/* Whether the structure is that of every member of the group. */
bool jc_structures_share(const jc_group *group);

/* Of A B, and of A + B: tables of kind by kind in structure.c, docs/numerics.md "Structure of products". A pattern
 * becomes blocks or dense where it has more than a quarter of their entries, or is too large to be looked at. */
jc_status jc_structures_product(jc_structures *s, int32_t a, int32_t b, int32_t *id);
jc_status jc_structures_sum(jc_structures *s, int32_t a, int32_t b, int32_t *id);

/* Multiply-adds of A B into the structure `c` (that of A B, or a sum with it), given what one application of A to a
 * column and of B to a row costs, saturating:
 *   SPARSE, DIAGONAL   one for each pair of entries that meet; nothing where A or B costs nothing
 *   BLOCKS, DENSE      min((rows of c's ROWS form) apply_b, (rows of its COLUMNS form) apply_a) */
int64_t jc_structures_cost(jc_structures *s, int32_t a, int32_t b, int32_t c, int64_t apply_a, int64_t apply_b);

/* Pairs of entries of A and B that meet, saturating: of DIAGONAL with DIAGONAL n. */
int64_t jc_structures_meetings(const jc_structures *s, int32_t a, int32_t b);

/* Beyond so many entries looked at no more patterns are made: at most the default, a second's. */
void jc_structures_limit(jc_structures *s, int64_t most_work);

/* Entries of patterns that were looked at so far: the work that the table has done. */
int64_t jc_structures_work(const jc_structures *s);

/* "diagonal", "batch blocks", "inner blocks", "blocks", "sparse", "dense"; static text for messages. */
const char *jc_structure_name(const jc_structure *structure);

#endif
