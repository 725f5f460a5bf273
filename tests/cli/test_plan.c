#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/command.h"
#include "jacchain.h"
#include "support/sanitized.h"

/* The multiply-adds of post by hand: reverse 10 + 6 + 12 + 8 + 20, forward 24 + 40 + 12 + 8 + 20. */
Test(cli_plan, json_has_the_shape_of_the_contract_and_the_costs_counted_by_hand)
{
    static const char *const keys[] = {"level", "kind", "count", "m", "n", "k", "routine"};
    json_t *root = expect_json(0, "plan", POST, "--of", "L", "--json", NULL);
    cr_expect(json_same(json_at(root, "order"), "\"reverse\""));
    cr_expect(json_same(json_at(root, "multiply_adds"), "56"));
    cr_expect(json_same(json_at(root, "alternatives"), "{\"reverse\": 56, \"forward\": 104, \"elimination\": 56}"));
    cr_expect(json_same(json_at(root, "eliminate"), "[\"z\", \"y\", \"x\"]"));
    cr_expect(json_is_integer(json_at(root, "levels")));
    cr_expect(json_is_integer(json_at(root, "bytes")));
    cr_expect(json_is_integer(json_at(root, "peak_bytes")));
    cr_expect(json_is_number(json_at(root, "seconds_predicted")));
    cr_expect_gt(json_array_size(json_at(root, "batches")), 0);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_expect(json_object_get(json_at(root, "batches/0"), keys[i]), "%s", keys[i]);
    json_decref(root);
    root = expect_json(0, "plan", POST, "--of", "L", "--order", "forward", "--json", NULL);
    cr_expect(json_same(json_at(root, "order"), "\"forward\""));
    cr_expect(json_same(json_at(root, "multiply_adds"), "104"));
    cr_expect(json_same(json_at(root, "eliminate"), "[\"x\", \"y\", \"z\"]"));
    json_decref(root);
}

Test(cli_plan, nothing_is_computed_and_the_prediction_is_what_total_then_uses)
{
    json_t *plan = expect_json(0, "plan", DIGITS, "--of", "L", "--json", NULL);
    json_t *total = expect_json(0, "total", DIGITS, "--of", "L", "--json", NULL);
    cr_expect(json_equal(json_at(plan, "multiply_adds"), json_at(total, "cost/multiply_adds")));
    cr_expect(json_equal(json_at(plan, "bytes"), json_at(total, "cost/bytes")));
    cr_expect(json_equal(json_at(plan, "peak_bytes"), json_at(total, "peak_bytes")));
    cr_expect(json_equal(json_at(plan, "backend"), json_at(total, "backend")));
    json_decref(total);
    json_decref(plan);
}

