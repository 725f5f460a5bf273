#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "io/safetensors.h"
#include "jacchain.h"

/* post: all numbers are integers and known (examples/post.expected.json). */
static void expect_post_totals(const char *backend, const char *order)
{
    json_t *root = expect_json(0, "total", POST, "--of", "L", "--wrt", "w,x,y,z,L", "--json", "--quiet", "--backend",
                               backend, "--order", order, NULL);
    json_error_t error;
    json_t *expected = json_load_file(JC_EXAMPLES "/post.expected.json", 0, &error);
    static const char *const wrt[] = {"w", "x", "y", "z", "L"};
    cr_assert(expected);
    for (size_t i = 0; i < 5; i++) {
        json_t *total = json_array_get(json_at(root, "totals"), i);
        char name[16];
        snprintf(name, sizeof name, "dL/d%s", wrt[i]);
        char *values = json_dumps(json_object_get(expected, name), 0);
        cr_expect_str_eq(json_string_value(json_at(total, "of")), "L");
        cr_expect_str_eq(json_string_value(json_at(total, "wrt")), wrt[i]);
        cr_expect(json_same(json_at(total, "values"), values), "%s, %s, %s", name, backend, order);
        free(values);
    }
    cr_expect_str_eq(json_string_value(json_at(root, "backend")), backend);
    cr_expect_str_eq(json_string_value(json_at(root, "order")), order);
    json_decref(expected);
    json_decref(root);
}

Test(cli_total, post_is_the_known_integers_on_every_backend_in_both_orders)
{
    for (int i = 0; jc_backend_name(i); i++) {
        if (jc_backend_available(jc_backend_name(i))) continue;
        expect_post_totals(jc_backend_name(i), "reverse");
        expect_post_totals(jc_backend_name(i), "forward");
    }
}

Test(cli_total, small_results_are_aligned_tables_and_nothing_else)
{
    run r = expect_code(0, "total", POST, "--of", "L,y", "--wrt", "w,y", NULL);
    cr_expect_str_eq(r.out, "dL/dw  1 x 4\n"
                            "  12  136  -27  -146\n"
                            "dL/dy  1 x 2\n"
                            "  13  18\n"
                            "dy/dw  2 x 4\n"
                            "   6  10   6  -4\n"
                            "  -4   0  -6  -6\n"
                            "dy/dy  2 x 2\n"
                            "  1  0\n"
                            "  0  1\n");
    cr_expect(strstr(r.err, "5 variables, 8 edges"), "%s", r.err);
    run_free(&r);
    r = expect_code(0, "total", POST, "--of", "L", "--quiet", NULL); /* w is the only source */
    cr_expect_str_eq(r.out, "dL/dw  1 x 4\n  12  136  -27  -146\n");
    cr_expect_str_eq(r.err, "");
    run_free(&r);
}

Test(cli_total, json_has_the_shape_of_the_contract)
{
    static const char *const keys[] = {"command", "backend", "device",     "precision", "order",
                                       "totals",  "cost",    "peak_bytes", "seconds"};
    static const char *const seconds[] = {"load", "plan", "upload", "run", "download"};
    json_t *root = expect_json(0, "total", POST, "--of", "L,y", "--json", "--threads", "2", "--order", "reverse", NULL);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) cr_expect(json_object_get(root, keys[i]), "%s", keys[i]);
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++)
        cr_expect(json_is_number(json_object_get(json_at(root, "seconds"), seconds[i])), "%s", seconds[i]);
    cr_expect_str_eq(json_string_value(json_at(root, "command")), "total");
    cr_expect_str_eq(json_string_value(json_at(root, "precision")), "f64");
    cr_expect(json_is_string(json_at(root, "device")));
    cr_expect(json_is_integer(json_at(root, "peak_bytes")));
    cr_expect(json_is_integer(json_at(root, "cost/bytes")));
    cr_expect(json_same(json_at(root, "totals/0/shape"), "[1, 4]"));
    cr_expect(json_same(json_at(root, "totals/1/shape"), "[2, 4]"));
    json_decref(root);
    root = expect_json(0, "total", POST, "--of", "L", "--json", "--order", "reverse", NULL);
    cr_expect_eq(json_integer_value(json_at(root, "cost/multiply_adds")), 56); /* y 10, x 6, w 12 + 8 + 20 */
    json_decref(root);
    root = expect_json(0, "total", POST, "--of", "L", "--json", "--precision", "f32", NULL);
    cr_expect_str_eq(json_string_value(json_at(root, "precision")), "f32");
    cr_expect(json_same(json_at(root, "totals/0/values"), "[[12, 136, -27, -146]]"));
    json_decref(root);
}

