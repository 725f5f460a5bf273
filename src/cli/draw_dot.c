/* The drawing as DOT text: variables are nodes under their names, edges lead from wrt to of, each as an edge of its
 * own. Colours differ in lightness and in width of the line, not only in hue, on white. */
#include <stdlib.h>
#include <string.h>

#include "cli/draw.h"
#include "cli/draw_legend.h"
#include "graph/graph.h"

enum {
    NAME_CHARACTERS = 28,
    LABEL_CHARACTERS = 8,
    MANY_EDGES = 2000 /* of more than these, dot improves order and places for a shorter time */
};

/* How a line or a node is drawn. */
typedef struct ink {
    const char *line, *fill, *text;
    double width;
    const char *style; /* of an edge, or NULL */
} ink;

static const ink plain_edge = {"#4a4a4a", NULL, "#1f2328", 1.1, NULL};
static const ink aside_edge = {"#8a8a8a", NULL, "#1f2328", 1.0, NULL}; /* of parameters, many and long */
static const ink between_edge = {"#0072b2", NULL, "#1f2328", 1.9, NULL};
static const ink path_edge = {"#d55e00", NULL, "#b34f00", 3.2, NULL};
static const ink dim_edge = {"#d3d3d3", NULL, "#b8b8b8", 0.8, NULL};
static const ink unknown_edge = {"#a6a6a6", NULL, "#1f2328", 1.0, NULL};
static const ink zero_edge = {"#a6a6a6", NULL, "#1f2328", 1.2, "dotted"};
static const ink fill_edge = {"#d55e00", NULL, "#b34f00", 1.2, "dashed"};
static const ink not_finite_edge = {"#000000", NULL, "#1f2328", 2.2, "dashed"};

static const ink plain_node = {"#2b6ca3", "#e8f1fa", "#1f2328", 1.1, NULL};
static const ink end_node = {"#00497a", "#cfe3f4", "#1f2328", 2.4, NULL};
static const ink path_node = {"#d55e00", "#fde9d9", "#1f2328", 2.2, NULL};
static const ink dim_node = {"#d0d0d0", "#fafafa", "#a8a8a8", 0.9, NULL};

/* ---- edges --------------------------------------------------------------------------------------------------- */

/* The edge of the document whose Jacobian it has, or one of JC_DRAW_FILL, .. */
static int64_t edge_of_document(const jc_drawing *d, int64_t e)
{
    return d->elimination ? d->elimination->edge[e] : e;
}

static const jc_graph *document_of(const jc_drawing *d)
{
    return d->elimination ? d->elimination->document : d->graph;
}

static bool is_dim(const jc_drawing *d, int64_t e)
{
    return d->edge_on && !d->edge_on[e] && !(d->edge_path && d->edge_path[e]);
}

/* text: for a colour of the scale. */
static ink ink_of_norm(const jc_drawing *d, int64_t e, char text[JC_COLOUR_BYTES])
{
    double norm = d->scale.norm[e], place = jc_draw_scale_place(&d->scale, e);
    if (norm == -1) return unknown_edge;
    if (norm == 0) return zero_edge;
    if (place < 0) return not_finite_edge;
    ink i = plain_edge;
    i.line = jc_draw_scale_colour(place, text);
    i.width = 1.2 + 1.6 * place;
    return i;
}

static ink ink_of_edge(const jc_drawing *d, const jc_draw_layout *layout, int64_t e, char text[JC_COLOUR_BYTES])
{
    bool on_path = d->edge_path && d->edge_path[e];
    if (is_dim(d, e)) return dim_edge;
    if (edge_of_document(d, e) == JC_DRAW_FILL) return fill_edge;
    if (d->scale.norm) {
        ink i = ink_of_norm(d, e, text);
        if (on_path) i.width = path_edge.width + 1;
        return i;
    }
    if (on_path) return path_edge;
    if (d->edge_on) return between_edge;
    return layout->aside && layout->aside[jc_graph_wrt(d->graph, e)] ? aside_edge : plain_edge;
}

/* The labels of an edge, ", " between them; whether there are any. */
static bool write_words(FILE *out, const jc_graph *g, int64_t e)
{
    const jc_label_set *set = (const jc_label_set *)g->label_sets.data + jc_graph_group(g, e)->label_set;
    if (!jc_graph_group(g, e)->label_set) return false;
    for (int64_t i = 0; i < set->count; i++) {
        int64_t label = ((const int64_t *)g->set_labels.data)[set->first + i];
        fprintf(out, "%s%s", i ? ", " : "", ((char *const *)g->label_names.data)[label]);
    }
    return set->count > 0;
}

