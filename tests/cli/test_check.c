#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "io/safetensors.h"
#include "io/safetensors_write.h"
#include "jacchain.h"

Test(cli_check, right_results_pass_on_every_backend_and_in_both_precisions)
{
    static const char *const precisions[] = {"f64", "f32"};
    for (int i = 0; jc_backend_name(i); i++) {
        if (jc_backend_available(jc_backend_name(i))) continue;
        for (int p = 0; p < 2; p++) {
            run r =
                expect_code(0, "check", DIGITS, "--backend", jc_backend_name(i), "--precision", precisions[p], NULL);
            cr_expect(strstr(r.out, "\ncheck passed: "), "%s", r.out);
            cr_expect(strstr(r.out, "dL/dW_rec"), "%s", r.out);
            run_free(&r);
        }
    }
}

Test(cli_check, eliminations_pass_on_every_backend_and_in_both_precisions)
{
    static const char *const precisions[] = {"f64", "f32"}, *const graphs[] = {JC_EXAMPLES "/lsnn.json", DIGITS, POST};
    for (int i = 0; jc_backend_name(i); i++) {
        if (jc_backend_available(jc_backend_name(i))) continue;
        for (int k = 0; k < 6; k++) {
            run r = expect_code(0, "check", graphs[k / 2], "--order", "elimination", "--backend", jc_backend_name(i),
                                "--precision", precisions[k % 2], NULL);
            cr_expect(strstr(r.out, "\ncheck passed: "), "%s: %s", graphs[k / 2], r.out);
            run_free(&r);
        }
    }
    json_t *root = expect_json(0, "check", JC_EXAMPLES "/lsnn.json", "--order", "elimination", "--json", NULL);
    cr_expect_eq(json_array_size(json_at(root, "totals")), 3);
    cr_expect(json_number_value(json_at(root, "totals/0/error")) <= json_number_value(json_at(root, "totals/0/bound")));
    json_decref(root);
}

Test(cli_check, json_has_the_shape_of_the_contract)
{
    json_t *root = expect_json(0, "check", POST, "--json", NULL);
    cr_expect_str_eq(json_string_value(json_at(root, "verdict")), "passed");
    cr_expect(json_is_string(json_at(root, "backend")));
    cr_expect(json_is_object(json_at(root, "residual")));
    cr_expect(json_is_string(json_at(root, "residual/variable")));
    cr_expect_eq(json_array_size(json_at(root, "residual/entry")), 2);
    cr_expect(json_is_number(json_at(root, "residual/ratio")));
    cr_expect_eq(json_array_size(json_at(root, "totals")), 1); /* L is the only sink, w the only source */
    cr_expect(json_same(json_at(root, "totals/0/of"), "\"L\""));
    cr_expect(json_same(json_at(root, "totals/0/wrt"), "\"w\""));
    cr_expect(json_is_number(json_at(root, "totals/0/error")));
    cr_expect(json_is_number(json_at(root, "totals/0/bound")));
    cr_expect_eq(json_array_size(json_at(root, "totals/0/worst")), 2);
    cr_expect(json_same(json_at(root, "totals/0/verdict"), "\"passed\""));
    json_decref(root);
    root = expect_json(0, "check", POST, "--of", "y,z", "--wrt", "x", "--json", NULL);
    cr_expect_eq(json_array_size(json_at(root, "totals")), 2);
    json_decref(root);
}

Test(cli_check, results_of_another_system_pass_against_ours)
{
    run r = expect_code(0, "check", DIGITS, "--against", DIGITS_EXPECTED, NULL);
    cr_expect(strstr(r.out, "check passed: "), "%s", r.out);
    run_free(&r);
    json_t *root =
        expect_json(0, "check", DIGITS, "--against", DIGITS_EXPECTED, "--of", "L", "--wrt", "b,c", "--json", NULL);
    cr_expect_eq(json_array_size(json_at(root, "totals")), 2);
    json_decref(root);
}

/* Copies the named tensors of a file, adding `error` to one entry of one. */
static void copy_with_error(const char *from, const char *to, const char *const *names, int n, const char *wrong,
                            int64_t entry, double error)
{
    jc_safetensors *file;
    jc_safetensors_writer *writer;
    jc_tensor_spec specs[8];
    cr_assert_eq(jc_safetensors_open(NULL, from, &file), JC_OK);
    for (int i = 0; i < n; i++) {
        const jc_tensor *t = jc_safetensors_find(file, names[i]);
        specs[i] = (jc_tensor_spec){names[i], JC_F64, 2, {t->dims[0], t->dims[1]}};
    }
    cr_assert_eq(jc_safetensors_create(NULL, to, specs, n, NULL, 0, &writer), JC_OK);
    for (int i = 0; i < n; i++) {
        const jc_tensor *t = jc_safetensors_find(file, names[i]);
        double *values = malloc((size_t)t->bytes);
        memcpy(values, t->data, (size_t)t->bytes);
        if (!strcmp(names[i], wrong)) values[entry] += error;
        cr_assert_eq(jc_safetensors_append(writer, i, values, t->bytes), JC_OK);
        free(values);
    }
    cr_assert_eq(jc_safetensors_commit(writer), JC_OK);
    jc_safetensors_close(file);
}