/* L = 10,001 scalars: a summary, no values in JSON, all of them with --values. */
Test(cli_total, large_results_are_summaries_unless_values_are_wanted)
{
    folder_enter();
    write_text(
        "tall.json",
        "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 10001}, {\"name\": \"b\", \"size\": 1}, "
        "{\"name\": \"c\", \"size\": 10000}], \"edges\": [{\"of\": \"a\", \"wrt\": \"b\", \"jacobian\": {\"kind\": "
        "\"tile\", \"scale\": -3}}, {\"of\": \"c\", \"wrt\": \"b\", \"jacobian\": {\"kind\": \"tile\"}}]}");
    run r = expect_code(0, "total", "tall.json", "--of", "a", NULL);
    cr_expect(strstr(r.out, "da/db   10001 x 1"), "%s", r.out);
    cr_expect(strstr(r.out, "  300.015  "), "%s", r.out); /* 3 sqrt(10001) */
    cr_expect(strstr(r.out, "  -3 "), "%s", r.out);
    run_free(&r);
    r = expect_code(0, "total", "tall.json", "--of", "a", "--values", NULL);
    cr_expect_gt(strlen(r.out), 4 * 10001);
    run_free(&r);
    json_t *root = expect_json(0, "total", "tall.json", "--of", "a,c", "--json", NULL);
    cr_expect_null(json_at(root, "totals/0/values"));
    cr_expect(json_same(json_at(root, "totals/0/shape"), "[10001, 1]"));
    cr_expect_eq(json_array_size(json_at(root, "totals/1/values")), 10000);
    json_decref(root);
    root = expect_json(0, "total", "tall.json", "--of", "a", "--json", "--values", NULL);
    cr_expect_eq(json_array_size(json_at(root, "totals/0/values")), 10001);
    json_decref(root);
    folder_leave();
}

/* y = x D1^T D2^T by samples: two samples with Jacobians of their own, [[1,2]], [[3,4]] after 10 and 100. */
static const char samples[] = "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 4}, {\"name\": \"h\", "
                              "\"size\": 4}, {\"name\": \"y\", \"size\": 2}],"
                              " \"edges\": [{\"of\": \"h\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"diagonal\", "
                              "\"values\": [10, 10, 100, 100]}},"
                              " {\"of\": \"y\", \"wrt\": \"h\", \"jacobian\": {\"kind\": \"dense\", \"batch\": 2, "
                              "\"values\": [[[1, 2]], [[3, 4]]]}}]}";

Test(cli_total, per_sample_results_are_the_diagonal_blocks)
{
    folder_enter();
    write_text("samples.json", samples);
    json_t *root = expect_json(0, "total", "samples.json", "--of", "y", "--per-sample", "2", "--json", NULL);
    cr_expect(json_same(json_at(root, "totals/0/shape"), "[2, 1, 2]"));
    cr_expect(json_same(json_at(root, "totals/0/values"), "[[[10, 20]], [[300, 400]]]"));
    json_decref(root);
    root = expect_json(0, "total", "samples.json", "--of", "y", "--json", NULL);
    cr_expect(json_same(json_at(root, "totals/0/values"), "[[10, 20, 0, 0], [0, 0, 300, 400]]"));
    json_decref(root);
    root = expect_json(0, "total", "samples.json", "--of", "y", "--per-sample", "1", "--json", NULL);
    cr_expect(json_same(json_at(root, "totals/0/values"), "[[[10, 20, 0, 0], [0, 0, 300, 400]]]"));
    json_decref(root);
    run r = expect_code(0, "total", "samples.json", "--of", "y", "--per-sample", "2", "--quiet", NULL);
    cr_expect_str_eq(r.out, "dy/dx  2 x 1 x 2\n  block 0\n   10   20\n  block 1\n  300  400\n");
    run_free(&r);
    r = expect_code(2, "total", "samples.json", "--of", "y", "--per-sample", "3", NULL); /* not a divisor */
    run_free(&r);
    r = expect_code(2, "total", POST, "--of", "y", "--wrt", "w", "--per-sample", "2", NULL); /* couples samples */
    run_free(&r);
    folder_leave();
}