/* ", dense; edge 0; param" */
static void write_jacobian(FILE *out, const jc_graph *g, int64_t e)
{
    const jc_shape *s = &jc_graph_group(g, e)->shape;
    fprintf(out, ", %s%s", jc_kind_name(s->kind), s->transpose ? ", transposed" : "");
    if (s->batch > 1) fprintf(out, ", batch %lld", (long long)s->batch);
    if (s->inner > 1) fprintf(out, ", inner %lld", (long long)s->inner);
    fprintf(out, "; edge %lld", (long long)e);
    if (jc_graph_group(g, e)->label_set) fputs("; ", out);
    write_words(out, g, e);
}

/* "D[x,w], 3 x 4, dense; edge 0; param" */
static void write_edge_tooltip(FILE *out, const jc_drawing *d, int64_t e)
{
    const jc_graph *g = d->graph;
    int64_t of = jc_graph_of(g, e), wrt = jc_graph_wrt(g, e), given = edge_of_document(d, e);
    fputs("tooltip=\"D[", out);
    jc_dot_escaped(out, d->name[of]);
    putc(',', out);
    jc_dot_escaped(out, d->name[wrt]);
    fprintf(out, "], %lld x %lld", (long long)jc_graph_size(g, of), (long long)jc_graph_size(g, wrt));
    if (given >= 0) write_jacobian(out, document_of(d), given);
    if (given == JC_DRAW_FILL) fputs("; fill-in", out);
    if (d->scale.norm && d->scale.norm[e] == -1) fputs("; no numbers", out);
    if (d->scale.norm && d->scale.norm[e] != -1) fprintf(out, "; norm %.6g", d->scale.norm[e]);
    putc('"', out);
}

/* The index of a D: "yx" of short names, "of,wrt" of others; nothing where they are long. */
static void write_index(FILE *out, const jc_drawing *d, int64_t of, int64_t wrt)
{
    int64_t n = jc_cli_text_width(d->leaf[of]), m = jc_cli_text_width(d->leaf[wrt]);
    if (n > LABEL_CHARACTERS || m > LABEL_CHARACTERS) return;
    fputs("<SUB><FONT POINT-SIZE=\"10\">", out);
    jc_dot_html(out, d->leaf[of], 0);
    if (n > 1 || m > 1) putc(',', out);
    jc_dot_html(out, d->leaf[wrt], 0);
    fputs("</FONT></SUB>", out);
}

static void write_edge_label(FILE *out, const jc_drawing *d, int64_t e)
{
    int64_t given = edge_of_document(d, e);
    fputs(" label=<<I>D", out);
    write_index(out, d, jc_graph_of(d->graph, e), jc_graph_wrt(d->graph, e));
    fputs("</I>", out);
    if (given >= 0 && jc_graph_group(document_of(d), given)->label_set) {
        fputs("<BR/><FONT POINT-SIZE=\"4\">&#160;</FONT><BR/><FONT FACE=\"Helvetica\" POINT-SIZE=\"9\">", out);
        write_words(out, document_of(d), given);
        fputs("</FONT>", out);
    }
    putc('>', out);
}

static void write_edge(FILE *out, const jc_drawing *d, const jc_draw_layout *layout, int64_t e)
{
    char text[JC_COLOUR_BYTES];
    int64_t of = jc_graph_of(d->graph, e), wrt = jc_graph_wrt(d->graph, e);
    ink i = ink_of_edge(d, layout, e, text);
    fputs("  ", out);
    jc_dot_identifier(out, d->name[wrt]);
    fputs(" -> ", out);
    jc_dot_identifier(out, d->name[of]);
    fprintf(out, " [id=\"edge%lld\" ", (long long)e);
    write_edge_tooltip(out, d, e);
    if (i.line != plain_edge.line) fprintf(out, " color=\"%s\" penwidth=%.2f", i.line, i.width);
    if (i.style) fprintf(out, " style=%s", i.style);
    if (layout->labels && strcmp(i.text, plain_edge.text) != 0) fprintf(out, " fontcolor=\"%s\"", i.text);
    if (layout->labels) write_edge_label(out, d, e);
    if (layout->column && layout->column[of] != layout->column[wrt])
        fputs(" constraint=false weight=0 tailport=s headport=n", out);
    fputs("];\n", out);
}

