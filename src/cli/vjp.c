/* jacchain vjp: S . d of/d wrt. */
#include "cli/product.h"

static const jc_option table[] = {
    {.name = "of",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_product, shared.of),
     .value = "T",
     .help = "the target"},
    {.name = "wrt",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_product, shared.wrt),
     .value = "S[,..]",
     .help = "the sources"},
    {.name = "seed",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_product, seed_file),
     .value = "FILE[:NAME]",
     .help = "the seed matrix, k x size(of): tensor NAME of a .safetensors file, or its only one, or the array of a "
             ".npy file; an array of one axis is k = 1"},
    {0}};

static const jc_usage usage = {
    .command = "vjp",
    .synopsis = "GRAPH --of T --wrt S[,..] --seed FILE[:NAME] [options]",
    .text = "Products of seed rows with total derivatives (adjoints, reverse): the seed times dT/dS, k x size(S), for "
            "every S.",
    .tables = {table, jc_cli_output_options, jc_cli_engine_options, jc_cli_search_options, jc_cli_report_options,
               jc_cli_rule_options},
    .min_words = 1,
    .max_words = 1,
    .example = "jacchain total examples/post.json --of y --wrt x --output seed.safetensors\njacchain vjp "
               "examples/post.json --of x --wrt w --seed seed.safetensors:dy/dx"};

int jc_cli_vjp(int argc, char **argv)
{
    jc_product product = {.shared = JC_CLI_SHARED_INIT("vjp"), .seed = JC_SEED_ROWS};
    jc_words words;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &product, &words, &code)) return code;
    if (!jc_product_needs(&product.shared, "of", product.shared.of, &code) ||
        !jc_product_needs(&product.shared, "wrt", product.shared.wrt, &code) ||
        !jc_product_needs(&product.shared, "seed", product.seed_file, &code)) {
        return code;
    }
    product.graph_path = words.word[0];
    return jc_product_run(&product);
}
