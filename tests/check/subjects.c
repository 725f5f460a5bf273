#include "check/subjects.h"

#include <string.h>

#include "support/compute.h"

int jt_subjects(jt_subject s[JT_MAX_SUBJECTS])
{
    int n = 0;
    for (int i = 0; i < jc_backend_count(); i++) {
        bool reference = !strcmp(jc_backend_at(i)->name, "reference");
        if (!jt_takes_part(jc_backend_at(i)->name)) continue;
        s[n++] = (jt_subject){jc_backend_at(i), JC_PRECISION_F64};
        if (!reference) s[n++] = (jt_subject){jc_backend_at(i), JC_PRECISION_F32};
    }
    return n;
}
