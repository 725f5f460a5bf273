#include <criterion/criterion.h>
#include <string.h>

#include "cli/command.h"
#include "support/expected.h"

Test(cli_partial, prints_the_edges_own_jacobian_where_other_paths_are_there_too)
{
    run r = expect_code(0, "partial", POST, "--of", "L", "--wrt", "y", "--quiet", NULL);
    cr_expect_str_eq(r.out, "D[L,y]  1 x 2\n  -2  -2\n"); /* the total is 13 18 */
    cr_expect_str_eq(r.err, "");
    run_free(&r);
    r = expect_code(0, "partial", POST, "--of", "L", "--wrt", "w", "--quiet", NULL); /* only longer paths */
    cr_expect_str_eq(r.out, "D[L,w]  1 x 4\n  0  0  0  0\n");
    run_free(&r);
    r = expect_code(0, "partial", POST, "--of", "y", "--wrt", "y", "--quiet", NULL);
    cr_expect_str_eq(r.out, "D[y,y]  2 x 2\n  0  0\n  0  0\n");
    run_free(&r);
}

/* Two parallel edges, 3 and 4, beside a longer path of 5 * 6. */
static const char parallel[] =
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 1}, {\"name\": \"b\", \"size\": 1}, "
    "{\"name\": \"c\", \"size\": 1}], \"edges\": ["
    "{\"of\": \"c\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 3}},"
    "{\"of\": \"b\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 5}},"
    "{\"of\": \"c\", \"wrt\": \"b\", \"jacobian\": {\"kind\": \"dense\"}},"
    "{\"of\": \"c\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 4}}]}";

Test(cli_partial, json_and_files_are_those_of_total)
{
    folder_enter();
    write_text("parallel.json", parallel);
    static const char *const keys[] = {"backend", "device", "precision", "order", "cost", "peak_bytes", "seconds"};
    json_t *root = expect_json(0, "partial", "parallel.json", "--of", "c", "--wrt", "a", "--json", NULL);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) cr_expect(json_object_get(root, keys[i]), "%s", keys[i]);
    cr_expect_str_eq(json_string_value(json_at(root, "command")), "partial");
    cr_expect(
        json_same(json_at(root, "totals"), "[{\"of\": \"c\", \"wrt\": \"a\", \"shape\": [1, 1], \"values\": [[7]]}]"));
    json_decref(root);
    run r = expect_code(0, "partial", "parallel.json", "--of", "c", "--wrt", "a", "--output", "p.safetensors", NULL);
    jt_pool pool = {0};
    int64_t n;
    double *values = jt_expected_tensor(&pool, "p.safetensors", "dc/da", &n);
    cr_expect(n == 1 && values[0] == 7);
    jt_pool_free(&pool);
    run_free(&r);
    folder_leave();
}

Test(cli_partial, what_is_refused)
{
    folder_enter();
    write_text("parallel.json", parallel);
    run r = expect_code(3, "partial", "parallel.json", "--of", "c", "--wrt", "b", NULL);
    cr_expect(strstr(r.err, "c <- b"), "%s", r.err);
    run_free(&r);
    r = expect_code(2, "partial", POST, "--of", "L,y", "--wrt", "w", NULL);
    cr_expect(strstr(r.err, "--of takes one variable"), "%s", r.err);
    run_free(&r);
    r = expect_code(2, "partial", POST, "--of", "L", "--wrt", "w,x", NULL);
    cr_expect(strstr(r.err, "--wrt takes one variable"), "%s", r.err);
    run_free(&r);
    r = expect_code(2, "partial", POST, "--of", "L", NULL);
    cr_expect(strstr(r.err, "--wrt is missing"), "%s", r.err);
    run_free(&r);
    r = expect_code(2, "partial", POST, "--of", "L", "--wrt", "nobody", NULL);
    cr_expect(strstr(r.err, "nobody"), "%s", r.err);
    run_free(&r);
    r = expect_code(5, "partial", POST, "--of", "L", "--wrt", "z", "--memory-limit", "8", NULL);
    run_free(&r);
    folder_leave();
}
