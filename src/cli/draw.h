/* What the files of the command draw share: a graph with what is to be seen of it, and its way to a picture.
 *
 *   graph --> drawing (what is marked, norms, groups) --> layout (who stands where) --> DOT text --> picture
 *             draw_marks.c, draw_colour.c, draw_groups.c  draw_layout.c, draw_grid.c    draw_dot.c   draw_render.c */
#ifndef JC_CLI_DRAW_H
#define JC_CLI_DRAW_H

#include "cli/common.h"
#include "cli/picture.h"

/* ---- what is to be seen: draw_marks.c, draw_colour.c, draw_groups.c ----------------------------------------- */

/* The norms of edges and their colours: a logarithmic scale from the smallest positive finite norm to the largest. */
typedef struct jc_draw_scale {
    double *norm;    /* [edges] of the graph; -1: the edge has no numbers. NULL: colours say nothing of norms */
    double min, max; /* of the coloured edges; 0: none is coloured */
    int64_t without_numbers, zero, not_finite;
} jc_draw_scale;

/* Where a variable stands in the groups that its name says: "a/b/c" is c in the group b in the group a. */
typedef struct jc_draw_place {
    int64_t variable;
    char *path;       /* its groups, outermost first, JC_DRAW_SEPARATOR between them; "": none. Owned */
    const char *leaf; /* the rest of the name, borrowed from it */
} jc_draw_place;

enum { JC_DRAW_SEPARATOR = 1 }; /* no name has a control character */

/* The elimination of a plan, on a graph that was made for it: its nodes and edges, and those that come by fill-in. */
typedef struct jc_draw_elimination {
    const jc_graph *document; /* the graph whose Jacobians the edges have */
    int64_t *number;          /* [n_variables] from 1 on, in the order in which they are eliminated; 0: they are not */
    int64_t *edge;            /* [n_edges] of the document; or one of JC_DRAW_FILL, .. */
    char *caption;            /* what stands below */
} jc_draw_elimination;

enum { JC_DRAW_FILL = -1, JC_DRAW_ADDED = -2 }; /* fill-in; an edge to a seed or a sum over samples */

typedef struct jc_drawing {
    const jc_graph *graph;
    int64_t n_variables, n_edges;
    char **name;                            /* [n_variables], owned */
    const char **leaf;                      /* [n_variables] the names without their groups */
    jc_draw_place *place;                   /* [n_variables] in the order in which groups are written */
    bool has_groups;                        /* some variable is in one */
    bool *node_on, *edge_on;                /* on a path that --of and --wrt ask for; NULL: nothing is dimmed */
    bool *node_end;                         /* named by --of or --wrt; NULL: none are */
    const jc_draw_elimination *elimination; /* borrowed; NULL: none is drawn */
    bool *node_path, *edge_path;            /* on --path; NULL: not asked for */
    int64_t n_on, n_edges_on, n_path_edges; /* how many of them are set */
    jc_draw_scale scale;
} jc_drawing;

/* Takes names and groups from the graph, which is borrowed. Ends the command where there is no memory. */
void jc_drawing_init(jc_drawing *d, const jc_graph *graph);
void jc_drawing_fini(jc_drawing *d);

/* Marks the variables and edges of all paths from a source to a target that satisfy the rules. */
jc_status jc_draw_mark_between(jc_drawing *d, const jc_cli_variables *targets, const jc_cli_variables *sources,
                               const jc_cli_rules *rules);

/* Marks the variables that are named as ends of paths. */
void jc_draw_mark_ends(jc_drawing *d, const jc_cli_variables *targets, const jc_cli_variables *sources);

/* Marks the path through exactly these variables, parallel edges all; the number of the first variable of the list from
 * which no edge leads to the next, or -1. */
int64_t jc_draw_mark_path(jc_drawing *d, const jc_cli_variables *path);

/* Takes the norms of all edges; the scale is over those that are not dimmed. */
void jc_draw_take_norms(jc_drawing *d);

enum { JC_COLOUR_BYTES = 8 };

/* "#rrggbb" of a place on the scale, 0 the smallest and 1 the largest norm. */
const char *jc_draw_scale_colour(double place, char text[JC_COLOUR_BYTES]);

/* Where the edge's norm is on the scale, 0 to 1; -1 where it is not on it. */
double jc_draw_scale_place(const jc_draw_scale *scale, int64_t edge);

/* ---- who stands where: draw_layout.c, draw_grid.c ----------------------------------------------------------- */

typedef enum jc_draw_style {
    JC_DRAW_LAYERS,  /* dot's layers, one for each distance from the sources */
    JC_DRAW_COLUMNS, /* a long graph: layers from top to bottom, cut into columns */
    JC_DRAW_GRID     /* an unrolled network: a column for each step, a row for each variable of a step */
} jc_draw_style;

typedef struct jc_draw_layout {
    jc_draw_style style;
    bool downwards;  /* layers from top to bottom, else from left to right */
    bool formulas;   /* few variables with short names: round nodes and italics, as in a formula */
    bool labels;     /* few edges: D[of,wrt] and their labels are written beside them */
    int64_t *column; /* JC_DRAW_COLUMNS: [n_variables] */
    int64_t n_columns;
    double *x, *y; /* JC_DRAW_GRID: [n_variables], points to the right and up */
    bool *aside;   /* JC_DRAW_GRID: [n_variables] above the grid: parameters */
    bool straight; /* JC_DRAW_GRID: too many for lines around what is in their way; rows are set off instead */
} jc_draw_layout;

void jc_draw_layout_init(jc_draw_layout *layout, const jc_drawing *d);
void jc_draw_layout_fini(jc_draw_layout *layout);

/* Sets x, y and aside and returns true where the graph is an unrolled network. */
bool jc_draw_grid(const jc_drawing *d, jc_draw_layout *layout);

/* ---- to a picture: draw_text.c, draw_dot.c, draw_render.c, draw_output.c ------------------------------------ */

/* Texts of any name, safe where they stand: "quoted" as the name of a node; inside of a quoted text that is shown,
 * where DOT knows escapes and entities; inside of an HTML-like label, at most `most` characters of it (0: all). */
void jc_dot_identifier(FILE *out, const char *text);
void jc_dot_escaped(FILE *out, const char *text);
void jc_dot_html(FILE *out, const char *text, int64_t most);

/* The drawing as DOT text. Errors stay with the stream. */
void jc_draw_write_dot(FILE *out, const jc_drawing *d, const jc_draw_layout *layout);

/* What a picture's name ends with. */
typedef struct jc_draw_kind {
    const char *end;
    const char *format; /* of Graphviz; NULL: its text itself */
} jc_draw_kind;

/* The kind of --output for a command; NULL: it has none, or its folder cannot be written, which is said. */
const jc_draw_kind *jc_draw_kind_of(const char *command, const char *path, int *exit_code);

/* Refuses graphs that are too large to be laid out while one waits. */
bool jc_draw_check_size(const char *command, const jc_draw_kind *kind, int64_t n_variables, int64_t n_edges,
                        int *exit_code);

/* The drawing laid out, as a picture of that kind. */
jc_status jc_draw_paint(const jc_drawing *d, const jc_draw_kind *kind, bool quiet, jc_picture *picture);

/* Runs Graphviz's program dot on DOT text. format: "svg", "png" or "pdf". JC_E_UNAVAILABLE where it is not installed,
 * JC_E_DEVICE with what it said where it fails. */
jc_status jc_draw_render(const char *dot, size_t bytes, const char *format, jc_picture *picture);

#endif
