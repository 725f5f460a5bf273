/* jansson's allocations through the allocator of failing_allocator.h. */
#ifndef JC_TESTS_FAILING_JANSSON_H
#define JC_TESTS_FAILING_JANSSON_H

#include "support/failing_allocator.h"

/* Takes jansson's allocations of this process from the allocator, towards whose counts they go. For tests only: the
 * library leaves jansson's allocator alone. */
void failing_jansson_route(const jc_allocator *allocator);

#endif
