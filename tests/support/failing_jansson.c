#include "support/failing_jansson.h"

#include <jansson.h>

static jc_allocator routed;

static void *take(size_t bytes)
{
    return routed.alloc(routed.ctx, bytes);
}

/* jansson frees without a size, so the block says it. */
static void give(void *ptr)
{
    if (ptr) routed.free(routed.ctx, ptr, failing_allocator_bytes(ptr));
}

void failing_jansson_route(const jc_allocator *allocator)
{
    routed = *allocator;
    json_set_alloc_funcs(take, give);
}
