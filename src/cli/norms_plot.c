/* What is drawn of the norms, and where; and the picture. */
#include "cli/norms_plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ------------------------------------------------------------------------------------------------------ */

double jc_norm_plot_value(const jc_norm_row *row, int q)
{
    if (q == JC_PLOT_SMALLEST && row->may_be_zero) return 0;
    return q == JC_PLOT_FROBENIUS ? row->norms.frobenius
           : q == JC_PLOT_LARGEST ? row->norms.largest
                                  : row->norms.smallest;
}

bool jc_norm_plot_shows(const jc_norm_plot *p, int64_t i)
{
    return p->report->axis == JC_NORM_BY_STEP ? p->family[i] >= 0 : p->report->rows[i].distance >= 0;
}

int64_t jc_norm_plot_place(const jc_norm_plot *p, int64_t i)
{
    return p->report->axis == JC_NORM_BY_STEP ? p->last_step - p->step[i] : p->report->rows[i].distance;
}

bool jc_norm_has_logarithm(double norm)
{
    return norm > 0 && isfinite(norm);
}

bool jc_norm_plot_has_zero(const jc_norm_plot *p, int64_t i)
{
    bool zero = false;
    for (int q = 0; q < p->n_quantities; q++) zero = zero || jc_norm_plot_value(&p->report->rows[i], q) == 0;
    return zero;
}

static bool is_finite(const jc_norm_plot *p, int64_t i)
{
    bool finite = true;
    for (int q = 0; q < p->n_quantities; q++) finite = finite && isfinite(jc_norm_plot_value(&p->report->rows[i], q));
    return finite;
}

/* ---- what is drawn ----------------------------------------------------------------------------------------------- */

static bool has_several_singular_values(const jc_norm_report *r)
{
    for (int64_t i = 0; i < r->n_rows; i++)
        if (r->of_size > 1 && r->rows[i].size > 1) return true;
    return false;
}

/* By distance only families that go somewhere are lines. */
static void find_lines(jc_norm_plot *p)
{
    const jc_norm_report *r = p->report;
    bool by_step = r->axis == JC_NORM_BY_STEP, any = false;
    for (int64_t i = 0; i < r->n_rows; i++) p->family[i] = -1;
    for (int64_t k = 0; k < r->n_families && (p->points || by_step); k++) {
        const jc_norm_family *f = &r->families[k];
        if ((!by_step && !f->advances) || p->n_lines == JC_PLOT_MOST_FAMILIES) continue;
        for (int64_t j = 0; j < f->n; j++) p->family[f->rows[j]] = k, p->step[f->rows[j]] = f->step[j];
        if (!any || f->step[f->n - 1] > p->last_step) p->last_step = f->step[f->n - 1];
        any = true;
        p->n_lines++;
    }
}

static void find_places(jc_norm_plot *p)
{
    bool any = false;
    for (int64_t i = 0; i < p->report->n_rows; i++) {
        if (!jc_norm_plot_shows(p, i)) continue;
        int64_t x = jc_norm_plot_place(p, i);
        if (!any || x < p->first_x) p->first_x = x;
        if (!any || x > p->last_x) p->last_x = x;
        any = true;
    }
}

static void count_rows(jc_norm_plot *p)
{
    for (int64_t i = 0; i < p->report->n_rows; i++) {
        bool shown = jc_norm_plot_shows(p, i);
        p->n_left_out += !shown;
        p->n_apart += shown && p->family[i] < 0;
        p->n_zero += shown && jc_norm_plot_has_zero(p, i);
        p->n_not_finite += shown && !is_finite(p, i);
    }
}

/* Whole decades, and a place below them for zeros. */
static void find_range(jc_norm_plot *p)
{
    double least = INFINITY, most = 0;
    for (int64_t i = 0; i < p->report->n_rows; i++) {
        for (int q = 0; q < p->n_quantities && jc_norm_plot_shows(p, i); q++) {
            double y = jc_norm_plot_value(&p->report->rows[i], q);
            if (jc_norm_has_logarithm(y) && y < least) least = y;
            if (jc_norm_has_logarithm(y) && y > most) most = y;
        }
    }
    p->low = most > 0 ? (int)floor(log10(least)) : -1;
    p->high = most > 0 ? (int)ceil(log10(most)) : 1;
    if (p->high == p->low) p->high++;
    double below = fmax(0.4, 0.06 * (p->high - p->low)), margin = fmax(0.5, 0.03 * (double)(p->last_x - p->first_x));
    p->zero = pow(10, p->low - below);
    p->left = (double)p->first_x - margin, p->right = (double)p->last_x + margin;
    p->bottom = p->n_zero ? p->low - 1.3 * below : p->low - 0.02 * (p->high - p->low);
    p->top = p->high + 0.02 * (p->high - p->low);
}

void jc_norm_plot_init(jc_norm_plot *p, FILE *out, const jc_norm_report *r)
{
    *p = (jc_norm_plot){
        .out = out, .report = r, .n_quantities = has_several_singular_values(r) ? JC_PLOT_QUANTITIES : 1};
    p->points = r->n_rows <= JC_PLOT_MOST_POINTS;
    p->family = jc_cli_alloc(r->n_rows, sizeof *p->family);
    p->step = jc_cli_alloc(r->n_rows, sizeof *p->step);
    find_lines(p);
    find_places(p);
    count_rows(p);
    find_range(p);
    p->names = p->n_apart <= JC_PLOT_MOST_NAMES;
}

void jc_norm_plot_fini(jc_norm_plot *p)
{
    free(p->step);
    free(p->family);
}

bool jc_norm_plot_has_line(const jc_norm_plot *p, int64_t k)
{
    return p->n_lines && p->family[p->report->families[k].rows[0]] == k;
}

/* ---- the picture ------------------------------------------------------------------------------------------------- */

static jc_status make_text(const jc_norm_report *report, const char *terminal, char **text, size_t *bytes)
{
    FILE *out = open_memstream(text, bytes);
    if (!out) return jc_fail(JC_E_MEMORY, "not enough memory for the picture's text");
    jc_norm_plot_write(out, report, terminal);
    bool failed = ferror(out);
    failed = fclose(out) || failed;
    return failed ? jc_fail(JC_E_MEMORY, "not enough memory for the picture's text") : JC_OK;
}

jc_status jc_norm_plot_paint(const jc_norm_report *report, const char *terminal, jc_picture *picture)
{
    /* without the user's own settings, which could draw something else */
    static const char *const argv[] = {"gnuplot", "--default-settings", NULL};
    static const jc_painter painter = {
        argv, "a plot takes the program gnuplot, which is not there: install the package gnuplot-nox"};
    char *text = NULL;
    size_t bytes;
    jc_status status = make_text(report, terminal, &text, &bytes);
    if (!status) status = jc_picture_paint(&painter, text, bytes, picture);
    free(text);
    return status;
}
