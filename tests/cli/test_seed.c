#include <criterion/criterion.h>
#include <string.h>

#include "cli/command.h"
#include "jacchain.h"

/* post again; dz/dw and dz/dx multiplied by hand with these. */
static const double rows[] = {1, 0, 2, -1, 0, 0, 3, 0, 1, -2}; /* 2 x 5, for z */
static const double columns[] = {1, 2, 0, -1, 3, 0, -2, 1};    /* 4 x 2, for w */

static void enter(void)
{
    folder_enter();
    write_matrix("rows.safetensors", "s", 2, 5, rows);
    write_matrix("columns.safetensors", "t", 4, 2, columns);
    write_matrix("line.safetensors", "u", 5, 0, rows);
    write_matrix("column.safetensors", "v", 4, 0, (const double[]){1, 0, 3, -2});
}

Test(cli_seed, vjp_is_the_seed_times_the_total)
{
    enter();
    for (int i = 0; jc_backend_name(i); i++) {
        if (jc_backend_available(jc_backend_name(i))) continue;
        json_t *root = expect_json(0, "vjp", POST, "--of", "z", "--wrt", "w,x", "--seed", "rows.safetensors",
                                   "--backend", jc_backend_name(i), "--json", NULL);
        cr_expect(json_same(json_at(root, "command"), "\"vjp\""));
        cr_expect(json_same(json_at(root, "totals/0/shape"), "[2, 4]"));
        cr_expect(json_same(json_at(root, "totals/0/values"), "[[15, 10, 18, 9], [23, 93, 17, -69]]"));
        cr_expect(json_same(json_at(root, "totals/1/values"), "[[7, -1, -8], [-3, 24, 27]]"));
        json_decref(root);
    }
    run r = expect_code(0, "vjp", POST, "--of=z", "--wrt=w", "--seed=line.safetensors:u", "--quiet", NULL);
    cr_expect_str_eq(r.out, "dz/dw  1 x 4\n  15  10  18  9\n"); /* one axis: k = 1 */
    run_free(&r);
    folder_leave();
}

Test(cli_seed, jvp_is_the_total_times_the_seed)
{
    enter();
    for (int i = 0; jc_backend_name(i); i++) {
        if (jc_backend_available(jc_backend_name(i))) continue;
        json_t *root = expect_json(0, "jvp", POST, "--of", "z,L", "--wrt", "w", "--seed", "columns.safetensors:t",
                                   "--backend", jc_backend_name(i), "--json", NULL);
        cr_expect(json_same(json_at(root, "totals/0/shape"), "[5, 2]"));
        cr_expect(
            json_same(json_at(root, "totals/0/values"), "[[-117, -17], [56, -48], [101, 0], [34, -46], [-5, -37]]"));
        cr_expect(json_same(json_at(root, "totals/1/values"), "[[223, -258]]"));
        json_decref(root);
    }
    json_t *root =
        expect_json(0, "jvp", POST, "--of", "L", "--wrt", "w", "--seed", "column.safetensors", "--json", NULL);
    cr_expect(json_same(json_at(root, "totals/0/values"), "[[223]]"));
    json_decref(root);
    folder_leave();
}

/* The exit code, and both texts on standard error. */
static void expect_refused(int code, const char *first, const char *second, const char *command, const char *of,
                           const char *wrt, const char *seed)
{
    run r =
        expect_code(code, command, POST, "--of", of, "--wrt", wrt, "--seed", seed, "--output", "out.safetensors", NULL);
    cr_expect(strstr(r.err, first) && strstr(r.err, second), "expected '%s' and '%s' in: %s", first, second, r.err);
    cr_expect_str_eq(r.out, "");
    cr_expect_not(file_exists("out.safetensors"));
    run_free(&r);
}

Test(cli_seed, seeds_that_do_not_fit_are_refused_with_both_shapes_and_the_file)
{
    enter();
    expect_refused(3, "rows.safetensors: the seed is 2 x 5", "k x 1", "vjp", "L", "w", "rows.safetensors");
    expect_refused(3, "columns.safetensors:t: the seed is 4 x 2", "3 x k", "jvp", "L", "x", "columns.safetensors:t");
    expect_refused(3, "nowhere.safetensors", "", "vjp", "z", "w", "nowhere.safetensors");
    expect_refused(3, "rows.safetensors", "q", "vjp", "z", "w", "rows.safetensors:q");
    expect_refused(2, "name is missing", "", "vjp", "z", "w", "rows.safetensors:");
    expect_refused(2, "--seed takes", "", "vjp", "z", "w", "rows.txt");
    expect_refused(2, "--of takes one variable", "", "vjp", "z,L", "w", "rows.safetensors");
    expect_refused(2, "--wrt takes one variable", "", "jvp", "z", "w,x", "columns.safetensors");
    run r = expect_code(2, "vjp", POST, "--of", "z", "--wrt", "w", NULL);
    cr_expect(strstr(r.err, "--seed is missing"), "%s", r.err);
    run_free(&r);
    r = expect_code(2, "jvp", POST, "--of", "z", "--seed", "columns.safetensors", NULL);
    cr_expect(strstr(r.err, "--wrt is missing"), "%s", r.err);
    run_free(&r);
    folder_leave();
}

Test(cli_seed, the_file_may_have_colons_and_the_extension_in_its_folder)
{
    folder_enter();
    write_matrix("a:b.safetensors.safetensors", "n:m", 2, 5, rows);
    run r = expect_code(0, "vjp", POST, "--of", "z", "--wrt", "x", "--seed", "a:b.safetensors.safetensors:n:m",
                        "--quiet", NULL);
    cr_expect_str_eq(r.out, "dz/dx  2 x 3\n   7  -1  -8\n  -3  24  27\n");
    run_free(&r);
    folder_leave();
}
