#include "check/subjects.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/compute.h"
#include "support/failing_allocator.h"

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

void jt_check_without_memory(const jc_vertex *eliminate, int64_t n)
{
    double numbers[3 * 9] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 2, 0, 0, 0, 2};
    int64_t of = 3, wrt = 0, done = 0;
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    q.order = eliminate ? JC_ORDER_ELIMINATION : JC_ORDER_AUTO, q.eliminate = eliminate, q.n_eliminate = n;
    for (int64_t fail_at = 0; !done; fail_at++) {
        failing_allocator state;
        jc_allocator allocator = failing_allocator_init(&state, -1);
        jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator};
        jc_graph *g = NULL;
        jt_ok(jc_graph_create(&options, &g), "graph");
        for (int i = 0; i < 4; i++) {
            int64_t v;
            char name[2] = {(char)('a' + i), 0};
            jt_ok(jc_graph_add_variable(g, name, 3, &v), "variable");
        }
        for (int i = 0; i < 3; i++) {
            jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
            j.values = jc_array_2d(JC_F64, 3, 3, numbers + 9 * i);
            jt_ok(jc_graph_add_edge(g, i + 1, i, &j, NULL, 0), "edge");
        }
        jt_ok(jc_graph_finish(g), "finish");
        state.fail_at = state.calls + fail_at;
        jc_check_report *report = NULL;
        jc_status status = jc_check(g, &q, NULL, &report);
        cr_assert(status == JC_OK || status == JC_E_MEMORY, "%s", jc_last_error());
        done = state.failures == 0;
        cr_assert(!done || status == JC_OK);
        cr_assert(status == JC_OK || !report);
        jc_check_destroy(report);
        jc_graph_destroy(g);
        cr_assert(state.live_blocks == 0 && state.defects == 0, "allocation %lld leaks", (long long)fail_at);
    }
}
