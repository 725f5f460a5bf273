/* jacchain partial: D[of,wrt]. */
#include "cli/product.h"

static const jc_option table[] = {
    {.name = "of",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_product, shared.of),
     .value = "T",
     .help = "the variable that is computed from S"},
    {.name = "wrt", .type = JC_OPTION_TEXT, .offset = offsetof(jc_product, shared.wrt), .value = "S", .help = "S"},
    {.name = "local",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_product, local),
     .value = "Z[,..]",
     .help =
         "the sum over all paths from S to T with no variable of Z strictly inside, in place of the edges alone: what "
         "the partial derivative is in a graph that names only S, T and Z; zero where T is S"},
    {0}};

static const jc_usage usage = {
    .command = "partial",
    .synopsis = "GRAPH --of T --wrt S [options]",
    .text = "The local Jacobian D[T,S] as a dense matrix: the sum of the Jacobians of all edges from S to T, whatever "
            "other paths there are; zero where there is no edge, and so where T is S. A partial derivative depends on "
            "which "
            "variables are named: --local says which.",
    .tables = {table, jc_cli_output_options, jc_cli_engine_options, jc_cli_report_options, jc_cli_rule_options},
    .min_words = 1,
    .max_words = 1,
    .example = "jacchain partial examples/post.json --of L --wrt y\n"
               "jacchain partial examples/post.json --of L --wrt x --local y"};

int jc_cli_partial(int argc, char **argv)
{
    jc_product product = {.shared = JC_CLI_SHARED_INIT("partial"), .partial = true};
    jc_words words;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &product, &words, &code)) return code;
    if (!jc_product_needs(&product.shared, "of", product.shared.of, &code) ||
        !jc_product_needs(&product.shared, "wrt", product.shared.wrt, &code)) {
        return code;
    }
    product.graph_path = words.word[0];
    return jc_product_run(&product);
}
