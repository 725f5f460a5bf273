/* The word that a misspelt one was meant to be: every known word is offered, the nearest is kept.
 *
 *     jc_nearest nearest = jc_nearest_begin("hiden", 5);
 *     for (...) jc_nearest_offer(&nearest, name[i]);
 *     jc_fail(status, "there is no variable '%s'%s", "hiden", jc_nearest_hint(&nearest, hint));   "; is 'hidden'
 * meant?"
 */
#ifndef JC_CORE_NEAREST_H
#define JC_CORE_NEAREST_H

#include <stddef.h>
#include <stdint.h>

enum { JC_NEAREST_BYTES = 64, JC_HINT_BYTES = JC_NEAREST_BYTES + 16 };

typedef struct jc_nearest {
    const char *word; /* [bytes], borrowed */
    size_t bytes;
    int best;                     /* distance of what was found; where nothing was: the first that is too far */
    char found[JC_NEAREST_BYTES]; /* "": nothing */
} jc_nearest;

/* Words of JC_NEAREST_BYTES and more have no nearest one. */
jc_nearest jc_nearest_begin(const char *word, size_t bytes);

/* Takes the candidate where it is nearer than those before: one letter wrong in short words, two in words of five
 * letters and more; the whole word in another case; a word that begins with all of ours. Most candidates cost a few
 * letters. */
void jc_nearest_offer(jc_nearest *nearest, const char *candidate);

/* "; is 'hidden' meant?", or "" where nothing is near. Returns hint. */
const char *jc_nearest_hint(const jc_nearest *nearest, char hint[JC_HINT_BYTES]);

/* Letters to insert, delete, change or swap with a neighbour to make n bytes of a into m bytes of b (optimal string
 * alignment); `most` where it is that or more. n and m below JC_NEAREST_BYTES, otherwise `most`. */
int jc_edit_distance(const char *a, size_t n, const char *b, size_t m, int most);

#endif
