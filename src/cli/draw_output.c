/* From a drawing to the picture that --output names. */
#include <stdlib.h>

#include "cli/draw.h"

enum { MOST_DRAWN = 2000, MOST_EDGES_DRAWN = 20000 }; /* variables, edges that Graphviz lays out while one waits */

static const jc_draw_kind kinds[] = {{".svg", "svg"}, {".png", "png"}, {".pdf", "pdf"}, {".dot", NULL}};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

const jc_draw_kind *jc_draw_kind_of(const char *command, const char *path, int *exit_code)
{
    for (int i = 0; i < N_KINDS; i++) {
        if (!jc_cli_ends_with(path, kinds[i].end)) continue;
        jc_status status = jc_cli_check_folder(path);
        if (!status) return &kinds[i];
        *exit_code = jc_cli_failed(status);
        return NULL;
    }
    *exit_code =
        jc_cli_usage_error(command, "--output takes a name that ends with .svg, .png, .pdf or .dot, not '%s'", path);
    return NULL;
}

bool jc_draw_check_size(const char *command, const jc_draw_kind *kind, int64_t n_variables, int64_t n_edges,
                        int *exit_code)
{
    char count[JC_QUANTITY_BYTES], limit[JC_QUANTITY_BYTES];
    bool many = n_variables > MOST_DRAWN;
    if (!kind->format || (!many && n_edges <= MOST_EDGES_DRAWN)) return true;
    *exit_code = jc_cli_usage_error(
        command, "the graph has %s %s, too many for a %s (at most %s): write a .dot, which other programs can cut",
        jc_cli_count_text(many ? n_variables : n_edges, count), many ? "variables" : "edges", kind->end,
        jc_cli_count_text(many ? MOST_DRAWN : MOST_EDGES_DRAWN, limit));
    return false;
}

static jc_status make_dot(const jc_drawing *d, jc_picture *dot)
{
    jc_draw_layout layout;
    FILE *out = open_memstream(&dot->data, &dot->bytes);
    if (!out) return jc_fail(JC_E_MEMORY, "not enough memory for the picture's text");
    jc_draw_layout_init(&layout, d);
    jc_draw_write_dot(out, d, &layout);
    jc_draw_layout_fini(&layout);
    bool failed = ferror(out);
    failed = fclose(out) || failed;
    return failed ? jc_fail(JC_E_MEMORY, "not enough memory for the picture's text") : JC_OK;
}

jc_status jc_draw_paint(const jc_drawing *d, const jc_draw_kind *kind, bool quiet, jc_picture *picture)
{
    jc_picture dot = {NULL, 0, NULL};
    jc_cli_meter meter;
    jc_status status = make_dot(d, &dot);
    if (!status && !kind->format) {
        *picture = dot;
        return JC_OK;
    }
    if (!status) {
        jc_cli_meter_begin(&meter, quiet, "drawing");
        status = jc_draw_render(dot.data, dot.bytes, kind->format, picture);
        jc_cli_meter_end(&meter);
    }
    jc_picture_fini(&dot);
    return status;
}
