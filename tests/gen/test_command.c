/* jacchain gen as a user runs it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "gen/gen.h"

/* The command that gen proposes, without "jacchain", runs and exits with 0. */
static void expect_proposal_works(const char *proposal)
{
    char text[256];
    const char *arguments[16];
    int n = 0;
    snprintf(text, sizeof text, "%s", proposal);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) arguments[n++] = word;
    arguments[n] = NULL;
    cr_assert_str_eq(arguments[0], "jacchain");
    run r = run_arguments(arguments + 1, NULL);
    cr_expect_eq(r.code, 0, "%s: %s", proposal, r.err);
    run_free(&r);
}

Test(gen_command, every_family_is_made_and_the_command_it_proposes_works)
{
    folder_enter();
    for (const jc_gen_family *f = jc_gen_families; f->name; f++) {
        json_t *root = expect_json(0, "gen", f->name, "--output", "g", "--seed=9", "--json", NULL);
        cr_expect_str_eq(json_string_value(json_at(root, "family")), f->name);
        cr_expect_str_eq(json_string_value(json_at(root, "document")), "g.json");
        cr_expect_gt(json_integer_value(json_at(root, "edges")), 0);
        cr_expect_gt(json_integer_value(json_at(root, "bytes")), 0);
        expect_proposal_works(json_string_value(json_at(root, "next")));
        json_decref(root);
        run r = expect_code(0, "check", "g.json", NULL);
        run_free(&r);
    }
    folder_leave();
}

/* ends: " --of T --wrt S" */
static void expect_same_totals(const char *ends)
{
    static const char *const documents[2] = {"g.json", "one.safetensors"};
    char text[256], *of = text + strlen(" --of "), *wrt;
    json_t *root[2];
    snprintf(text, sizeof text, "%s", ends);
    wrt = strstr(text, " --wrt ");
    cr_assert_not_null(wrt);
    *wrt = '\0';
    wrt += strlen(" --wrt ");
    for (int i = 0; i < 2; i++)
        root[i] = expect_json(0, "total", documents[i], "--of", of, "--wrt", wrt, "--values", "--json", NULL);
    cr_expect(json_equal(json_at(root[0], "totals"), json_at(root[1], "totals")), "%s", ends);
    for (int i = 0; i < 2; i++) json_decref(root[i]);
}

Test(gen_command, one_file_holds_the_same_graph)
{
    folder_enter();
    for (const jc_gen_family *f = jc_gen_families; f->name; f++) {
        char two[256], one[300];
        json_t *root = expect_json(0, "gen", f->name, "--output", "g", "--json", NULL);
        snprintf(two, sizeof two, "%s", json_string_value(json_at(root, "next")));
        json_decref(root);
        root = expect_json(0, "gen", f->name, "--output", "one", "--single-file", "--json", NULL);
        cr_expect_str_eq(json_string_value(json_at(root, "document")), "one.safetensors");
        cr_expect_str_eq(json_string_value(json_at(root, "tensors")), "one.safetensors");
        const char *after = strstr(two, " --of ");
        snprintf(one, sizeof one, "jacchain total one.safetensors%s", after);
        cr_expect_str_eq(json_string_value(json_at(root, "next")), one);
        json_decref(root);
        expect_same_totals(after);
    }
    cr_expect_not(file_exists("one.json"));
    folder_leave();
}

Test(gen_command, one_line_says_what_was_made)
{
    folder_enter();
    run r = expect_code(0, "gen", "layered", "--levels", "3", "--width", "6", "--fan-in", "2", "--size", "5",
                        "--output", "g", NULL);
    cr_expect_str_eq(r.out, "g.json: layered, 25 variables, 42 edges, 3720 bytes of Jacobians; targets v24, sources "
                            "v0..v5; next: jacchain total g.json --of v24 --wrt v0\n");
    cr_expect_str_eq(r.err, "");
    run_free(&r);
    r = expect_code(0, "gen", "chain", "--output=g", "--quiet", NULL);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
    folder_leave();
}

static void expect_usage_error(const char *family, const char *option, const char *value, const char *word)
{
    run r = expect_code(2, "gen", family, "--output", "g", option, value, NULL);
    cr_expect(strstr(r.err, word), "'%s' does not say '%s'", r.err, word);
    cr_expect_str_eq(r.out, "");
    cr_expect(!file_exists("g.json") && !file_exists("g.safetensors"));
    run_free(&r);
}

Test(gen_command, wrong_usage_exits_2_and_writes_nothing)
{
    folder_enter();
    expect_usage_error("chains", "--seed", "1", "unknown family 'chains'; there are chain, ladder");
    expect_usage_error("chain", "--width", "3", "no --width");
    expect_usage_error("rnn", "--size", "3", "no --size");
    expect_usage_error("layered", "--width", "3", "multiple");
    expect_usage_error("chain", "--depth", "0", "--depth");
    expect_usage_error("chain", "--depth", "9223372036854775807", "64 bits");
    expect_usage_error("chain", "--dtype", "bf16", "--dtype");
    static const char *const sizes[] = {"0", "x", "3:", ":3", "4:3", "3:4:5", "-1", "9223372036854775808", "3 "};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        expect_usage_error("chain", "--size", sizes[i], "--size");
    run r = expect_code(2, "gen", "chain", NULL);
    cr_expect(strstr(r.err, "--output"));
    run_free(&r);
    r = expect_code(2, "gen", NULL);
    run_free(&r);
    folder_leave();
}

Test(gen_command, an_output_that_cannot_be_written_exits_4_and_leaves_what_was_there)
{
    folder_enter();
    run r = expect_code(4, "gen", "chain", "--output", "none/g", NULL);
    cr_expect(strstr(r.err, "none/g.json"), "%s", r.err);
    run_free(&r);
    write_text("g.json", "mine");
    r = expect_code(2, "gen", "chain", "--output", "g", "--width", "2", NULL);
    run_free(&r);
    cr_expect(file_holds("g.json", "mine"));
    folder_leave();
}

Test(gen_command, help_names_every_family_and_option)
{
    run r = expect_code(0, "gen", "--help", NULL);
    for (const jc_gen_family *f = jc_gen_families; f->name; f++) cr_expect(strstr(r.out, f->name), "%s", f->name);
    for (int p = 0; p < JC_GEN_PARAMETERS; p++) {
        char option[32];
        snprintf(option, sizeof option, "--%s ", jc_gen_parameter_name(p));
        cr_expect(strstr(r.out, option), "%s", option);
    }
    run_free(&r);
}
