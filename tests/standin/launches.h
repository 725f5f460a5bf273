/* The kernels of kernels/, emulated, as those of the stand-in. */
#ifndef JT_LAUNCHES_H
#define JT_LAUNCHES_H

#include "standin/standin.h"

/* The stand-in and the kernels anew: the order of their threads and blocks by the seed. config NULL: the default, with
 * the seed. Returns the code of loading the kernels. */
int jt_launches_begin(uint64_t seed, const jt_standin_config *config);

/* What the emulation found first since then, or "". */
const char *jt_launches_first(void);

#endif
