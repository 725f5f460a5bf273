/* What the stand-in's own tests say of a call and of its findings. */
#ifndef JT_STANDIN_EXPECT_H
#define JT_STANDIN_EXPECT_H

#include <criterion/criterion.h>

#include "standin/standin.h"

static const jc_gpu_api *const api = &jt_standin_api;

/* The call did what it was asked for. */
static inline void ok(int code)
{
    cr_assert_eq(code, 0, "%s; %s", api->error_text(code), jt_standin_first());
}

/* Exactly this kind was found, or with -1 nothing. */
static inline void found(int kind)
{
    if (kind < 0) {
        cr_expect_eq(jt_standin_found_any(), 0, "%s", jt_standin_first());
        return;
    }
    cr_expect_gt(jt_standin_found((jt_kind)kind), 0, "%s was not found", jt_kind_name((jt_kind)kind));
    cr_expect_eq(jt_standin_found_any(), jt_standin_found((jt_kind)kind), "%s", jt_standin_first());
}

#endif
