/* An unrolled network as a grid: a column for each step that the names end with, a row for each variable of a step, in
 * the order in which a step computes them; parameters above, what comes after the last step at the right. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/draw.h"
#include "cli/numbered.h"
#include "core/size.h"
#include "graph/graph.h"

enum {
    MIN_STEPS = 3, /* a row with fewer is none */
    MIN_ROWS = 2,
    MAX_ROWS = 12,
    MAX_OTHERS = 60, /* variables that no row has */
    ROUTED = 64      /* variables: time for lines around them grows with the third power */
};

/* Points. */
static const double ROW = 62, COLUMN = 100, CHARACTER = 8, NODE_EXTRA = 62;

/* How far above the grid parameters stand, in rows: further where more steps read them, so that lines stay apart. */
static const double ASIDE = 1.7, ASIDE_STEP = 0.07, ASIDE_MOST = 7;

typedef struct grid {
    const jc_drawing *drawing;
    const jc_graph *graph;
    int64_t n_rows, n_steps, n_others, first_step, last_step;
    int64_t *row;  /* [n_variables], -1: in no row */
    int64_t *step; /* [n_variables] */
    double column; /* distance of two columns */
    double offset; /* of every other row to the right, so that a line from a row to the next but one misses it */
    double bottom; /* y of the lowest row so far */
    double *x, *y; /* [n_variables] */
    bool *placed, *aside;
} grid;

/* Takes a run of equal stems as a row where it is long enough and no step stands twice. */
static void take_row(grid *g, const jc_numbered *run, int64_t n)
{
    bool is_row = n >= MIN_STEPS && run->stem_bytes > 0;
    for (int64_t i = 1; i < n && is_row; i++) is_row = run[i].step != run[i - 1].step;
    if (!is_row) {
        g->n_others += n;
        return;
    }
    if (g->n_rows == 0 || run[0].step < g->first_step) g->first_step = run[0].step;
    g->last_step = jc_max(g->last_step, run[n - 1].step);
    g->n_steps = jc_max(g->n_steps, n);
    for (int64_t i = 0; i < n; i++) {
        g->row[run[i].index] = g->n_rows;
        g->step[run[i].index] = run[i].step;
    }
    g->n_rows++;
}

static void find_rows(grid *g)
{
    int64_t n = g->drawing->n_variables;
    jc_numbered *list = jc_cli_alloc(n, sizeof *list);
    for (int64_t v = 0; v < n; v++) {
        list[v] = jc_numbered_split(g->drawing->name[v], v);
        g->row[v] = -1;
    }
    qsort(list, (size_t)n, sizeof *list, jc_numbered_compare);
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && jc_numbered_same_stem(&list[i], &list[end]);) end++;
        take_row(g, list + i, end - i);
    }
    free(list);
}

/* Rows of at least three steps, several of them at most steps, no edge back in time. */
static bool is_unrolled(const grid *g)
{
    int64_t n_numbered = g->drawing->n_variables - g->n_others, span = g->last_step - g->first_step + 1;
    if (g->n_rows < MIN_ROWS || g->n_rows > MAX_ROWS || g->n_others > MAX_OTHERS) return false;
    if (span > g->n_steps + 1 || 2 * n_numbered < 3 * g->n_steps || 2 * g->n_others > 3 * n_numbered) return false;
    for (int64_t e = 0; e < g->graph->n_edges; e++) {
        int64_t of = jc_graph_of(g->graph, e), wrt = jc_graph_wrt(g->graph, e);
        if (g->row[of] >= 0 && g->row[wrt] >= 0 && g->step[wrt] > g->step[of]) return false;
    }
    return true;
}

/* before[r][s]: within a step, row s is computed from row r. */
static void find_order_in_step(const grid *g, bool before[MAX_ROWS][MAX_ROWS])
{
    for (int64_t e = 0; e < g->graph->n_edges; e++) {
        int64_t of = jc_graph_of(g->graph, e), wrt = jc_graph_wrt(g->graph, e);
        if (g->row[of] >= 0 && g->row[wrt] >= 0 && g->step[wrt] == g->step[of]) before[g->row[wrt]][g->row[of]] = true;
    }
}

static bool is_free(const grid *g, bool before[MAX_ROWS][MAX_ROWS], const bool *done, int64_t row)
{
    for (int64_t r = 0; r < g->n_rows; r++) {
        if (!done[r] && r != row && before[r][row]) return false;
    }
    return !done[row];
}

