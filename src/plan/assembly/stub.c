/* stub until the structures are there */
#include "plan/elimination/elimination.h"
jc_status jc_subgraph_split_ranks(const jc_graph *graph, jc_subgraph *subgraph) { (void)graph, (void)subgraph; return JC_OK; }
const jc_structure *jc_structures_at(const jc_structures *s, int32_t id) { (void)s, (void)id; return NULL; }
