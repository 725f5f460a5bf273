/* What the files of the picture of norms share.
 *
 * A variable is a point for its Frobenius norm and, where it has several singular values, two more for the largest and
 * the smallest. Lines: along each family (h1, h2, ..) where there are some, else through the medians of the variables
 * at each distance. */
#ifndef JC_CLI_NORMS_PLOT_H
#define JC_CLI_NORMS_PLOT_H

#include "cli/norms.h"

enum {
    JC_PLOT_MOST_POINTS = 4000, /* variables; of more only medians are drawn */
    JC_PLOT_MOST_FAMILIES = 8,  /* with a colour of their own */
    JC_PLOT_MOST_NAMES = 20     /* points that have their names beside them */
};

typedef enum jc_norm_quantity {
    JC_PLOT_FROBENIUS,
    JC_PLOT_LARGEST,
    JC_PLOT_SMALLEST,
    JC_PLOT_QUANTITIES
} jc_norm_quantity;

/* What is drawn, and where. */
typedef struct jc_norm_plot {
    FILE *out;
    const jc_norm_report *report;
    int n_quantities; /* 1: there is one singular value, the Frobenius norm itself */
    int64_t n_lines;  /* families with lines; 0: lines are those of medians */
    int64_t *family;  /* [n_rows] whose line a variable is on, -1: none */
    int64_t *step;    /* [n_rows] 0 for those in no family */
    int64_t last_step;
    bool points, names;
    int64_t first_x, last_x;
    int low, high;                   /* decades */
    double left, right, bottom, top; /* of the axes; the last two are logarithms */
    double zero;                     /* where zeros stand */
    int64_t n_zero, n_not_finite, n_apart, n_left_out;
} jc_norm_plot;

/* Borrows the report. Without memory the command ends. */
void jc_norm_plot_init(jc_norm_plot *plot, FILE *out, const jc_norm_report *report);
void jc_norm_plot_fini(jc_norm_plot *plot);

/* A variable's norm; 0 where it may be. Where it stands: its distance, or how many steps back. */
double jc_norm_plot_value(const jc_norm_row *row, int quantity);
int64_t jc_norm_plot_place(const jc_norm_plot *plot, int64_t row);
bool jc_norm_plot_shows(const jc_norm_plot *plot, int64_t row);
bool jc_norm_plot_has_zero(const jc_norm_plot *plot, int64_t row); /* one of its norms is */
bool jc_norm_has_logarithm(double norm);

/* Whether the family has a line. */
bool jc_norm_plot_has_line(const jc_norm_plot *plot, int64_t family);

/* The blocks of numbers: $line<family>_<quantity>, $zero<family>, $points_<quantity>, $median_<quantity>. */
void jc_norm_plot_write_data(const jc_norm_plot *plot);

#endif
