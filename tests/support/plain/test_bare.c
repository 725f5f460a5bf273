/* What a bare build (-DJACCHAIN_BARE=ON) says in place of what it does not have. */
#include <criterion/criterion.h>
#include <string.h>

#include "backend/cpu/blas.h"
#include "jacchain.h"

Test(bare, documents_are_refused_with_a_sentence)
{
    jc_graph *graph = NULL;
    cr_assert_eq(jc_graph_load("graph.json", NULL, &graph), JC_E_UNAVAILABLE);
    cr_assert_null(graph);
    cr_assert_not_null(strstr(jc_last_error(), "graph.json"), "%s", jc_last_error());
    cr_assert_not_null(strstr(jc_last_error(), "without jansson"), "%s", jc_last_error());
}

Test(bare, there_is_no_openblas)
{
    cr_assert(!jc_blas_gemm);
}
