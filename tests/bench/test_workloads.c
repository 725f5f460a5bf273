/* The workloads of the device's benchmark, made small, on the stand-in: their graphs are what the library takes, and
 * their residuals tell right results from wrong ones. */
#include <criterion/criterion.h>
#include <string.h>

#include "bench/gpu/gpu_bench.h"
#include "standin/device.h"

enum { SHRINK = 4096 };

static gb_row run_small(int index)
{
    const gb_limits limits = {1e12, 1e12, 1e12, 1e12, 1e12, 1e12, 1e-6};
    jt_standin_config config = jt_standin_default();
    config.memory_bytes = (size_t)4 << 30;
    jt_device_begin(1, &config);
    gb_open();
    gb_row row = gb_run_goal(index, &limits, SHRINK);
    gb_check(gb_api->stream_destroy(gb_stream), "a stream");
    jt_device_end(gb_goals[index].name);
    return row;
}

Test(bench, every_workload_is_right)
{
    for (int i = 0; i < gb_n_goals && jt_device_there(); i++) {
        gb_row row = run_small(i);
        cr_expect(row.outcome.valid && row.outcome.seconds > 0, "%s: %s", gb_goals[i].name, row.outcome.trouble);
        cr_expect_gt(row.measured, 0, "%s", gb_goals[i].name);
    }
}

/* Every goal is of a workload that exists. */
Test(bench, goals_have_names_of_their_own)
{
    for (int i = 0; i < gb_n_goals; i++) {
        cr_expect(gb_goals[i].at_least > 0);
        for (int j = 0; j < i; j++) cr_expect(strcmp(gb_goals[i].name, gb_goals[j].name) != 0);
    }
}