/* Numbers the rows anew from the top: those first that need none of the others; where each needs another, the first. */
static void order_rows(grid *g)
{
    bool before[MAX_ROWS][MAX_ROWS] = {{false}}, done[MAX_ROWS] = {false};
    int64_t place[MAX_ROWS], first[MAX_ROWS];
    find_order_in_step(g, before);
    for (int64_t v = g->drawing->n_variables - 1; v >= 0; v--) {
        if (g->row[v] >= 0) first[g->row[v]] = v;
    }
    for (int64_t n = 0; n < g->n_rows; n++) {
        int64_t best = -1;
        for (int pass = 0; pass < 2 && best < 0; pass++) {
            for (int64_t r = 0; r < g->n_rows; r++) {
                if (done[r] || (pass == 0 && !is_free(g, before, done, r))) continue;
                if (best < 0 || first[r] < first[best]) best = r; /* in the order of the document */
            }
        }
        done[best] = true;
        place[best] = n;
    }
    for (int64_t v = 0; v < g->drawing->n_variables; v++) {
        if (g->row[v] >= 0) g->row[v] = place[g->row[v]];
    }
}

static void put(grid *g, int64_t v, double x, double y)
{
    g->x[v] = x;
    g->y[v] = y;
    g->placed[v] = true;
}

static void place_rows(grid *g)
{
    int64_t longest = 0;
    for (int64_t v = 0; v < g->drawing->n_variables; v++) {
        if (g->row[v] >= 0) longest = jc_max(longest, jc_min(jc_cli_text_width(g->drawing->name[v]), 24));
    }
    double needed = (double)longest * CHARACTER + NODE_EXTRA;
    g->column = needed > COLUMN ? needed : COLUMN;
    if (g->drawing->n_variables > ROUTED) {
        g->column *= 1.3;
        g->offset = 0.45 * g->column;
    }
    g->bottom = -ROW * (double)(g->n_rows - 1);
    for (int64_t v = 0; v < g->drawing->n_variables; v++) {
        if (g->row[v] < 0) continue;
        double x = g->column * (double)(g->step[v] - g->first_step) + (g->row[v] % 2 ? g->offset : 0);
        put(g, v, x, -ROW * (double)g->row[v]);
    }
}

/* Those in no row that no other variable leads to, or that lead to one in a row, stand above the grid. */
static void find_aside(grid *g)
{
    const jc_graph *graph = g->graph;
    for (int64_t i = graph->n_variables - 1; i >= 0; i--) {
        int64_t v = graph->topological[i];
        if (g->row[v] >= 0) continue;
        g->aside[v] = graph->in_start[v] == graph->in_start[v + 1];
        for (int64_t j = graph->out_start[v]; j < graph->out_start[v + 1]; j++) {
            int64_t of = jc_graph_of(graph, graph->out_edges[j]);
            bool has_inputs = graph->in_start[of] < graph->in_start[of + 1];
            g->aside[v] = g->aside[v] || g->row[of] >= 0 || (g->aside[of] && has_inputs);
        }
    }
}

/* Moves v down until nothing in no row stands there. */
static double free_below(const grid *g, double x, double y)
{
    for (int64_t u = 0; u < g->drawing->n_variables; u++) {
        if (!g->placed[u] || g->row[u] >= 0 || g->x[u] != x || g->y[u] != y) continue;
        y -= ROW;
        u = -1; /* from the start */
    }
    return y;
}

/* What is computed after the steps stands a column to the right of the last that it needs: in the row of the highest,
 * or in a row of its own at the bottom where it is computed from many columns. */
static void place_after(grid *g, int64_t v)
{
    const jc_graph *graph = g->graph;
    double left = 0, right = 0, y = g->bottom;
    bool any = false;
    for (int64_t j = graph->in_start[v]; j < graph->in_start[v + 1]; j++) {
        int64_t u = jc_graph_wrt(graph, graph->in_edges[j]);
        if (!g->placed[u]) continue;
        if (!any || g->y[u] > y) y = g->y[u];
        if (!any || g->x[u] < left) left = g->x[u];
        if (!any || g->x[u] > right) right = g->x[u];
        any = true;
    }
    if (!any) right = g->column * (double)(g->last_step - g->first_step);
    if (right - left > 1.5 * g->column) y = g->bottom -= ROW;
    put(g, v, right + g->column, free_below(g, right + g->column, y));
}

/* Where a variable above the grid would be: over the middle of what is computed from it. */
static double middle(const grid *g, int64_t v)
{
    double sum = 0;
    int64_t n = 0;
    for (int64_t j = g->graph->out_start[v]; j < g->graph->out_start[v + 1]; j++) {
        int64_t of = jc_graph_of(g->graph, g->graph->out_edges[j]);
        if (!g->placed[of]) continue;
        sum += g->x[of];
        n++;
    }
    return n ? sum / (double)n : 0;
}