Test(cli_check, a_wrong_entry_is_named_with_its_distance)
{
    static const char *const names[] = {"dL/dW_in", "dL/db", "dL/dc"};
    folder_enter();
    copy_with_error(DIGITS_EXPECTED, "wrong.safetensors", names, 3, "dL/db", 17, 1e-6);
    run r = expect_code(1, "check", DIGITS, "--against", "wrong.safetensors", NULL);
    cr_expect(strstr(r.out, "\ncheck failed: "), "%s", r.out);
    cr_expect(strstr(r.out, "dL/db, entry (0, 17), is off by 1e-06"), "%s", r.out);
    run_free(&r);
    json_t *root = expect_json(1, "check", DIGITS, "--against", "wrong.safetensors", "--wrt", "b", "--json", NULL);
    cr_expect(json_same(json_at(root, "verdict"), "\"failed\""));
    cr_expect(json_same(json_at(root, "totals/0/verdict"), "\"failed\""));
    cr_expect(json_same(json_at(root, "totals/0/worst"), "[0, 17]"));
    cr_expect_float_eq(json_number_value(json_at(root, "totals/0/error")), 1e-6, 1e-12);
    json_decref(root);
    root = expect_json(0, "check", DIGITS, "--against", "wrong.safetensors", "--wrt", "c", "--json", NULL);
    json_decref(root);
    r = expect_code(3, "check", DIGITS, "--against", "wrong.safetensors", "--of", "L", "--wrt", "W_out", NULL);
    cr_expect(strstr(r.err, "wrong.safetensors: there is no dL/dW_out"), "%s", r.err);
    run_free(&r);
    folder_leave();
}

Test(cli_check, what_does_not_go_with_against_is_refused)
{
    run r = expect_code(2, "check", POST, "--against", "a.safetensors", "--backend", "reference", NULL);
    cr_expect(strstr(r.err, "--against"), "%s", r.err);
    run_free(&r);
    r = expect_code(2, "check", POST, "--against", "a.txt", NULL);
    run_free(&r);
    r = expect_code(3, "check", POST, "--against", "/nowhere/a.safetensors", NULL);
    cr_expect(strstr(r.err, "/nowhere/a.safetensors"), "%s", r.err);
    run_free(&r);
}

/* NaN in an input decides nothing: exit code 1, and the edge is named. */
Test(cli_check, nan_in_an_input_leaves_it_undecided)
{
    folder_enter();
    write_matrix("side.safetensors", "d", 1, 2, (const double[]){NAN, 1});
    write_text("side.json", "{\"jacchain\": 1, \"tensors\": \"side.safetensors\", \"variables\": [{\"name\": \"x\", "
                            "\"size\": 2}, {\"name\": "
                            "\"y\", \"size\": 1}, {\"name\": \"z\", \"size\": 1}], \"edges\": [{\"of\": \"y\", "
                            "\"wrt\": \"x\", \"jacobian\": "
                            "{\"kind\": \"dense\", \"values\": {\"tensor\": \"d\"}}}, {\"of\": \"z\", \"wrt\": \"y\", "
                            "\"jacobian\": {\"kind\": "
                            "\"dense\", \"values\": [[2]]}}]}");
    run r = expect_code(1, "check", "side.json", NULL);
    cr_expect(strstr(r.out, "check undecided: "), "%s", r.out);
    cr_expect(strstr(r.err, "y <- x"), "%s", r.err);
    run_free(&r);
    json_t *root = expect_json(1, "check", "side.json", "--json", NULL);
    cr_expect(json_same(json_at(root, "verdict"), "\"undecided\""));
    json_decref(root);
    folder_leave();
}

Test(cli_check, the_totals_that_were_judged_can_be_written)
{
    folder_enter();
    run r = expect_code(0, "check", POST, "--output", "t.safetensors", NULL);
    run_free(&r);
    r = expect_code(0, "check", POST, "--against", "t.safetensors", NULL);
    run_free(&r);
    folder_leave();
}
