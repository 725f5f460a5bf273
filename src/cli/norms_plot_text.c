/* The picture of norms as text for gnuplot. Names stand in single quotes, where gnuplot takes every character for
 * itself.
 */
#include <math.h>
#include <string.h>

#include "cli/norms_plot.h"

enum {
    MOST_LETTERS = 24, /* of a name */
    MOST_DECADES = 10, /* tics with a number */
    FEW = 60,          /* points that are large */
    MANY = 500         /* that are not tiny */
};

static const char *quantity_name(int q)
{
    return q == JC_PLOT_FROBENIUS ? "Frobenius norm"
           : q == JC_PLOT_LARGEST ? "largest singular value"
                                  : "smallest singular value";
}

/* Colours that differ for most eyes: Okabe and Ito (2008). */
static const char *const colours[JC_PLOT_MOST_FAMILIES] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                           "#e69f00", "#56b4e9", "#7a5195", "#000000"};
static const char grey[] = "#888888";

/* U+FFFE and U+FFFF, which XML does not have. */
static bool is_no_character(const char *p)
{
    return !strncmp(p, "\xEF\xBF", 2) && (unsigned char)p[2] >= 0xBE;
}

/* At most so many letters of a name, to stand between single quotes. One of its own stands between double quotes,
 * joined to the rest: gnuplot 5.4 loses count of several doubled ones. */
static void put_name(FILE *out, const char *name)
{
    bool cut = jc_cli_text_width(name) > MOST_LETTERS;
    int letters = 0;
    for (const char *p = name; *p; p++) {
        bool begins = (*p & 0xC0) != 0x80;
        letters += begins;
        if (cut && begins && letters == MOST_LETTERS) break;
        if (is_no_character(p)) {
            fputs("\xEF\xBF\xBD", out);
            p += 2;
        } else {
            fputs(*p == '\'' ? "' . \"'\" . '" : (const char[]){*p, '\0'}, out);
        }
    }
    if (cut) fputs("…", out);
}

static void write_title(const jc_norm_plot *p)
{
    const jc_norm_report *r = p->report;
    bool by_step = r->axis == JC_NORM_BY_STEP;
    fputs("set key title 'Norms of d", p->out); /* above the key; a title would stand below it */
    put_name(p->out, r->of_name);
    fprintf(p->out, "/dV against %s", by_step ? "the step of V" : "the distance of V from ");
    if (!by_step) put_name(p->out, r->of_name);
    fputc('\'', p->out);
    if (!by_step && r->growth.known)
        fprintf(p->out, " . \"\\ngrowth rate %.4g per step of distance\"", r->growth.factor);
    if (by_step && p->n_lines == 1 && r->families->growth.known)
        fprintf(p->out, " . \"\\ngrowth rate %.4g per step back\"", r->families->growth.factor);
    fputs(" noenhanced\n", p->out);
}

static void write_notes(const jc_norm_plot *p)
{
    const char *between = " . \"\\n\" . '";
    if (p->n_zero) {
        fprintf(p->out, "%s0: zero%s", between, p->n_quantities > 1 ? ", or within rounding of it" : "");
        between = ";  ";
    }
    if (p->n_not_finite) {
        fprintf(p->out, "%s%lld with NaN or Inf", between, (long long)p->n_not_finite);
        between = ";  ";
    }
    if (p->n_left_out) {
        fprintf(p->out, "%s%lld not shown", between, (long long)p->n_left_out);
        between = ";  ";
    }
    if (!p->n_lines && p->last_x > p->first_x) {
        fprintf(p->out, "%slines: medians", between);
        between = ";  ";
    }
    if (*between == ';') fputc('\'', p->out);
}

