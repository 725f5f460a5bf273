/* Graphs for the device's campaign: levels of variables of many sizes, joined by edges of every kind, single and in
 * groups, parallel ones among them; real numbers scaled so that totals neither grow nor vanish. */
#ifndef JT_WEB_H
#define JT_WEB_H

#include <stdbool.h>

#include "jacchain.h"
#include "support/pool.h"

typedef struct jt_web {
    jt_pool pool;
    jc_graph *graph;                  /* finished */
    int64_t n_variables, first, last; /* the variables of the first and the last level */
} jt_web;

typedef struct jt_web_options {
    uint64_t seed, number_seed; /* number_seed: other numbers in the same graph */
    int64_t levels, width;      /* variables of a level, at most */
    const int64_t *sizes;       /* of variables: one of these */
    int n_sizes;
    int fan;           /* edges into a variable, at most */
    jc_kind favourite; /* half of the edges are of this kind */
    bool only;         /* all are */
    bool plain;        /* batch and inner are 1 */
    jc_dtype real;     /* of all numbers where `plain`; else F64 and F32 mixed, or with */
    bool narrow;       /* all floating types */
} jt_web_options;

void jt_web_make(const jt_web_options *options, jt_web *web);

/* One variable of size n with many consumers, all of one size, summed into one variable again: dense edges in groups of
 * `consumers` members, and a diagonal edge from the first to the last. */
void jt_web_star(uint64_t seed, uint64_t number_seed, int64_t n, int64_t consumers, jt_web *web);

void jt_web_free(jt_web *web);

#endif
