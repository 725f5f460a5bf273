#include "io/matrix_market.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "io/matrix_market_lines.h"

enum { MESSAGE_BYTES = 160 };

/* ---- header ----------------------------------------------------------------------------------------------------- */

/* *out = the position of the word among the names. */
static jc_status choose(const jc_mm_reader *r, jc_mm_word w, const char *const *names, const char *expected, int *out)
{
    for (int i = 0; names[i]; i++) {
        if (!jc_mm_is_word(w, names[i])) continue;
        *out = i;
        return JC_OK;
    }
    return jc_mm_fail_word(r, expected, w);
}

static jc_status read_banner(jc_mm_reader *r, jc_mm_header *h)
{
    static const char *const layouts[] = {"coordinate", "array", NULL};
    static const char *const numbers[] = {"real", "integer", "pattern", NULL};
    static const char *const symmetries[] = {"general", "symmetric", "skew-symmetric", NULL};
    int layout = 0, number = 0, symmetry = 0;
    if (!jc_mm_next_line(r) || !r->n_words || !jc_mm_is_word(r->word[0], "%%matrixmarket"))
        return jc_fail(JC_E_INPUT, "line 1: a Matrix Market file begins with '%%%%MatrixMarket'");
    if (r->n_words != JC_MM_WORDS)
        return jc_mm_fail_line(r, "expected '%%MatrixMarket matrix', a layout, a type of numbers and a symmetry");
    if (!jc_mm_is_word(r->word[1], "matrix")) return jc_mm_fail_word(r, "'matrix'", r->word[1]);
    jc_status status = choose(r, r->word[2], layouts, "coordinate or array", &layout);
    if (!status) status = choose(r, r->word[3], numbers, "real, integer or pattern", &number);
    if (!status) status = choose(r, r->word[4], symmetries, "general, symmetric or skew-symmetric", &symmetry);
    if (status) return status;
    h->is_array = layout == 1;
    h->numbers = (jc_mm_numbers)number;
    h->symmetry = (jc_mm_symmetry)symmetry;
    if (h->numbers != JC_MM_PATTERN) return JC_OK;
    if (h->is_array) return jc_mm_fail_line(r, "an array of numbers cannot be a pattern");
    return h->symmetry == JC_MM_SKEW ? jc_mm_fail_line(r, "a pattern cannot be skew-symmetric") : JC_OK;
}

/* All of a general array; the lower triangle otherwise, n (n+1) / 2 or, skew, n (n-1) / 2 numbers. */
static bool count_array(jc_mm_header *h)
{
    int64_t n = h->rows, other = h->cols;
    if (h->symmetry == JC_MM_GENERAL) return jc_size_mul(n, other, &h->entries);
    if (h->symmetry == JC_MM_SYMMETRIC && !jc_size_add(n, 1, &other)) return false;
    if (h->symmetry == JC_MM_SKEW) other = n - 1;
    return n % 2 ? jc_size_mul(n, other / 2, &h->entries) : jc_size_mul(n / 2, other, &h->entries);
}

static jc_status read_sizes(jc_mm_reader *r, jc_mm_header *h)
{
    int wanted = h->is_array ? 2 : 3;
    if (!jc_mm_next_data(r)) return jc_mm_fail_line(r, "the file ends before the line of its sizes");
    if (r->n_words != wanted)
        return jc_mm_fail_line(r, h->is_array ? "expected rows and columns" : "expected rows, columns and entries");
    int64_t sizes[3] = {0};
    for (int i = 0; i < wanted; i++)
        if (!jc_mm_read_integer(r->word[i], &sizes[i]) || (i < 2 && sizes[i] < 1))
            return jc_mm_fail_word(r, i < 2 ? "a positive integer below 2^63" : "an integer below 2^63", r->word[i]);
    h->rows = sizes[0];
    h->cols = sizes[1];
    h->entries = sizes[2];
    if (h->symmetry != JC_MM_GENERAL && h->rows != h->cols)
        return jc_mm_fail_line(r, "a symmetric matrix has as many rows as columns");
    return h->is_array && !count_array(h) ? jc_mm_fail_line(r, "the matrix has more entries than can be counted")
                                          : JC_OK;
}

/* The shortest entries are "1", "1 1" and "1 1 1", each with the end of its line but for the last. */
static jc_status check_room(const jc_mm_reader *r, const jc_mm_header *h)
{
    int64_t least = h->is_array ? 2 : h->numbers == JC_MM_PATTERN ? 4 : 6, room = r->bytes - r->at;
    if (h->entries <= (room + 1) / least) return JC_OK;
    return jc_fail(JC_E_INPUT, "line %lld: %lld entries do not fit the %lld bytes behind it", (long long)r->line,
                   (long long)h->entries, (long long)room);
}

