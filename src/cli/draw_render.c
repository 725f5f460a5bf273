/* DOT text to a picture by Graphviz's program dot. */
#include <string.h>

#include "cli/draw.h"

jc_status jc_draw_render(const char *dot, size_t bytes, const char *format, jc_picture *picture)
{
    char option[16], missing[160];
    const char *resolution =
        strcmp(format, "png") ? NULL : "-Gdpi=110"; /* a picture of dots is looked at on a screen */
    const char *const argv[] = {"dot", option, resolution, NULL};
    jc_painter painter = {argv, missing};
    snprintf(option, sizeof option, "-T%s", format);
    snprintf(missing, sizeof missing,
             "a .%s takes Graphviz's program dot, which is not there: install the package graphviz, or write a .dot, "
             "which needs nothing",
             format);
    return jc_picture_paint(&painter, dot, bytes, picture);
}