Test(cli_total, numbers_read_back_as_the_same_bits_and_those_that_are_not_finite_are_texts)
{
    folder_enter();
    double values[] = {
        NAN, INFINITY, -INFINITY, 0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -2.5, 123456789012345680.0};
    write_matrix("side.safetensors", "d", 1, 9, values);
    write_text("side.json", "{\"jacchain\": 1, \"tensors\": \"side.safetensors\", \"variables\": [{\"name\": \"x\", "
                            "\"size\": 9}, {\"name\": "
                            "\"y\", \"size\": 1}], \"edges\": [{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": "
                            "{\"kind\": \"dense\", \"values\": "
                            "{\"tensor\": \"d\"}}}]}");
    json_t *root = expect_json(0, "total", "side.json", "--of", "y", "--json", NULL);
    json_t *row = json_at(root, "totals/0/values/0");
    cr_expect_str_eq(json_string_value(json_array_get(row, 0)), "nan");
    cr_expect_str_eq(json_string_value(json_array_get(row, 1)), "inf");
    cr_expect_str_eq(json_string_value(json_array_get(row, 2)), "-inf");
    for (size_t i = 3; i < 9; i++) {
        double value = json_number_value(json_array_get(row, i));
        cr_expect_eq(memcmp(&value, &values[i], 8), 0, "%zu: %.17g", i, value);
    }
    cr_expect(json_same(json_at(root, "non_finite_inputs/0/of"), "\"y\""));
    cr_expect(json_same(json_at(root, "non_finite_inputs/0/wrt"), "\"x\""));
    json_decref(root);
    run r = expect_code(0, "total", "side.json", "--of", "y", "--precision", "f32", "--json", NULL);
    cr_expect(strstr(r.out, "0.1, 0.33333334, "), "floats in their own digits: %s", r.out);
    run_free(&r);
    r = expect_code(0, "total", "side.json", "--of", "y", "--quiet", NULL);
    cr_expect(strstr(r.err, "y <- x"), "which input it was: %s", r.err);
    run_free(&r);
    folder_leave();
}

/* Every tensor of the expected gradients, computed by PyTorch, to 1e-14. */
Test(cli_total, a_trained_network_agrees_with_another_system)
{
    folder_enter();
    run r = expect_code(0, "total", DIGITS, "--of", "L", "--wrt", "W_in,W_rec,b,W_out,c,h0", "--output",
                        "g.safetensors", NULL);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
    jc_safetensors *got, *expected;
    cr_assert_eq(jc_safetensors_open(NULL, "g.safetensors", &got), JC_OK);
    cr_assert_eq(jc_safetensors_open(NULL, DIGITS_EXPECTED, &expected), JC_OK);
    int compared = 0;
    for (int64_t i = 0; i < jc_safetensors_count(got); i++) {
        const jc_tensor *a = jc_safetensors_tensor(got, i), *b = jc_safetensors_find(expected, a->name);
        if (!b) continue;
        cr_assert(a->dtype == JC_F64 && b->dtype == JC_F64 && a->bytes == b->bytes, "%s", a->name);
        compared++;
        for (int64_t j = 0; j < a->bytes / 8; j++) {
            double x, y;
            memcpy(&x, a->data + 8 * j, 8);
            memcpy(&y, b->data + 8 * j, 8);
            cr_assert_lt(fabs(x - y), 1e-14, "%s[%lld]", a->name, (long long)j);
        }
    }
    cr_expect_geq(compared, 5);
    jc_safetensors_close(expected);
    jc_safetensors_close(got);
    r = expect_code(0, "total", DIGITS, "--of", "L", "--wrt", "W_rec", "--quiet", NULL);
    cr_expect(strstr(r.out, "dL/dW_rec  1 x 1024"), "%s", r.out);
    run_free(&r);
    folder_leave();
}

/* A used edge without its numbers: the document and the place in it, in a group with the member. */
Test(cli_total, an_edge_without_numbers_is_named_with_its_place)
{
    folder_enter();
    const double ends[1] = {1};
    write_matrix("r.safetensors", "dc/da", 1, 1, ends);
    write_text("bare.json", "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 1}, {\"name\": \"b\", "
                            "\"size\": 1}, {\"name\": \"c\", \"size\": 1}], \"edges\": [{\"of\": \"b\", \"wrt\": "
                            "\"a\", \"jacobian\": {\"kind\": \"identity\"}}, {\"of\": \"c\", \"wrt\": \"b\", "
                            "\"jacobian\": {\"kind\": \"dense\"}}]}");
    static const char *const place = "bare.json: /edges/1/jacobian: edge c <- b";
    run r = expect_code(3, "total", "bare.json", "--of", "c", NULL);
    cr_expect(strstr(r.err, place), "%s", r.err);
    run_free(&r);
    r = expect_code(3, "check", "bare.json", NULL);
    cr_expect(strstr(r.err, place), "%s", r.err);
    run_free(&r);
    r = expect_code(3, "check", "bare.json", "--against", "r.safetensors", NULL);
    cr_expect(strstr(r.err, place), "%s", r.err);
    run_free(&r);
    r = expect_code(0, "total", "bare.json", "--of", "b", NULL);
    run_free(&r);
    folder_leave();
}