static void write_axes(const jc_norm_plot *p)
{
    bool by_step = p->report->axis == JC_NORM_BY_STEP;
    int stride = (p->high - p->low + MOST_DECADES - 1) / MOST_DECADES;
    fputs(by_step ? "set xlabel 'steps back" : "set xlabel 'distance: fewest edges from V to ", p->out);
    if (by_step)
        fprintf(p->out, " from step %lld", (long long)p->last_step);
    else
        put_name(p->out, p->report->of_name);
    fputc('\'', p->out);
    write_notes(p);
    fputs("\nset ylabel 'norm of d", p->out);
    put_name(p->out, p->report->of_name);
    fprintf(p->out, "/dV'\nset logscale y\nset format y '%%g'\nset xrange [%.9g:%.9g]\n", p->left, p->right);
    fprintf(p->out, "set yrange [%.9g:%.9g]\nset ytics 1e%d,1e%d,1e%d\n", pow(10, p->bottom), pow(10, p->top), p->low,
            stride, p->high);
    if (p->n_zero) fprintf(p->out, "set ytics add ('0' %.9g)\n", p->zero);
    if (p->last_x - p->first_x <= JC_PLOT_MOST_NAMES) fputs("set xtics 1\n", p->out);
}

static void write_style(const jc_norm_plot *p, const char *terminal)
{
    bool svg = !strcmp(terminal, "svg"), pdf = !strcmp(terminal, "pdfcairo");
    fputs("set encoding utf8\n", p->out);
    fprintf(p->out, "set terminal %s size %s noenhanced font '%s' background rgb 'white'%s\n", terminal,
            pdf ? "24cm,15cm" : "960,600", svg ? "sans-serif,13" : "Sans,11", svg ? " dynamic" : "");
    fputs("set border 3 lc rgb '#555555'\nset tics nomirror\nset grid ytics lc rgb '#e0e0e0' lt 1\n"
          "set key tmargin center horizontal maxcols 3 Left reverse samplen 3 spacing 1.2 width 2 noenhanced\n",
          p->out);
}

/* ---- names beside points ----------------------------------------------------------------------------------------- */

/* A text of so many letters beside a point: its lower left corner. Lengths in parts of the picture's width and height.
 */
typedef struct text_box {
    double x, y, width;
} text_box;

static const double LETTER = 0.009, LINE = 0.033;

/* Moves it up until it meets none of the others. It only goes up, so each of them moves it once at most; 0.99, so that
 * rounding does not make them meet again. */
static void find_room(text_box *box, const text_box *others, int n)
{
    for (int i = 0; i < n; i++) {
        const text_box *o = &others[i];
        if (box->x >= o->x + o->width || o->x >= box->x + box->width || fabs(box->y - o->y) >= 0.99 * LINE) continue;
        box->y = o->y + LINE;
        i = -1; /* from the start */
    }
}

/* Beside each point that is on no line, where they are few. */
static void write_names(const jc_norm_plot *p)
{
    text_box boxes[JC_PLOT_MOST_NAMES];
    int n = 0;
    for (int64_t i = 0; i < p->report->n_rows; i++) {
        const jc_norm_row *row = &p->report->rows[i];
        double y = jc_norm_plot_value(row, JC_PLOT_FROBENIUS);
        if (!jc_norm_plot_shows(p, i) || p->family[i] >= 0 || !isfinite(y)) continue;
        boxes[n] = (text_box){((double)jc_norm_plot_place(p, i) - p->left) / (p->right - p->left) + LETTER,
                              (log10(y > 0 ? y : p->zero) - p->bottom) / (p->top - p->bottom) + 0.4 * LINE,
                              LETTER * fmin(jc_cli_text_width(row->name), MOST_LETTERS)};
        find_room(&boxes[n], boxes, n);
        fputs("set label '", p->out);
        put_name(p->out, row->name);
        fprintf(p->out, "' at graph %.4f,%.4f left noenhanced tc rgb '#444444'\n", boxes[n].x, boxes[n].y);
        n++;
    }
}

/* ---- lines and points -------------------------------------------------------------------------------------------- */