/* ---- variables ----------------------------------------------------------------------------------------------- */

static const ink *ink_of_node(const jc_drawing *d, int64_t v)
{
    if (d->node_path && d->node_path[v]) return &path_node;
    if (d->node_end && d->node_end[v]) return &end_node;
    return d->node_on && !d->node_on[v] ? &dim_node : &plain_node;
}

/* "3. " in front of a vertex that is eliminated. */
static void write_number(FILE *out, const jc_drawing *d, int64_t v)
{
    int64_t number = d->elimination ? d->elimination->number[v] : 0;
    if (!number) return;
    fprintf(out, "<FONT FACE=\"Helvetica\" POINT-SIZE=\"10\" COLOR=\"%s\"><B>%lld.</B></FONT>&#160;", fill_edge.text,
            (long long)number);
}

/* The name, and the size below it or, in a long graph, behind it. */
static void write_node_label(FILE *out, const jc_drawing *d, const jc_draw_layout *layout, int64_t v, const ink *i)
{
    bool below = layout->formulas || layout->style == JC_DRAW_GRID || !layout->downwards;
    int64_t size = jc_graph_size(d->graph, v);
    fputs("label=<", out);
    write_number(out, d, v);
    if (layout->formulas) fputs("<I>", out);
    jc_dot_html(out, d->leaf[v], NAME_CHARACTERS);
    if (layout->formulas) fputs("</I>", out);
    fprintf(out, "%s<FONT FACE=\"Helvetica\" POINT-SIZE=\"9\" COLOR=\"%s\">%lld</FONT>>", below ? "<BR/>" : "&#160; ",
            i == &dim_node ? i->text : "#57606a", (long long)size);
}

static void write_node(FILE *out, const jc_drawing *d, const jc_draw_layout *layout, const jc_draw_place *place)
{
    int64_t v = place->variable, size = jc_graph_size(d->graph, v);
    const ink *i = ink_of_node(d, v);
    fputs("  ", out);
    jc_dot_identifier(out, d->name[v]);
    fprintf(out, " [id=\"variable%lld\" ", (long long)v);
    write_node_label(out, d, layout, v, i);
    fputs(" tooltip=\"", out);
    jc_dot_escaped(out, d->name[v]);
    fprintf(out, ", size %lld\"", (long long)size);
    if (i != &plain_node)
        fprintf(out, " color=\"%s\" fillcolor=\"%s\" fontcolor=\"%s\" penwidth=%.2f", i->line, i->fill, i->text,
                i->width);
    if (layout->x) fprintf(out, " pos=\"%.4f,%.4f!\"", layout->x[v] / 72, layout->y[v] / 72);
    fputs("];\n", out);
}

/* ---- groups and columns -------------------------------------------------------------------------------------- */

/* Bytes of the group at the start of a path, without its separator. */
static size_t group_bytes(const char *path)
{
    const char *separator = strchr(path, JC_DRAW_SEPARATOR);
    return separator ? (size_t)(separator - path) : strlen(path);
}

static void open_group(FILE *out, const char *title, size_t bytes, int64_t number)
{
    char *text = jc_cli_alloc((int64_t)bytes + 1, 1);
    memcpy(text, title, bytes);
    fprintf(out, "  subgraph \"cluster_%lld\" {\n  labelloc=t;\n  labeljust=l;\n  label=\"", (long long)number);
    jc_dot_escaped(out, text);
    fputs("\";\n", out);
    free(text);
}

/* How many groups two paths share from the outermost on; *a and *b move behind them. */
static int shared_groups(const char **a, const char **b)
{
    int shared = 0;
    while (**a && **b) {
        size_t n = group_bytes(*a), m = group_bytes(*b);
        if (n != m || memcmp(*a, *b, n)) break;
        *a += n + ((*a)[n] != '\0');
        *b += n + ((*b)[n] != '\0');
        shared++;
    }
    return shared;
}

static int count_groups(const char *path)
{
    int n = *path != '\0';
    for (; *path; path++) n += *path == JC_DRAW_SEPARATOR;
    return n;
}

