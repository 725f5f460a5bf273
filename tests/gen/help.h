/* Shared by the tests of the generator. */
#ifndef JC_TESTS_GEN_HELP_H
#define JC_TESTS_GEN_HELP_H

#include <criterion/criterion.h>

#include "gen/gen.h"

/* The family's options, all defaults, f64. */
static inline jc_gen_options gen_defaults(void)
{
    jc_gen_options options = {.seed = 1, .dtype = JC_F64};
    return options;
}

static inline jc_gen *gen_make(const char *family, const jc_gen_options *options)
{
    jc_gen *gen = NULL;
    jc_status status = jc_gen_create(NULL, jc_gen_family_find(family), options, &gen);
    cr_assert_eq(status, JC_OK, "%s: %s", family, jc_last_error());
    return gen;
}

#endif
