#include "core/nearest.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONG_WORD = 5 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* row j = the distance from the first i bytes of a to the first j of b:
 *     row[j] = min(above[j] + 1, row[j-1] + 1, above[j-1] + (a_i differs from b_j), above2[j-2] + 1 where swapped)
 * Returns the least entry. */
static int fill_row(const char *a, size_t i, const char *b, size_t m, int *row, const int *above, const int *above2)
{
    int smallest = row[0] = (int)i;
    for (size_t j = 1; j <= m; j++) {
        row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
        bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
        if (swapped) row[j] = least(row[j], above2[j - 2] + 1);
        smallest = least(smallest, row[j]);
    }
    return smallest;
}

/* Three rows at a time. A row depends on the two before it, so once two of them have nothing below `most`, nothing
 * follows below it. */
int jc_edit_distance(const char *a, size_t n, const char *b, size_t m, int most)
{
    int rows[3][JC_NEAREST_BYTES], before = 0;
    if (n >= JC_NEAREST_BYTES || m >= JC_NEAREST_BYTES || abs((int)n - (int)m) >= most) return most;
    for (size_t j = 0; j <= m; j++) rows[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int smallest = fill_row(a, i, b, m, rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3]);
        if (smallest >= most && before >= most) return most;
        before = smallest;
    }
    return least(rows[n % 3][m], most);
}

jc_nearest jc_nearest_begin(const char *word, size_t bytes)
{
    jc_nearest nearest = {.word = word, .bytes = bytes, .best = bytes >= LONG_WORD ? 3 : 2};
    if (bytes >= JC_NEAREST_BYTES) nearest.best = 0;
    return nearest;
}

void jc_nearest_offer(jc_nearest *nearest, const char *candidate)
{
    size_t n = nearest->bytes, m = strnlen(candidate, JC_NEAREST_BYTES);
    int distance = nearest->best;
    if (!n || !m || m == JC_NEAREST_BYTES || nearest->best == 0) return;
    if (n == m && !strncasecmp(nearest->word, candidate, n))
        distance = 0;
    else if (n > 1 && n < m && !strncmp(nearest->word, candidate, n))
        distance = 1;
    else
        distance = jc_edit_distance(nearest->word, n, candidate, m, nearest->best);
    if (distance >= nearest->best || distance >= (int)(n > m ? n : m)) return; /* all letters differ: another word */
    nearest->best = distance;
    memcpy(nearest->found, candidate, m);
    nearest->found[m] = '\0';
}

const char *jc_nearest_hint(const jc_nearest *nearest, char hint[JC_HINT_BYTES])
{
    hint[0] = '\0';
    if (nearest->found[0]) snprintf(hint, JC_HINT_BYTES, "; is '%s' meant?", nearest->found);
    return hint;
}