static void plot_line(const jc_norm_plot *p, int64_t k, const char *colour)
{
    const jc_norm_report *r = p->report;
    const jc_norm_family *f = &r->families[k];
    static const int dash[JC_PLOT_QUANTITIES] = {1, 2, 3};
    fprintf(p->out, ", $zero%lld using 1:2 with points pt 6 ps 0.7 lc rgb '%s' notitle", (long long)k, colour);
    for (int q = 0; q < p->n_quantities; q++) {
        fprintf(p->out, ", $line%lld_%d using 1:2 with %s lc rgb '%s' lw %s dt %d", (long long)k, q,
                q == JC_PLOT_FROBENIUS ? "linespoints pt 7 ps 0.6" : "lines", colour,
                q == JC_PLOT_FROBENIUS ? "2" : "1.4", dash[q]);
        fputs(q == JC_PLOT_FROBENIUS ? " title '" : " notitle", p->out);
        if (q != JC_PLOT_FROBENIUS) continue;
        put_name(p->out, r->rows[f->rows[0]].name);
        fputs(" .. ", p->out);
        put_name(p->out, r->rows[f->rows[f->n - 1]].name);
        if (f->growth.known) fprintf(p->out, ": %.4g per step back", f->growth.factor);
        fputc('\'', p->out);
    }
}

/* What the dashes of all families mean. */
static void plot_dashes(const jc_norm_plot *p)
{
    for (int q = 0; q < p->n_quantities && p->n_quantities > 1; q++)
        fprintf(p->out, ", NaN with lines lc rgb '#444444' lw 1.6 dt %d title '%s'", q + 1, quantity_name(q));
}

/* Points of several norms at the same distance stand side by side where they are many. */
static void plot_points(const jc_norm_plot *p)
{
    static const int shape[JC_PLOT_QUANTITIES] = {7, 8, 10};
    static const double aside[JC_PLOT_QUANTITIES] = {0, -0.15, 0.15};
    int64_t n = p->n_apart;
    const char *size = n <= FEW ? "0.8" : n <= MANY ? "0.5" : "0.3";
    for (int q = 0; q < p->n_quantities && n && p->points; q++) {
        fprintf(p->out, ", $points_%d using ($1+%g):2 with points pt %d ps %s lc rgb '%s' ", q,
                n <= FEW || p->n_lines ? 0 : aside[q], shape[q], size, p->n_lines ? grey : colours[q]);
        if (p->n_lines)
            fputs(q == JC_PLOT_FROBENIUS ? "title 'other variables'" : "notitle", p->out);
        else
            fprintf(p->out, "title '%s'", quantity_name(q));
    }
}

/* The smallest singular value is dashed: the largest may lie below it. */
static void plot_medians(const jc_norm_plot *p)
{
    for (int q = 0; q < p->n_quantities; q++) {
        fprintf(p->out, ", $median_%d using 1:2 with lines lc rgb '%s' lw 2 dt %d ", q, colours[q],
                q == JC_PLOT_SMALLEST ? 2 : 1);
        if (p->points)
            fputs("notitle", p->out);
        else
            fprintf(p->out, "title '%s'", quantity_name(q));
    }
}

static void write_plot(const jc_norm_plot *p)
{
    int colour = 0;
    fputs("plot NaN notitle", p->out);
    for (int64_t k = 0; k < p->report->n_families; k++) {
        if (jc_norm_plot_has_line(p, k)) plot_line(p, k, colours[colour++]);
    }
    if (p->n_lines)
        plot_dashes(p);
    else
        plot_medians(p);
    plot_points(p);
    fputc('\n', p->out);
}

void jc_norm_plot_write(FILE *out, const jc_norm_report *report, const char *terminal)
{
    jc_norm_plot p;
    jc_norm_plot_init(&p, out, report);
    write_style(&p, terminal);
    write_title(&p);
    write_axes(&p);
    jc_norm_plot_write_data(&p);
    if (p.names) write_names(&p);
    write_plot(&p);
    jc_norm_plot_fini(&p);
}
