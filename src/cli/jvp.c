/* jacchain jvp: d of/d wrt . S. */
#include "cli/product.h"

static const jc_option table[] = {
    {.name = "of",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_product, shared.of),
     .value = "T[,..]",
     .help = "the targets"},
    {.name = "wrt",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_product, shared.wrt),
     .value = "S",
     .help = "the source"},
    {.name = "seed",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_product, seed_file),
     .value = "FILE[:NAME]",
     .help =
         "the seed matrix, size(wrt) x k: tensor NAME of a .safetensors file, or its only one, or the array of a .npy "
         "file; an array of one axis is k = 1"},
    {0}};

static const jc_usage usage = {
    .command = "jvp",
    .synopsis = "GRAPH --of T[,..] --wrt S --seed FILE[:NAME] [options]",
    .text =
        "Products of total derivatives with seed columns (tangents, forward): dT/dS times the seed, size(T) x k, for "
        "every T.",
    .tables = {table, jc_cli_output_options, jc_cli_engine_options, jc_cli_search_options, jc_cli_report_options,
               jc_cli_rule_options},
    .min_words = 1,
    .max_words = 1,
    .example = "jacchain total examples/post.json --of x --wrt w --output seed.safetensors\njacchain jvp "
               "examples/post.json --of y --wrt x --seed seed.safetensors:dx/dw"};

int jc_cli_jvp(int argc, char **argv)
{
    jc_product product = {.shared = JC_CLI_SHARED_INIT("jvp"), .seed = JC_SEED_COLUMNS};
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
