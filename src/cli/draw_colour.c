/* Colours that say how large the Jacobian of an edge is. */
#include <math.h>

#include "cli/draw.h"
#include "graph/norm.h"

void jc_draw_take_norms(jc_drawing *d)
{
    jc_draw_scale *s = &d->scale;
    s->norm = jc_cli_alloc(d->n_edges, sizeof *s->norm);
    for (int64_t e = 0; e < d->n_edges; e++) {
        double norm = -1;
        s->without_numbers += !jc_graph_edge_norm(d->graph, e, &norm);
        s->norm[e] = norm;
        s->zero += norm == 0;
        s->not_finite += !isfinite(norm);
        if (!(norm > 0) || !isfinite(norm) || (d->edge_on && !d->edge_on[e])) continue;
        if (s->min == 0 || norm < s->min) s->min = norm;
        if (norm > s->max) s->max = norm;
    }
}

double jc_draw_scale_place(const jc_draw_scale *scale, int64_t edge)
{
    double norm = scale->norm[edge];
    if (!(norm >= scale->min) || !(norm <= scale->max) || norm == 0) return -1;
    if (scale->min == scale->max) return 1;
    return (log(norm) - log(scale->min)) / (log(scale->max) - log(scale->min));
}

/* Orange to violet to nearly black, darker and darker: seen alike by the colour-blind and in grey print. The points are
 * of the map "inferno" by N. Smith and S. van der Walt (CC0), from its brightest that still shows on white. */
const char *jc_draw_scale_colour(double place, char text[JC_COLOUR_BYTES])
{
    static const int points[][3] = {{252, 165, 10}, {229, 92, 48}, {169, 46, 94}, {92, 18, 110}, {27, 12, 65}};
    enum { LAST = sizeof points / sizeof points[0] - 1 };
    double at = fmin(fmax(place, 0), 1) * LAST;
    int low = at >= LAST ? LAST - 1 : (int)at, c[3];
    for (int i = 0; i < 3; i++) c[i] = (int)lround(points[low][i] + (at - low) * (points[low + 1][i] - points[low][i]));
    snprintf(text, JC_COLOUR_BYTES, "#%02x%02x%02x", (unsigned)c[0] & 255, (unsigned)c[1] & 255, (unsigned)c[2] & 255);
    return text;
}
