#include "support/judge.h"

#include <criterion/criterion.h>

#include "support/oracle.h"

void jt_expect_path_sum(const jt_graph *g, const jt_result *r, uint64_t seed, const char *backend)
{
    jt_pool pool = {0};
    cr_assert(r->rows == g->size[r->of] && r->cols == g->size[r->wrt] && r->blocks == 1);
    long double *total = r->real ? jt_total_by_paths(&pool, g, r->of, r->wrt, false) : NULL;
    uint64_t *modulo = r->real ? NULL : jt_total_modulo(&pool, g, r->of, r->wrt);
    for (int64_t i = 0; i < r->rows * r->cols; i++) {
        if (modulo)
            cr_assert_eq(r->modulo[i], modulo[i], "seed %llu, %s: d%lld/d%lld entry %lld", (unsigned long long)seed,
                         backend, (long long)r->of, (long long)r->wrt, (long long)i);
        else
            cr_assert_eq((long double)r->real[i], total[i], "seed %llu, %s: d%lld/d%lld entry %lld: %g, expected %Lg",
                         (unsigned long long)seed, backend, (long long)r->of, (long long)r->wrt, (long long)i,
                         r->real[i], total[i]);
    }
    jt_pool_free(&pool);
}
