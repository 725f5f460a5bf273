/* The graph of a command: its document from a path or from standard input. */
#include <string.h>
#include <unistd.h>

#include "cli/common.h"
#include "io/file.h"

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

const char *jc_cli_document_name(const char *path)
{
    return is_standard_input(path) ? "standard input" : path;
}

/* The document's files are looked for in the working folder. */
static jc_status load_standard_input(const jc_graph_options *options, jc_graph **graph)
{
    const jc_allocator a = jc_allocator_or_default(NULL);
    const char *name = jc_cli_document_name("-");
    jc_file file;
    jc_status status = jc_file_read_open(&a, STDIN_FILENO, &file);
    if (status) return jc_fail_prefix(status, "%s: ", name);
    status = jc_graph_load_text((const char *)file.data, (size_t)file.bytes, name, NULL, options, graph);
    jc_file_close(&a, &file);
    return status;
}

bool jc_cli_load(const jc_cli_shared *shared, const char *path, jc_graph **graph, double *seconds, int *exit_code)
{
    double start = jc_cli_now();
    jc_cli_meter meter;
    jc_graph_options options = {.struct_size = sizeof options};
    options.progress = jc_cli_meter_begin(&meter, shared->quiet, "loading the graph");
    jc_status status =
        is_standard_input(path) ? load_standard_input(&options, graph) : jc_graph_load(path, &options, graph);
    jc_cli_meter_end(&meter);
    *seconds = jc_cli_now() - start;
    if (status == JC_OK) return true;
    *exit_code = jc_cli_failed(status);
    return false;
}

enum { PART_BYTES = 256 };

int jc_cli_failed_in(jc_status status, const char *path)
{
    char part[PART_BYTES];
    snprintf(part, sizeof part, "%s", jc_fail_part());
    if (status == JC_E_INPUT)
        jc_fail_prefix(status, "%s: %s%s%s", jc_cli_document_name(path), *part ? "/" : "", part, *part ? ": " : "");
    return jc_cli_failed(status);
}
