#include "cli/draw_legend.h"

enum { CELLS = 16 };

static void write_title(FILE *out, const char *text)
{
    fprintf(out, "<TR><TD COLSPAN=\"3\">%s</TD></TR>", text);
}

/* One line of the legend about `n` edges; nothing where there are none. */
static void write_line(FILE *out, int64_t n, const char *text)
{
    if (n > 0) fprintf(out, "<TR><TD COLSPAN=\"3\">%lld edge%s %s</TD></TR>", (long long)n, n == 1 ? "" : "s", text);
}

static void write_scale(FILE *out, const jc_draw_scale *s)
{
    char colour[JC_COLOUR_BYTES];
    fprintf(out, "<TR><TD>%.3g</TD><TD><TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"0\"><TR>",
            s->min);
    for (int i = 0; i < CELLS; i++) {
        double place = s->min == s->max ? 1 : (double)i / (CELLS - 1);
        fprintf(out, "<TD WIDTH=\"12\" HEIGHT=\"10\" FIXEDSIZE=\"TRUE\" BGCOLOR=\"%s\"></TD>",
                jc_draw_scale_colour(place, colour));
    }
    fprintf(out, "</TR></TABLE></TD><TD>%.3g</TD></TR>", s->max);
}

void jc_draw_write_legend(FILE *out, const jc_drawing *d)
{
    const jc_draw_scale *s = &d->scale;
    fputs("  labelloc=b;\n  labeljust=c;\n  label=<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"2\" "
          "CELLPADDING=\"1\">",
          out);
    if (s->max > 0) {
        write_title(out, "Frobenius norm of the Jacobian, logarithmic");
        write_scale(out, s);
    } else if (d->n_edges > 0 && s->without_numbers == d->n_edges) {
        write_title(out, "structure only: no edge has numbers, and so no norm");
    } else {
        write_title(out, "no edge that is shown has a norm on a scale");
    }
    if (s->without_numbers < d->n_edges) write_line(out, s->without_numbers, "without numbers: grey");
    write_line(out, s->zero, "with norm 0: dotted");
    write_line(out, s->not_finite, "with NaN or Inf: black, dashed");
    fputs("</TABLE>>;\n", out);
}