Test(cli_plan, text_tells_order_costs_memory_and_batches)
{
    run r = expect_code(0, "plan", POST, "--of", "L", NULL);
    static const char *const texts[] = {"order           reverse",
                                        "eliminate       z, y, x",
                                        "multiply-adds   56",
                                        "peak memory",
                                        "predicted time",
                                        "routine",
                                        "operations      8 in 8",
                                        "  forward                      104  ",
                                        "us  chosen\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_expect(strstr(r.out, texts[i]), "'%s' in:\n%s", texts[i], r.out);
    run_free(&r);
}

static void expect_row(json_t *plan, const char *order, json_t *of_order)
{
    static const char *const keys[] = {"multiply_adds", "bytes", "peak_bytes", "seconds_predicted"};
    json_t *row = json_object_get(json_at(plan, "orders"), order);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_expect(json_equal(json_object_get(row, keys[i]), json_object_get(of_order, keys[i])), "%s of %s", keys[i],
                  order);
}

/* A row is what the command says of that order alone. */
Test(cli_plan, orders_stand_side_by_side_as_each_would_be_planned_alone)
{
    static const char *const orders[] = {"reverse", "forward", "elimination"};
    json_t *alone[3];
    for (int o = 0; o < 3; o++)
        alone[o] = expect_json(0, "plan", DIGITS, "--of", "L", "--order", orders[o], "--json", NULL);
    for (int o = 0; o < 3; o++)
        for (int row = 0; row < 3; row++) {
            expect_row(alone[o], orders[row], alone[row]);
            json_t *cost = json_object_get(json_at(alone[o], "alternatives"), orders[row]);
            cr_expect(json_equal(cost, json_at(alone[row], "multiply_adds")), "%s", orders[row]);
        }
    for (int o = 0; o < 3; o++) json_decref(alone[o]);
}

/* z <- y <- x with I_2 (x) D for y and D (x) I_2 for z: no kind but dense holds D[z,x]. The order is given, since it is
 * not cheaper than a sweep. */
Test(cli_plan, what_becomes_dense_is_said)
{
    folder_enter();
    write_text("g.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 4}, {\"name\": \"y\", \"size\": 4}, "
               "{\"name\": \"z\", \"size\": 4}], \"edges\": [{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": "
               "{\"kind\": \"dense\", \"batch\": 2, \"values\": [[1, 2], [3, 4]]}}, {\"of\": \"z\", \"wrt\": "
               "\"y\", \"jacobian\": {\"kind\": \"dense\", \"inner\": 2, \"values\": [[1, 2], [3, 4]]}}]}");
    write_text("o.json", "{\"jacchain_order\": 1, \"of\": [\"z\"], \"wrt\": [\"x\"], \"graph\": {\"variables\": 3, "
                         "\"edges\": 2}, \"order\": \"elimination\", \"eliminate\": [{\"variable\": \"y\"}]}");
    json_t *root = expect_json(0, "plan", "g.json", "--of", "z", "--plan-in", "o.json", "--json", NULL);
    cr_expect_eq(json_array_size(json_at(root, "dense")), 1);
    cr_expect(json_same(json_at(root, "dense/0/of"), "\"z\""));
    cr_expect(json_same(json_at(root, "dense/0/via"), "\"y\""));
    cr_expect(json_same(json_at(root, "dense/0/wrt"), "\"x\""));
    cr_expect(json_same(json_at(root, "dense/0/entries"), "16"));
    cr_expect(json_equal(json_at(root, "dense/0/multiply_adds"), json_at(root, "multiply_adds")));
    json_decref(root);
    run r = expect_code(0, "plan", "g.json", "--of", "z", "--plan-in", "o.json", NULL);
    cr_expect(strstr(r.out, "became dense"), "%s", r.out);
    cr_expect(strstr(r.out, "  D[z,x] by D[z,y] ("), "%s", r.out);
    cr_expect(strstr(r.out, ": 16 entries, "), "%s", r.out);
    run_free(&r);
    r = expect_code(0, "plan", POST, "--of", "L", NULL);
    cr_expect_null(strstr(r.out, "became dense"));
    run_free(&r);
    folder_leave();
}

/* v0 -> v1 -> .. -> v<edges> with sizes 100, 1, 100, 1, .., 100: every D is a row or a column of ones. */
static void write_bottlenecks(const char *path, int edges)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f);
    fputs("{\"jacchain\": 1, \"variables\": [", f);
    for (int v = 0; v <= edges; v++)
        fprintf(f, "%s{\"name\": \"v%d\", \"size\": %d}", v ? ", " : "", v, v % 2 ? 1 : 100);
    fputs("], \"edges\": [", f);
    for (int v = 0; v < edges; v++) {
        fprintf(f, "%s{\"of\": \"v%d\", \"wrt\": \"v%d\", \"jacobian\": {\"kind\": \"dense\", \"values\": [",
                v ? ", " : "", v + 1, v);
        for (int i = 0; i < 100; i++) fprintf(f, v % 2 ? "%s[1]" : "%s1", i ? ", " : v % 2 ? "" : "[");
        fputs(v % 2 ? "]}}" : "]]}}", f);
    }
    fputs("]}\n", f);
    fclose(f);
}

/* Each sweep multiplies 100 x 100 numbers by every D; an elimination of the large ones makes scalars of them first: 100
 * for each of nine, 8 products of scalars, 100 for the scalar and a row or column, 100 x 100 at the end. */
Test(cli_plan, auto_is_the_order_that_total_takes)
{
    static const char *const keys[] = {"order", "backend"};
    folder_enter();
    write_bottlenecks("g.json", 20);
    json_t *plan = expect_json(0, "plan", "g.json", "--of", "v20", "--json", "--plan-out", "p.json", NULL);
    json_t *total = expect_json(0, "total", "g.json", "--of", "v20", "--json", "--plan-out", "t.json", NULL);
    cr_expect(json_same(json_at(plan, "order"), "\"elimination\""));
    cr_expect(json_same(json_at(plan, "multiply_adds"), "11008"));
    cr_expect(
        json_same(json_at(plan, "alternatives"), "{\"reverse\": 190000, \"forward\": 190000, \"elimination\": 11008}"));
    for (int i = 0; i < 2; i++) cr_expect(json_equal(json_at(plan, keys[i]), json_at(total, keys[i])), "%s", keys[i]);
    cr_expect(json_equal(json_at(plan, "multiply_adds"), json_at(total, "cost/multiply_adds")));
    cr_expect(json_equal(json_at(plan, "peak_bytes"), json_at(total, "peak_bytes")));
    cr_expect(json_same(json_array_get(json_at(total, "totals/0/values/0"), 0), "1000000000000000000"));
    json_decref(total);
    json_decref(plan);
    run r = expect_code(0, "total", "g.json", "--of", "v20", "--plan-in", "p.json", "--plan-out", "again.json",
                        "--quiet", NULL);
    run_free(&r);
    cr_expect_eq(system("cmp -s p.json t.json && cmp -s p.json again.json"), 0);
    folder_leave();
}

