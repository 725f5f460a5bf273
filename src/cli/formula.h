/* Sums and products of local Jacobians and totals as formulas: text, or LaTeX in the notation of the path sum. */
#ifndef JC_CLI_FORMULA_H
#define JC_CLI_FORMULA_H

#include "cli/common.h"

typedef enum jc_formula_format { JC_FORMULA_TEXT, JC_FORMULA_LATEX } jc_formula_format;

/* A growing text. */
typedef struct jc_formula {
    jc_formula_format format;
    const unsigned char
        *parallel; /* [graph edges] marks, borrowed: these edges are written with their numbers; NULL: none */
    char *text;    /* owned, ended by NUL; free */
    size_t length, capacity;
} jc_formula;

/* An empty text. Without memory the command ends, as in all that follows. */
jc_formula jc_formula_begin(jc_formula_format format);

/* Any text, as it is. */
void jc_formula_add(jc_formula *f, const char *text);

/* A variable's name. LaTeX: a single letter stands as it is, other names in \text{..}, escaped. */
void jc_formula_name(jc_formula *f, const jc_graph *graph, int64_t variable);

/* D[of,wrt]; LaTeX: D_{Ly} for names of one letter, D_{\text{loss},y} where one is longer. */
void jc_formula_jacobian(jc_formula *f, const jc_graph *graph, int64_t of, int64_t wrt);

/* D of one edge: as above; of an edge that is marked as parallel D[of,wrt;7], LaTeX D_{Ly}^{(7)}. */
void jc_formula_edge(jc_formula *f, const jc_graph *graph, int64_t edge);

/* A variable at a state of the rules; state -1: anywhere. */
typedef struct jc_formula_end {
    int64_t variable, state;
} jc_formula_end;

/* dL/dx, with states dL/dx|2; LaTeX: \frac{dL}{dx}, \frac{dL}{dx_{|2}}. */
void jc_formula_total(jc_formula *f, const jc_graph *graph, jc_formula_end of, jc_formula_end wrt);

/* [dz/dw]local; LaTeX: \left[\frac{dz}{dw}\right]_{\text{local}}. */
void jc_formula_local(jc_formula *f, const jc_graph *graph, jc_formula_end of, jc_formula_end wrt);

/* The product of a path given by its edges from the source on: D[L,y] D[y,x] D[x,w]; of no edges: I. */
void jc_formula_path(jc_formula *f, const jc_graph *graph, const int64_t *edges, int64_t n_edges);

#endif
