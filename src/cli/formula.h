/* Products of local Jacobians as formulas: text, or LaTeX in the notation of the path sum. */
#ifndef JC_CLI_FORMULA_H
#define JC_CLI_FORMULA_H

#include "cli/common.h"

typedef enum jc_formula_format { JC_FORMULA_TEXT, JC_FORMULA_LATEX } jc_formula_format;

/* A growing text. */
typedef struct jc_formula {
    jc_formula_format format;
    char *text; /* owned, ended by NUL; free */
    size_t length, capacity;
} jc_formula;

/* An empty text. Without memory the command ends, as in all that follows. */
jc_formula jc_formula_begin(jc_formula_format format);

/* A variable's name. LaTeX: a single letter stands as it is, other names in \text{..}, escaped. */
void jc_formula_name(jc_formula *f, const jc_graph *graph, int64_t variable);

/* D[of,wrt]; LaTeX: D_{Ly} for names of one letter, D_{\text{loss},y} where one is longer. */
void jc_formula_jacobian(jc_formula *f, const jc_graph *graph, int64_t of, int64_t wrt);

/* The product of a path given by its edges from the source on: D[L,y] D[y,x] D[x,w]; of no edges: I. */
void jc_formula_path(jc_formula *f, const jc_graph *graph, const int64_t *edges, int64_t n_edges);

#endif