jc_status jc_mm_read_header(const void *text, int64_t bytes, jc_mm_header *header)
{
    jc_mm_reader r = {.text = text, .bytes = bytes};
    jc_mm_header h = {0};
    jc_status status = read_banner(&r, &h);
    if (!status) status = read_sizes(&r, &h);
    if (!status) status = check_room(&r, &h);
    if (status) return status;
    h.end = r.at;
    h.line = r.line;
    *header = h;
    return JC_OK;
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

typedef struct entry {
    int64_t row, col; /* from 0 */
    double value;
} entry;

/* Reads entry after entry. */
typedef struct entries {
    jc_mm_reader reader;
    const jc_mm_header *header;
    locale_t c_locale;
    int64_t done;
    int64_t row, col; /* of the next one of an array */
} entries;

static entries entries_begin(const void *text, int64_t bytes, const jc_mm_header *h, locale_t c_locale)
{
    entries e = {
        .reader = {.text = text, .bytes = bytes, .at = h->end, .line = h->line}, .header = h, .c_locale = c_locale};
    e.row = h->symmetry == JC_MM_SKEW;
    return e;
}

static jc_status read_index(const jc_mm_reader *r, jc_mm_word w, int64_t most, const char *what, int64_t *out)
{
    int64_t value;
    char expected[MESSAGE_BYTES];
    if (jc_mm_read_integer(w, &value) && value >= 1 && value <= most) {
        *out = value - 1;
        return JC_OK;
    }
    snprintf(expected, sizeof expected, "a %s from 1 to %lld", what, (long long)most);
    return jc_mm_fail_word(r, expected, w);
}

static jc_status read_coordinates(const jc_mm_reader *r, const jc_mm_header *h, entry *out)
{
    jc_status status = read_index(r, r->word[0], h->rows, "row", &out->row);
    if (!status) status = read_index(r, r->word[1], h->cols, "column", &out->col);
    if (status || h->symmetry == JC_MM_GENERAL || out->row > out->col) return status;
    if (out->row < out->col) return jc_mm_fail_line(r, "of a symmetric matrix only the lower triangle is given");
    return h->symmetry == JC_MM_SKEW ? jc_mm_fail_line(r, "a skew-symmetric matrix has no diagonal") : JC_OK;
}

/* Down the columns, in the lower triangle where only that is given. */
static void step(entries *e)
{
    const jc_mm_header *h = e->header;
    if (++e->row < h->rows) return;
    e->col++;
    e->row = h->symmetry == JC_MM_GENERAL ? 0 : e->col + (h->symmetry == JC_MM_SKEW);
}

static jc_status next_entry(entries *e, entry *out)
{
    jc_mm_reader *r = &e->reader;
    const jc_mm_header *h = e->header;
    int wanted = h->is_array ? 1 : h->numbers == JC_MM_PATTERN ? 2 : 3;
    if (!jc_mm_next_data(r))
        return jc_fail(JC_E_INPUT, "line %lld: the file ends after %lld of its %lld entries", (long long)r->line,
                       (long long)e->done, (long long)h->entries);
    if (r->n_words != wanted)
        return jc_mm_fail_line(r, wanted == 1   ? "expected one number"
                                  : wanted == 2 ? "expected a row and a column"
                                                : "expected a row, a column and a number");
    *out = (entry){e->row, e->col, 1};
    jc_status status = JC_OK;
    if (h->is_array)
        step(e);
    else
        status = read_coordinates(r, h, out);
    if (!status && wanted != 2)
        status = jc_mm_read_number(r, r->word[wanted - 1], h->numbers == JC_MM_INTEGER, e->c_locale, &out->value);
    e->done++;
    return status;
}

static jc_status expect_end(entries *e)
{
    if (!jc_mm_next_data(&e->reader)) return JC_OK;
    return jc_fail(JC_E_INPUT, "line %lld: there are more than the %lld entries of line %lld",
                   (long long)e->reader.line, (long long)e->header->entries, (long long)e->header->line);
}

/* All entries into list, an entry of the lower triangle with its mirror image behind it. */
static jc_status read_entries(const jc_allocator *a, entries *e, jc_vec *list)
{
    const jc_mm_header *h = e->header;
    bool mirrored = h->symmetry != JC_MM_GENERAL;
    jc_status status = jc_vec_reserve(a, list, mirrored ? 2 * h->entries : h->entries, "a matrix");
    for (int64_t i = 0; i < h->entries && !status; i++) {
        entry *next = (entry *)list->data + list->count;
        if ((status = next_entry(e, next))) break;
        list->count++;
        if (!mirrored || next->row == next->col) continue;
        next[1] = (entry){next->col, next->row, h->symmetry == JC_MM_SKEW ? -next->value : next->value};
        list->count++;
    }
    return status ? status : expect_end(e);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* starts[k] = how many entries have a key below k, for k = 0..n; the key is the column or the row. */
static void count_keys(const entry *list, int64_t count, bool by_column, int64_t *starts, int64_t n)
{
    memset(starts, 0, (size_t)(n + 1) * sizeof *starts);
    for (int64_t i = 0; i < count; i++) starts[(by_column ? list[i].col : list[i].row) + 1]++;
    for (int64_t k = 0; k < n; k++) starts[k + 1] += starts[k];
}

/* Counting sort by column, then, keeping that order, by row. sorted: [count], starts: [cols + 1], scratch. */
static void fill_rows(const entry *list, int64_t count, entry *sorted, int64_t *starts, jc_mm_matrix *m)
{
    count_keys(list, count, true, starts, m->cols);
    for (int64_t i = 0; i < count; i++) sorted[starts[list[i].col]++] = list[i];
    count_keys(list, count, false, m->indptr, m->rows);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = m->indptr[sorted[i].row]++;
        m->indices[at] = sorted[i].col;
        m->values[at] = sorted[i].value;
    }
    memmove(m->indptr + 1, m->indptr, (size_t)m->rows * sizeof *m->indptr); /* they now say where rows end */
    m->indptr[0] = 0;
}

static jc_status make_rows(const jc_allocator *a, const jc_vec *list, jc_mm_matrix *m)
{
    entry *sorted;
    int64_t *starts, n_starts, n_rows;
    if (!jc_size_add(m->cols, 1, &n_starts) || !jc_size_add(m->rows, 1, &n_rows)) n_starts = n_rows = INT64_MAX;
    jc_status status = jc_alloc(a, list->count, sizeof *sorted, "a matrix", &sorted);
    if (status) return status;
    if (!(status = jc_alloc(a, n_starts, sizeof *starts, "the columns of a matrix", &starts))) {
        status = jc_alloc(a, n_rows, sizeof *m->indptr, "the rows of a matrix", &m->indptr);
        if (!status) status = jc_alloc(a, m->nnz, sizeof *m->indices, "a matrix", &m->indices);
        if (!status) status = jc_alloc(a, m->nnz, sizeof *m->values, "a matrix", &m->values);
        if (!status) fill_rows(list->data, list->count, sorted, starts, m);
        jc_free(a, starts, n_starts, sizeof *starts);
    }
    jc_free(a, sorted, list->count, sizeof *sorted);
    return status;
}

/* ---- entries that stand twice ----------------------------------------------------------------------------------- */

static bool find_twice(const jc_mm_matrix *m, entry *twice)
{
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t k = m->indptr[i] + 1; k < m->indptr[i + 1]; k++)
            if (m->indices[k] == m->indices[k - 1]) {
                *twice = (entry){i, m->indices[k], 0};
                return true;
            }
    return false;
}

