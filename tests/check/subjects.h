/* What the tests of the check run on. */
#ifndef JT_SUBJECTS_H
#define JT_SUBJECTS_H

#include "backend/backend.h"

typedef struct jt_subject {
    const jc_backend *backend;
    jc_precision precision;
} jt_subject;

enum { JT_MAX_SUBJECTS = 8 };

/* Every backend of the library that takes part, in f64 and f32; the reference has f64 only. Returns how many. */
int jt_subjects(jt_subject subjects[JT_MAX_SUBJECTS]);

/* jc_check of a chain of four variables, each allocation failing once: JC_E_MEMORY and nothing left. eliminate: [n] the
 * order of an elimination, NULL: a sweep. */
void jt_check_without_memory(const jc_vertex *eliminate, int64_t n);

#endif
