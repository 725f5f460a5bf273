/* The arena of a run in host memory. */
#include <string.h>

#include "backend/backend.h"
#include "core/error.h"
#include "core/size.h"

enum { ALIGNMENT = 64 };

/* The allocator promises 16 bytes of alignment; the arena is moved up to 64. */
int64_t jc_host_arena_bytes(const jc_program *program)
{
    int64_t bytes = program->layout.arena_bytes;
    return bytes > INT64_MAX - ALIGNMENT ? INT64_MAX : bytes + ALIGNMENT;
}

jc_status jc_host_open(jc_run *run)
{
    const jc_program *p = run->program;
    unsigned char *raw;
    jc_status status = jc_alloc(&p->allocator, jc_host_arena_bytes(p), 1, "the values of a run", &raw);
    if (status) return status;
    run->arena_raw = raw;
    run->arena = (unsigned char *)(((uintptr_t)raw + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));
    return JC_OK;
}

void jc_host_close(jc_run *run)
{
    jc_free(&run->program->allocator, run->arena_raw, jc_host_arena_bytes(run->program), 1);
    run->arena = run->arena_raw = NULL;
}

const void *jc_host_peek(const jc_run *run, int64_t value, int64_t row)
{
    const jc_layout *layout = &run->program->layout;
    return run->arena + layout->offset[value] + row * run->program->plan->values[value].cols * layout->element_bytes;
}

jc_status jc_host_read(const jc_run *run, int64_t value, int64_t row, int64_t n, void *dst)
{
    const jc_layout *layout = &run->program->layout;
    int64_t row_bytes = run->program->plan->values[value].cols * layout->element_bytes;
    memcpy(dst, jc_host_peek(run, value, row), (size_t)(n * row_bytes));
    return JC_OK;
}
