/* Threads of execution that are switched by hand, for the emulation of a block's threads. */
#ifndef JT_FIBER_H
#define JT_FIBER_H

#include <stddef.h>

namespace jt
{

struct fiber;

/* A fiber that runs run(arg) when it is first switched to; `run` must end with a switch for good. The same fiber may be
 * begun again, whatever it was doing. */
fiber *fiber_create(void (*run)(void *arg), void *arg);
void fiber_begin(fiber *f);
void fiber_destroy(fiber *f);

/* From the caller's own thread into the fiber, and back from it. */
void fiber_enter(fiber *f);
void fiber_leave(fiber *f, bool for_good);

} // namespace jt

#endif