/* Where nothing is found below a sweep, the elimination is that sweep, and says so. */
Test(cli_plan, an_elimination_that_is_a_sweep_says_so)
{
    json_t *root = expect_json(0, "plan", POST, "--of", "L", "--order", "elimination", "--json", NULL);
    cr_expect(json_same(json_at(root, "order"), "\"elimination\""));
    cr_expect(json_same(json_at(root, "sweep"), "\"reverse\""));
    json_decref(root);
    run r = expect_code(0, "plan", POST, "--of", "L", "--order", "elimination", NULL);
    cr_expect(strstr(r.out, "elimination: nothing was found below the sweep, reverse\n"), "%s", r.out);
    run_free(&r);
    root = expect_json(0, "plan", POST, "--of", "L,z", "--wrt", "w,x", "--order", "elimination", "--json", NULL);
    cr_expect(json_is_null(json_at(root, "sweep")));
    cr_expect(json_same(json_at(root, "multiply_adds"), "150"));
    json_decref(root);
}

/* A graph that would take long has the row of its own order and the costs of the others. */
Test(cli_plan, orders_of_large_graphs_are_not_planned)
{
    folder_enter();
    run r = expect_code(0, "gen", "chain", "--depth", "60000", "--size", "1", "--output", "c", "--quiet", NULL);
    run_free(&r);
    json_t *root = expect_json(0, "plan", "c.json", "--of", "v60000", "--order", "reverse", "--json", NULL);
    cr_expect(json_is_integer(json_at(root, "orders/reverse/peak_bytes")));
    cr_expect(json_is_integer(json_at(root, "orders/forward/multiply_adds")));
    cr_expect(json_is_null(json_at(root, "orders/forward/peak_bytes")));
    cr_expect(json_is_null(json_at(root, "orders/forward/seconds_predicted")));
    json_decref(root);
    r = expect_code(0, "plan", "c.json", "--of", "v60000", "--order", "reverse", NULL);
    cr_expect(strstr(r.out, "  59,999            -            -               -\n"), "%s", r.out);
    run_free(&r);
    folder_leave();
}

/* A seed of k rows for L costs k times the products, and D[L,.] must then be multiplied too: 3 (56 + 5 + 2 + 3). */
Test(cli_plan, seed_width_plans_a_vjp_or_a_jvp)
{
    json_t *root = expect_json(0, "plan", POST, "--of", "L", "--seed-width", "3", "--order", "reverse", "--json", NULL);
    cr_expect(json_same(json_at(root, "seed"), "\"rows\""));
    cr_expect(json_same(json_at(root, "multiply_adds"), "198"));
    json_decref(root);
    root = expect_json(0, "plan", POST, "--of", "L,z", "--wrt", "w", "--seed-width", "2", "--json", NULL);
    cr_expect(json_same(json_at(root, "seed"), "\"columns\""));
    json_decref(root);
    root = expect_json(0, "plan", POST, "--of", "L", "--wrt", "w", "--seed-width", "2", "--order", "forward", "--json",
                       NULL);
    cr_expect(json_same(json_at(root, "seed"), "\"columns\""));
    json_decref(root);
    run r = expect_code(2, "plan", POST, "--of", "L,z", "--wrt", "w,x", "--seed-width", "2", NULL);
    cr_expect(strstr(r.err, "--seed-width"), "%s", r.err);
    run_free(&r);
}

static const char structure[] = "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 3}, {\"name\": \"b\", "
                                "\"size\": 4}, {\"name\": \"c\", \"size\": 2}], \"edges\": "
                                "[{\"of\": \"b\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"dense\"}}, {\"of\": "
                                "\"c\", \"wrt\": \"b\", \"jacobian\": {\"kind\": \"dense\"}}]}";

Test(cli_plan, a_structure_without_numbers_is_planned_and_not_computed)
{
    folder_enter();
    write_text("structure.json", structure);
    run r = expect_code(0, "plan", "structure.json", "--of", "c", NULL);
    cr_expect(strstr(r.out, "counted as that of a dense D"), "%s", r.out);
    run_free(&r);
    json_t *root = expect_json(0, "plan", "structure.json", "--of", "c", "--json", NULL);
    cr_expect(json_same(json_at(root, "multiply_adds"), "24"));
    cr_expect(json_is_true(json_at(root, "structure_only")));
    json_decref(root);
    r = expect_code(3, "total", "structure.json", "--of", "c", NULL);
    cr_expect(strstr(r.err, "structure.json: "), "%s", r.err);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
    folder_leave();
}

