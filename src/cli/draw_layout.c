/* Chooses how a graph is laid out, so that a person can follow it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/draw.h"
#include "core/size.h"
#include "graph/graph.h"

enum {
    LAID_OUT = 2000,     /* variables up to which more is asked for than dot's layers */
    WIDE_LAYERS = 12,    /* layers that fit side by side */
    LABELLED_EDGES = 24, /* edges up to which each has its text beside it */
    FORMULA_NODES = 12,
    FORMULA_NAME = 2, /* characters of a name in a round node */
    LONG_NAME = 24,   /* characters; those of longer names are not all shown */
    WIDE = 8,         /* nodes of a layer; more do not make a column wider */
    SHORT_COLUMN = 8, /* layers */
    MOST_CUT = 4      /* edges from a column to later ones */
};

/* Points: a layer's height, a node's width for each character and besides, and how wide a picture is to be by height.
 */
static const double LAYER_HEIGHT = 28, CHARACTER = 6.5, NODE_EXTRA = 34, COLUMN_EXTRA = 40, PROPORTION = 1.4;

/* layer[v]: edges of the longest path from a source to v. Returns the number of layers. */
static int64_t find_layers(const jc_graph *g, int64_t *layer)
{
    int64_t n = 1;
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[i];
        for (int64_t j = g->in_start[v]; j < g->in_start[v + 1]; j++)
            layer[v] = jc_max(layer[v], layer[jc_graph_wrt(g, g->in_edges[j])] + 1);
        n = jc_max(n, layer[v] + 1);
    }
    return n;
}

/* crossing[l]: edges from layers above l to l or below. */
static void count_crossing(const jc_graph *g, const int64_t *layer, int64_t n_layers, int64_t *crossing)
{
    for (int64_t e = 0; e < g->n_edges; e++) {
        crossing[layer[jc_graph_wrt(g, e)] + 1]++;
        crossing[layer[jc_graph_of(g, e)] + 1]--;
    }
    for (int64_t l = 1; l <= n_layers; l++) crossing[l] += crossing[l - 1];
}

static int64_t widest_layer(const jc_drawing *d, const int64_t *layer, int64_t n_layers)
{
    int64_t *count = jc_cli_alloc(n_layers, sizeof *count), most = 0;
    for (int64_t v = 0; v < d->n_variables; v++) most = jc_max(most, ++count[layer[v]]);
    free(count);
    return most;
}

static int64_t longest_name(const jc_drawing *d)
{
    int64_t most = 0;
    for (int64_t v = 0; v < d->n_variables; v++) most = jc_max(most, jc_cli_text_width(d->name[v]));
    return most;
}

/* Points that a node takes, the space beside it included. */
static double mean_width(const jc_drawing *d)
{
    double sum = 0;
    for (int64_t v = 0; v < d->n_variables; v++) sum += (double)jc_min(jc_cli_text_width(d->name[v]), LONG_NAME);
    return sum / (double)d->n_variables * CHARACTER + NODE_EXTRA;
}

/* Layers of one column, so that all columns are about equally high and together PROPORTION times as wide as high:
 * (layers / n) columns of width w, n layers of height h: w layers / n = PROPORTION h n. */
static int64_t column_layers(const jc_drawing *d, const int64_t *layer, int64_t n_layers)
{
    double width = mean_width(d) * (double)jc_min(widest_layer(d, layer, n_layers), WIDE) + COLUMN_EXTRA;
    double n = sqrt(width * (double)n_layers / (PROPORTION * LAYER_HEIGHT));
    int64_t columns = jc_max(lround((double)n_layers / n), 1);
    return jc_max((n_layers + columns - 1) / columns, SHORT_COLUMN);
}

/* The best layer to begin the next column, which the fewest edges cross and which is nearest to `about` layers after
 * `start`: 0 where every one has too many, or too little is left. */
static int64_t find_cut(const int64_t *crossing, int64_t n_layers, int64_t start, int64_t about)
{
    int64_t best = 0, first = start + (about * 7 + 9) / 10,
            last = jc_min(start + about * 13 / 10, n_layers - about / 2);
    for (int64_t l = first; l <= last; l++) {
        if (crossing[l] > MOST_CUT) continue;
        bool nearer = best && crossing[l] == crossing[best] && llabs(l - start - about) < llabs(best - start - about);
        if (!best || crossing[l] < crossing[best] || nearer) best = l;
    }
    return best;
}

/* column[v] for every variable from the layers at which columns begin. */
static void set_columns(jc_draw_layout *layout, const jc_drawing *d, const int64_t *layer, int64_t n_layers)
{
    int64_t *crossing = jc_cli_alloc(n_layers + 1, sizeof *crossing);
    int64_t *column_of = jc_cli_alloc(n_layers, sizeof *column_of);
    int64_t about = column_layers(d, layer, n_layers);
    count_crossing(d->graph, layer, n_layers, crossing);
    for (int64_t from = 0; from + about < n_layers;) { /* from: where the next cut is looked for */
        int64_t cut = find_cut(crossing, n_layers, from, about);
        if (cut) column_of[cut] = 1;
        from = cut ? cut : from + jc_max(about / 2, 1);
    }
    for (int64_t l = 1; l < n_layers; l++) column_of[l] += column_of[l - 1];
    layout->n_columns = column_of[n_layers - 1] + 1;
    layout->column = jc_cli_alloc(d->n_variables, sizeof *layout->column);
    for (int64_t v = 0; v < d->n_variables; v++) layout->column[v] = column_of[layer[v]];
    free(column_of);
    free(crossing);
}

void jc_draw_layout_init(jc_draw_layout *layout, const jc_drawing *d)
{
    *layout = (jc_draw_layout){.style = JC_DRAW_LAYERS};
    layout->labels = d->n_edges <= LABELLED_EDGES;
    layout->formulas = layout->labels && d->n_variables <= FORMULA_NODES && longest_name(d) <= FORMULA_NAME;
    if (d->n_variables > LAID_OUT) return;
    if (!d->has_groups && !layout->formulas && jc_draw_grid(d, layout)) {
        layout->style = JC_DRAW_GRID;
        return;
    }
    int64_t *layer = jc_cli_alloc(d->n_variables, sizeof *layer);
    int64_t n_layers = find_layers(d->graph, layer);
    layout->downwards = n_layers > WIDE_LAYERS;
    if (layout->downwards && !d->has_groups) {
        layout->style = JC_DRAW_COLUMNS;
        set_columns(layout, d, layer, n_layers);
    }
    free(layer);
}

void jc_draw_layout_fini(jc_draw_layout *layout)
{
    free(layout->column);
    free(layout->x);
    free(layout->y);
    free(layout->aside);
}
