/* How norms grow with the distance from T, and along the steps of variables whose names count them. */
#include <math.h>
#include <stdlib.h>

#include "cli/norms.h"
#include "cli/numbered.h"

enum { MIN_MEMBERS = 3 };

/* Sums of a line y = c + slope x through points, relative to the first one. */
typedef struct fit {
    int64_t n;
    double x0, y0, x, y, xx, xy;
} fit;

static void fit_add(fit *f, double x, double y)
{
    if (!f->n++) f->x0 = x, f->y0 = y;
    x -= f->x0, y -= f->y0;
    f->x += x, f->y += y, f->xx += x * x, f->xy += x * y;
}

/*   slope = (n sum xy - sum x sum y) / (n sum xx - (sum x)^2),    factor = exp(slope)
 * Not known where all x are the same. */
static jc_rate fit_rate(const fit *f)
{
    double n = (double)f->n, below = n * f->xx - f->x * f->x;
    jc_rate rate = {f->n > 1 && below > 0, 0};
    if (rate.known) rate.factor = exp((n * f->xy - f->x * f->y) / below);
    return rate;
}

static bool has_logarithm(double norm)
{
    return norm > 0 && isfinite(norm);
}

static void fit_distances(jc_norm_report *r)
{
    fit f = {.n = 0};
    for (int64_t i = 0; i < r->n_rows; i++) {
        const jc_norm_row *row = &r->rows[i];
        if (row->distance >= 0 && has_logarithm(row->norms.frobenius))
            fit_add(&f, (double)row->distance, log(row->norms.frobenius));
    }
    r->growth = fit_rate(&f);
    r->n_fitted = f.n;
}

/* Whether the distances of the run's variables only grow, or only fall, with the step; *strictly: none is that of the
 * step before. */
static bool is_monotone(const jc_norm_report *r, const jc_numbered *run, int64_t n, bool *strictly)
{
    bool grow = true, fall = true, change = true;
    for (int64_t i = 0; i < n; i++) {
        int64_t now = r->rows[run[i].index].distance, before = i ? r->rows[run[i - 1].index].distance : -1;
        if (now < 0) return false;
        if (i == 0) continue;
        grow = grow && now >= before;
        fall = fall && now <= before;
        change = change && now != before;
    }
    *strictly = change;
    return grow || fall;
}

static jc_rate growth_per_step(const jc_norm_report *r, const jc_norm_family *family)
{
    fit f = {.n = 0};
    for (int64_t i = 0; i < family->n; i++) {
        double norm = r->rows[family->rows[i]].norms.frobenius;
        if (has_logarithm(norm)) fit_add(&f, -(double)family->step[i], log(norm));
    }
    return fit_rate(&f);
}

/* A run of equal stems is a family where it is long enough, no step stands twice, and it goes one way. */
static void take_family(jc_norm_report *r, const jc_numbered *run, int64_t n)
{
    bool counts = n >= MIN_MEMBERS && run->stem_bytes > 0, strictly;
    for (int64_t i = 1; i < n && counts; i++) counts = run[i].step != run[i - 1].step;
    if (!counts || !is_monotone(r, run, n, &strictly)) return;
    jc_norm_family *f = &r->families[r->n_families++];
    *f = (jc_norm_family){.n = n, .stem_bytes = run->stem_bytes, .advances = strictly};
    f->rows = jc_cli_alloc(n, sizeof *f->rows);
    f->step = jc_cli_alloc(n, sizeof *f->step);
    for (int64_t i = 0; i < n; i++) f->rows[i] = run[i].index, f->step[i] = run[i].step;
    f->growth = growth_per_step(r, f);
}

static void find_families(jc_norm_report *r)
{
    jc_numbered *list = jc_cli_alloc(r->n_rows, sizeof *list);
    r->families = jc_cli_alloc(r->n_rows / MIN_MEMBERS, sizeof *r->families);
    for (int64_t i = 0; i < r->n_rows; i++) list[i] = jc_numbered_split(r->rows[i].name, i);
    qsort(list, (size_t)r->n_rows, sizeof *list, jc_numbered_compare);
    for (int64_t i = 0, end; i < r->n_rows; i = end) {
        for (end = i + 1; end < r->n_rows && jc_numbered_same_stem(&list[i], &list[end]);) end++;
        take_family(r, list + i, end - i);
    }
    free(list);
}

void jc_norm_report_fit(jc_norm_report *r)
{
    fit_distances(r);
    find_families(r);
}

void jc_norm_report_fini(jc_norm_report *r)
{
    for (int64_t i = 0; i < r->n_families; i++) {
        free(r->families[i].rows);
        free(r->families[i].step);
    }
    free(r->families);
    for (int64_t i = 0; i < r->n_rows; i++) free(r->rows[i].name);
    free(r->rows);
    free(r->of_name);
}