/* Reads the text again for the line where the entry stands the second time. */
static jc_status fail_twice(entries *e, entry twice)
{
    if (e->header->symmetry != JC_MM_GENERAL && twice.row < twice.col) twice = (entry){twice.col, twice.row, 0};
    entry next;
    for (int found = 0; found < 2;) {
        jc_status status = next_entry(e, &next);
        if (status) return status;
        found += next.row == twice.row && next.col == twice.col;
    }
    return jc_fail(JC_E_INPUT, "line %lld: entry (%lld, %lld) stands twice", (long long)e->reader.line,
                   (long long)twice.row + 1, (long long)twice.col + 1);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static jc_status read_matrix(const jc_allocator *a, const void *text, int64_t bytes, const jc_mm_header *h,
                             locale_t c_locale, jc_mm_matrix *m)
{
    jc_vec list = jc_vec_of(sizeof(entry));
    entry twice;
    entries e = entries_begin(text, bytes, h, c_locale);
    jc_status status = read_entries(a, &e, &list);
    m->nnz = list.count;
    if (!status) status = make_rows(a, &list, m);
    jc_vec_free(a, &list);
    if (!status && find_twice(m, &twice)) {
        e = entries_begin(text, bytes, h, c_locale);
        status = fail_twice(&e, twice);
    }
    return status;
}

jc_status jc_mm_read_matrix(const jc_allocator *a, const void *text, int64_t bytes, const jc_mm_header *h,
                            jc_mm_matrix *matrix)
{
    jc_mm_matrix m = {.rows = h->rows, .cols = h->cols};
    locale_t c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!c_locale) return jc_fail(JC_E_MEMORY, "not enough memory for a locale");
    jc_status status = read_matrix(a, text, bytes, h, c_locale, &m);
    freelocale(c_locale);
    if (status)
        jc_mm_matrix_fini(a, &m);
    else
        *matrix = m;
    return status;
}

void jc_mm_matrix_fini(const jc_allocator *a, jc_mm_matrix *m)
{
    jc_free(a, m->values, m->nnz, sizeof *m->values);
    jc_free(a, m->indices, m->nnz, sizeof *m->indices);
    if (m->indptr) jc_free(a, m->indptr, m->rows + 1, sizeof *m->indptr);
    *m = (jc_mm_matrix){0};
}
