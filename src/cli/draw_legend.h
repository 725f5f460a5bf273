/* What the colours of a drawing say, as the picture's caption. */
#ifndef JC_CLI_DRAW_LEGEND_H
#define JC_CLI_DRAW_LEGEND_H

#include "cli/draw.h"

/* The scale from the smallest to the largest norm, and which edges are not on it. */
void jc_draw_write_legend(FILE *out, const jc_drawing *d);

#endif
