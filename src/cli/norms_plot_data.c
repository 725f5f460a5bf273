/* The numbers of the picture of norms, in the form that gnuplot reads. */
#include "cli/norms_plot.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_MEDIANS = 1000 }; /* distances; of more, neighbours share a median */

/* "x y" of a variable; nothing where it is no number. */
static void put_point(const jc_norm_plot *p, int64_t i, double y)
{
    if (isfinite(y)) fprintf(p->out, "%lld %.9g\n", (long long)jc_norm_plot_place(p, i), y > 0 ? y : p->zero);
}

/* The members of a family by step, joined but where one is zero or no number; zeros stand by themselves. Of very many
 * members only each so manyth. */
static void write_line_data(const jc_norm_plot *p, int64_t k)
{
    const jc_norm_family *f = &p->report->families[k];
    int64_t stride = 1 + f->n / JC_PLOT_MOST_POINTS;
    for (int q = 0; q < p->n_quantities; q++) {
        fprintf(p->out, "$line%lld_%d << END\n", (long long)k, q);
        for (int64_t j = 0; j < f->n; j += stride) {
            double y = jc_norm_plot_value(&p->report->rows[f->rows[j]], q);
            if (jc_norm_has_logarithm(y))
                put_point(p, f->rows[j], y);
            else
                fputc('\n', p->out);
        }
        fputs("END\n", p->out);
    }
    fprintf(p->out, "$zero%lld << END\n", (long long)k);
    for (int64_t j = 0; j < f->n; j += stride) {
        if (jc_norm_plot_has_zero(p, f->rows[j])) put_point(p, f->rows[j], 0);
    }
    fputs("END\n", p->out);
}

static void write_point_data(const jc_norm_plot *p)
{
    for (int q = 0; q < p->n_quantities; q++) {
        fprintf(p->out, "$points_%d << END\n", q);
        for (int64_t i = 0; i < p->report->n_rows; i++) {
            if (p->points && jc_norm_plot_shows(p, i) && p->family[i] < 0)
                put_point(p, i, jc_norm_plot_value(&p->report->rows[i], q));
        }
        fputs("END\n", p->out);
    }
}

/* A norm and where it stands, to be sorted. */
typedef struct spot {
    int64_t x;
    double y;
} spot;

static int compare_spots(const void *a, const void *b)
{
    const spot *s = a, *t = b;
    if (s->x != t->x) return s->x < t->x ? -1 : 1;
    return (s->y > t->y) - (s->y < t->y);
}

static int compare_heights(const void *a, const void *b)
{
    const spot *s = a, *t = b;
    return (s->y > t->y) - (s->y < t->y);
}

/* The middle of n spots, between the two in the middle of an even number; a zero leaves a gap in the line. */
static void put_median(const jc_norm_plot *p, spot *spots, int64_t n)
{
    double x = ((double)spots[0].x + (double)spots[n - 1].x) / 2;
    qsort(spots, (size_t)n, sizeof *spots, compare_heights);
    double y = sqrt(spots[(n - 1) / 2].y) * sqrt(spots[n / 2].y);
    if (y > 0)
        fprintf(p->out, "%.9g %.9g\n", x, y);
    else
        fputc('\n', p->out);
}

static void write_median_data(const jc_norm_plot *p)
{
    int64_t span = (p->last_x - p->first_x) / MOST_MEDIANS + 1; /* of distances that share a median */
    spot *spots = jc_cli_alloc(p->report->n_rows, sizeof *spots);
    for (int q = 0; q < p->n_quantities; q++) {
        int64_t n = 0;
        for (int64_t i = 0; i < p->report->n_rows; i++) {
            double y = jc_norm_plot_value(&p->report->rows[i], q);
            if (jc_norm_plot_shows(p, i) && isfinite(y)) spots[n++] = (spot){jc_norm_plot_place(p, i), y};
        }
        if (n) qsort(spots, (size_t)n, sizeof *spots, compare_spots);
        fprintf(p->out, "$median_%d << END\n", q);
        for (int64_t first = 0, end; first < n; first = end) {
            int64_t share = (spots[first].x - p->first_x) / span;
            for (end = first + 1; end < n && (spots[end].x - p->first_x) / span == share;) end++;
            put_median(p, spots + first, end - first);
        }
        fputs("END\n", p->out);
    }
    free(spots);
}

void jc_norm_plot_write_data(const jc_norm_plot *p)
{
    for (int64_t k = 0; k < p->report->n_families; k++) {
        if (jc_norm_plot_has_line(p, k)) write_line_data(p, k);
    }
    write_point_data(p);
    if (!p->n_lines) write_median_data(p);
}