Test(cli_plan, a_memory_limit_shows_blocks_or_is_too_small)
{
    run r =
        expect_code(0, "plan", DIGITS, "--of", "o", "--wrt", "b", "--order", "reverse", "--memory-limit", "1M", NULL);
    cr_expect(strstr(r.out, "in blocks"), "%s", r.out);
    run_free(&r);
    r = expect_code(5, "plan", DIGITS, "--of", "o", "--wrt", "b", "--order", "reverse", "--memory-limit", "1K", NULL);
    cr_expect(strstr(r.err, "1024 bytes"), "%s", r.err);
    run_free(&r);
}

Test(cli_info, tells_version_backends_devices_and_libraries)
{
    json_t *root = expect_json(0, "info", "--json", NULL);
    cr_expect_str_eq(json_string_value(json_at(root, "version")), JACCHAIN_VERSION);
    for (size_t i = 0; jc_backend_name((int)i); i++)
        cr_expect_str_eq(json_string_value(json_array_get(json_at(root, "backends"), i)), jc_backend_name((int)i));
    cr_expect(json_is_string(json_at(root, "devices/0/name")));
    cr_expect_str_eq(json_string_value(json_at(root, "libraries/jansson")), jansson_version_str());
    cr_expect(json_is_string(json_at(root, "libraries/openblas")));
    cr_expect(json_is_string(json_at(root, "libraries/gmp")));
#ifdef JACCHAIN_HAS_CUDA
    cr_expect_eq(strncmp(json_string_value(json_at(root, "libraries/cuda_runtime")), "13.", 3), 0);
    cr_expect_not_null(json_at(root, "libraries/cuda_driver"));
#else
    cr_expect_null(json_at(root, "libraries/cuda_runtime"));
#endif
    json_decref(root);
    run r = expect_code(0, "info", NULL);
    cr_expect(strstr(r.out, "OpenBLAS"), "%s", r.out);
    run_free(&r);
    r = expect_code(2, "info", POST, NULL);
    run_free(&r);
}

static double children_s(void)
{
    struct rusage use;
    cr_assert_eq(getrusage(RUSAGE_CHILDREN, &use), 0);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           1e-6 * (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

/* Processor time, the best of several starts, so that a busy machine does not count. Where there is a driver it is
 * asked for its devices, which takes time of its own. */
Test(cli_info, starts_in_less_than_10_ms)
{
    double best = 1;
    json_t *root = expect_json(0, "info", "--json", NULL);
    bool with_driver = json_is_string(json_at(root, "libraries/cuda_driver"));
    json_decref(root);
    for (int i = 0; i < 20; i++) {
        double before = children_s();
        run r = expect_code(0, "info", NULL);
        run_free(&r);
        best = fmin(best, children_s() - before);
    }
    cr_expect(with_driver || JT_SANITIZED || best < 0.010, "%g s", best);
}

/* L <- y <- x with identities, size(x) = size(y) = 500, L their sum: forward costs no multiply-adds, but 500 x 500
 * numbers that are held; reverse 500 of each. And the mirror image, y <- x <- s. */
Test(cli_plan, auto_does_not_hold_a_dense_identity_to_save_some_multiply_adds)
{
    folder_enter();
    write_text("sum.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 500}, {\"name\": \"y\", \"size\": 500},"
               " {\"name\": \"L\", \"size\": 1}], \"edges\": ["
               "{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"identity\", \"scale\": -1}},"
               "{\"of\": \"L\", \"wrt\": \"y\", \"jacobian\": {\"kind\": \"tile\", \"transpose\": true}}]}");
    write_text("spread.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"s\", \"size\": 1}, {\"name\": \"x\", \"size\": 500},"
               " {\"name\": \"L\", \"size\": 500}], \"edges\": ["
               "{\"of\": \"x\", \"wrt\": \"s\", \"jacobian\": {\"kind\": \"tile\"}},"
               "{\"of\": \"L\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"identity\", \"scale\": -1}}]}");
    static const char *const files[] = {"sum.json", "spread.json"}, *const orders[] = {"\"reverse\"", "\"forward\""};
    for (int i = 0; i < 2; i++) {
        json_t *root = expect_json(0, "plan", files[i], "--of", "L", "--json", NULL);
        cr_expect(json_same(json_at(root, "order"), orders[i]), "%s", files[i]);
        cr_expect_lt(json_integer_value(json_at(root, "peak_bytes")), 100000);
        json_decref(root);
    }
    folder_leave();
}
