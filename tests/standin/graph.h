/* Graphs: what capture.c builds and graph.c runs. */
#ifndef JT_STANDIN_GRAPH_H
#define JT_STANDIN_GRAPH_H

#include "standin/internal.h"

jt_body *jt_body_create(void); /* one reference */
void jt_body_drop(jt_body *body);
int64_t jt_body_add(jt_body *body, jt_work *work, const jt_frontier *after); /* takes work; number of the node */
jc_gpu_graph jt_graph_create(jt_body *body);                                 /* finishes it; takes a reference */
int64_t jt_captures_open(void);
void jt_captures_reset(void);

#endif
