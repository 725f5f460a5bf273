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

#endif
