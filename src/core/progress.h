/* Telling whoever asked how far long work has come. */
#ifndef JC_CORE_PROGRESS_H
#define JC_CORE_PROGRESS_H

#include "jacchain.h"

static inline void jc_progress_tell(const jc_progress *progress, const char *unit, int64_t done, int64_t total)
{
    if (progress->report) progress->report(progress->ctx, unit, done, total);
}

#endif