/* Every variable inside of its groups: those of one group stand together. */
static void write_grouped_nodes(FILE *out, const jc_drawing *d, const jc_draw_layout *layout)
{
    const char *before = "";
    int64_t number = 0;
    for (int64_t i = 0; i < d->n_variables; i++) {
        const char *path = d->place[i].path, *rest = before;
        int close = count_groups(before) - shared_groups(&path, &rest);
        for (int k = 0; k < close; k++) fputs("  }\n", out);
        for (; *path; number++) {
            size_t n = group_bytes(path);
            open_group(out, path, n, number);
            path += n + (path[n] != '\0');
        }
        write_node(out, d, layout, &d->place[i]);
        before = d->place[i].path;
    }
    for (int k = count_groups(before); k > 0; k--) fputs("  }\n", out);
}

/* Each column is a cluster that is not seen. */
static void write_columns(FILE *out, const jc_drawing *d, const jc_draw_layout *layout)
{
    for (int64_t c = 0; c < layout->n_columns; c++) {
        fprintf(out, "  subgraph \"cluster_%lld\" {\n  style=invis;\n", (long long)c);
        for (int64_t i = 0; i < d->n_variables; i++) {
            int64_t v = d->graph->topological[i];
            if (layout->column[v] == c) write_node(out, d, layout, &d->place[v]);
        }
        fputs("  }\n", out);
    }
}

static void write_nodes(FILE *out, const jc_drawing *d, const jc_draw_layout *layout)
{
    if (layout->column)
        write_columns(out, d, layout);
    else
        write_grouped_nodes(out, d, layout);
}

/* ---- the whole ----------------------------------------------------------------------------------------------- */

static void write_defaults(FILE *out, const jc_drawing *d, const jc_draw_layout *layout)
{
    bool tight = layout->downwards;
    fprintf(out, "  graph [bgcolor=white fontname=\"Helvetica\" fontsize=11 fontcolor=\"#1f2328\" pad=0.15");
    if (layout->style == JC_DRAW_GRID)
        fprintf(out, " layout=neato splines=%s", layout->straight ? "line" : "true");
    else
        fprintf(out, " rankdir=%s nodesep=%s ranksep=%s", layout->downwards ? "TB" : "LR",
                tight            ? "0.15"
                : layout->labels ? "0.5"
                                 : "0.3",
                tight            ? "0.17"
                : layout->labels ? "0.7"
                                 : "0.6");
    if (d->n_edges > MANY_EDGES && layout->style != JC_DRAW_GRID)
        fputs(" nslimit=1 nslimit1=1 mclimit=0.1 splines=polyline", out);
    fputs(" style=\"rounded,filled\" color=\"#b6c0ca\" fillcolor=\"#f6f8fa\" labeljust=l];\n", out);
    fprintf(out, "  node [shape=%s style=\"%s\" fontname=\"%s\" fontsize=%d margin=\"%s\" width=%s height=%s",
            layout->formulas ? "circle" : "box", layout->formulas ? "filled" : "rounded,filled",
            layout->formulas ? "Times-Roman" : "Helvetica",
            layout->formulas ? 18
            : tight          ? 10
                             : 12,
            layout->formulas ? "0.02"
            : tight          ? "0.07,0.02"
                             : "0.1,0.04",
            layout->formulas ? "0.6" : "0.3",
            layout->formulas ? "0.6"
            : tight          ? "0.2"
                             : "0.36");
    fprintf(out, " color=\"%s\" fillcolor=\"%s\" fontcolor=\"%s\" penwidth=%.2f];\n", plain_node.line, plain_node.fill,
            plain_node.text, plain_node.width);
    fprintf(out,
            "  edge [fontname=\"Times-Roman\" fontsize=%d arrowsize=%s color=\"%s\" fontcolor=\"%s\" penwidth=%.2f];\n",
            layout->formulas ? 15 : 13, tight ? "0.5" : "0.7", plain_edge.line, plain_edge.text, plain_edge.width);
}

static void write_caption(FILE *out, const jc_draw_elimination *e)
{
    fputs("  labelloc=b;\n  labeljust=c;\n  label=\"", out);
    jc_dot_escaped(out, e->caption);
    fputs("\";\n", out);
}

void jc_draw_write_dot(FILE *out, const jc_drawing *d, const jc_draw_layout *layout)
{
    fputs("digraph jacchain {\n", out);
    write_defaults(out, d, layout);
    if (d->scale.norm) jc_draw_write_legend(out, d);
    if (d->elimination) write_caption(out, d->elimination);
    write_nodes(out, d, layout);
    for (int64_t e = 0; e < d->n_edges; e++) write_edge(out, d, layout, e);
    fputs("}\n", out);
}
