/* Vector clocks, and the numbers of operations. */
#include "standin/internal.h"

#include <stdlib.h>
#include <string.h>

static void reach(jt_clock *clock, int32_t n)
{
    if (clock->n >= n) return;
    clock->at = jt_take(clock->at, (size_t)n * sizeof *clock->at);
    memset(clock->at + clock->n, 0, (size_t)(n - clock->n) * sizeof *clock->at);
    clock->n = n;
}

void jt_clock_set(jt_clock *clock, int32_t lane, uint32_t serial)
{
    reach(clock, lane + 1);
    clock->at[lane] = serial;
}

void jt_clock_join(jt_clock *clock, const jt_clock *other)
{
    reach(clock, other->n);
    for (int32_t i = 0; i < other->n; i++)
        if (other->at[i] > clock->at[i]) clock->at[i] = other->at[i];
}

void jt_clock_free(jt_clock *clock)
{
    free(clock->at);
    *clock = (jt_clock){0};
}

uint32_t jt_serial(jt_type type, int kernel, int32_t lane, int stream, int64_t node)
{
    jt_state *d = &jt_device;
    if (d->n_records == d->records_capacity) {
        d->records_capacity = d->records_capacity ? 2 * d->records_capacity : 256;
        d->records = jt_take(d->records, d->records_capacity * sizeof *d->records);
    }
    d->records[d->n_records] = (jt_record){(uint8_t)type, (int8_t)kernel, lane, stream, (int32_t)node};
    return d->n_records++;
}