typedef struct wish {
    int64_t variable;
    double x;
} wish;

static int compare_wishes(const void *a, const void *b)
{
    const wish *u = a, *v = b;
    if (u->x != v->x) return u->x < v->x ? -1 : 1;
    return u->variable < v->variable ? -1 : 1;
}

/* Moves the wishes of a line apart by `gap`, each as little as can be: the nearest increasing sequence of x_i - i gap
 * in least squares, by pooling neighbours that stand in the wrong order. */
static void spread(wish *w, int64_t n, double gap)
{
    int64_t *length = jc_cli_alloc(n, sizeof *length), pools = 0, next = 0;
    double *mean = jc_cli_alloc(n, sizeof *mean);
    for (int64_t i = 0; i < n; i++) {
        mean[pools] = w[i].x - (double)i * gap;
        length[pools++] = 1;
        for (; pools > 1 && mean[pools - 2] >= mean[pools - 1]; pools--) {
            int64_t a = length[pools - 2], b = length[pools - 1];
            mean[pools - 2] = (mean[pools - 2] * (double)a + mean[pools - 1] * (double)b) / (double)(a + b);
            length[pools - 2] = a + b;
        }
    }
    for (int64_t p = 0; p < pools; p++)
        for (int64_t i = 0; i < length[p]; i++, next++) w[next].x = mean[p] + (double)next * gap;
    free(mean);
    free(length);
}

/* Edges of the longest path from v to a variable that is not above the grid: its line, counted from below. */
static int64_t lines_above(const grid *g, int64_t *line)
{
    int64_t most = 0;
    for (int64_t i = g->graph->n_variables - 1; i >= 0; i--) {
        int64_t v = g->graph->topological[i];
        line[v] = g->aside[v] ? 1 : 0;
        for (int64_t j = g->graph->out_start[v]; g->aside[v] && j < g->graph->out_start[v + 1]; j++)
            line[v] = jc_max(line[v], line[jc_graph_of(g->graph, g->graph->out_edges[j])] + 1);
        most = jc_max(most, line[v]);
    }
    return most;
}

static void place_aside(grid *g)
{
    int64_t n = g->drawing->n_variables, *line = jc_cli_alloc(n, sizeof *line);
    wish *wishes = jc_cli_alloc(n, sizeof *wishes);
    int64_t lines = lines_above(g, line), longest = 0;
    double above = fmin(ASIDE + ASIDE_STEP * fmax((double)g->n_steps - 8, 0), ASIDE_MOST);
    for (int64_t v = 0; v < n; v++) {
        if (g->aside[v]) longest = jc_max(longest, jc_min(jc_cli_text_width(g->drawing->name[v]), 24));
    }
    for (int64_t l = 1; l <= lines; l++) {
        int64_t count = 0;
        for (int64_t v = 0; v < n; v++) {
            if (line[v] == l) wishes[count++] = (wish){v, middle(g, v)};
        }
        qsort(wishes, (size_t)count, sizeof *wishes, compare_wishes);
        spread(wishes, count, (double)longest * CHARACTER + NODE_EXTRA);
        for (int64_t i = 0; i < count; i++) put(g, wishes[i].variable, wishes[i].x, ROW * (above + (double)(l - 1)));
    }
    free(wishes);
    free(line);
}

bool jc_draw_grid(const jc_drawing *d, jc_draw_layout *layout)
{
    int64_t n = d->n_variables;
    grid g = {.drawing = d, .graph = d->graph};
    g.row = jc_cli_alloc(n, sizeof *g.row);
    g.step = jc_cli_alloc(n, sizeof *g.step);
    find_rows(&g);
    bool unrolled = is_unrolled(&g);
    if (unrolled) {
        layout->straight = n > ROUTED;
        g.x = layout->x = jc_cli_alloc(n, sizeof *g.x);
        g.y = layout->y = jc_cli_alloc(n, sizeof *g.y);
        g.aside = layout->aside = jc_cli_alloc(n, sizeof *g.aside);
        g.placed = jc_cli_alloc(n, sizeof *g.placed);
        order_rows(&g);
        place_rows(&g);
        find_aside(&g);
        for (int64_t i = 0; i < n; i++) {
            int64_t v = d->graph->topological[i];
            if (g.row[v] < 0 && !g.aside[v]) place_after(&g, v);
        }
        place_aside(&g);
    }
    free(g.placed);
    free(g.step);
    free(g.row);
    return unrolled;
}
