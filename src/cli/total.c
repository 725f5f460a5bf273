/* jacchain total: d of / d wrt for every pair. */
#include "cli/product.h"

static const jc_option table[] = {
    {.name = "of",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_product, shared.of),
     .value = "T[,..]",
     .help = "the targets; any variables of the graph"},
    {.name = "wrt",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_product, shared.wrt),
     .value = "S[,..]",
     .help = "the sources; any variables. Default: for each target every variable without incoming edge that "
             "reaches it"},
    {.name = "per-sample",
     .type = JC_OPTION_COUNT,
     .offset = offsetof(jc_product, per_sample),
     .value = "B",
     .help = "of and wrt are B equal blocks, and only the B diagonal blocks of each total are wanted. Refused where "
             "the graph couples the samples",
     .min = 1},
    {.name = "compare",
     .type = JC_OPTION_FLAG,
     .offset = offsetof(jc_product, compare),
     .help =
         "with path rules: also computes the totals over all paths, and says what the rules drop of each: norms of "
         "the paths kept, of all and of the ones dropped, and the cosines of the first and the last with the total"},
    {0}};

static const jc_usage usage = {
    .command = "total",
    .synopsis = "GRAPH --of T[,..] [--wrt S[,..]] [options]",
    .text = "Total derivatives of every T with respect to every S: the sums over all paths from S to T of the products "
            "of the Jacobians on the path; the identity where T is S, zero where there is no path. Small results are "
            "printed as tables, large ones as shape, norm, smallest and largest entry.",
    .tables = {table, jc_cli_output_options, jc_cli_engine_options, jc_cli_search_options, jc_cli_report_options,
               jc_cli_rule_options},
    .min_words = 1,
    .max_words = 1,
    .example = "jacchain total examples/post.json --of L --wrt w,x"};

int jc_cli_total(int argc, char **argv)
{
    jc_product product = {.shared = JC_CLI_SHARED_INIT("total")};
    jc_words words;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &product, &words, &code)) return code;
    if (!jc_product_needs(&product.shared, "of", product.shared.of, &code)) return code;
    product.graph_path = words.word[0];
    return jc_product_run(&product);
}
