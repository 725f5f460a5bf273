/* jacchain draw: the graph as a picture. */
#include <stdlib.h>
#include <string.h>

#include "cli/draw.h"
#include "graph/graph.h"

enum { COLOUR_PLAIN, COLOUR_NORM };

typedef struct options {
    jc_cli_shared shared; /* first: the shared tables point to the start */
    const char *path;
    int colour;
} options;

static const jc_option table[] = {
    {.name = "output",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, shared.output),
     .value = "FILE",
     .help =
         "the picture: FILE.svg, .png or .pdf, which takes Graphviz's program dot (package graphviz) and a graph of at "
         "most 2,000 variables; or .dot, Graphviz's own text, which takes neither. A file is written whole or not at "
         "all"},
    {.name = "of",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, shared.of),
     .value = "T[,..]",
     .help = "highlight the paths to these variables, from --wrt or from every source; the rest is dimmed"},
    {.name = "wrt",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, shared.wrt),
     .value = "S[,..]",
     .help = "highlight the paths from these variables, to --of or to every variable without outgoing edge"},
    {.name = "path",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, path),
     .value = "V,V[,..]",
     .help = "highlight the path through exactly these variables, the source first"},
    {.name = "color",
     .type = JC_OPTION_CHOICE,
     .offset = offsetof(options, colour),
     .value = "WHAT",
     .help = "norm: colour each edge by the Frobenius norm of its Jacobian, on a logarithmic scale with a legend; none "
             "(the "
             "default)",
     .choices = "none|norm"},
    {0}};

static const jc_usage usage = {
    .command = "draw",
    .synopsis = "GRAPH --output FILE [options]",
    .text =
        "The graph as a picture: a node for each variable with its name and size, an arrow for each edge, from wrt to "
        "of. The part of a name before a slash is a group: layer1/h is h in the box layer1. Few edges have their D and "
        "their labels beside them; in a .svg every edge says its kind, shape and labels when pointed at. An unrolled "
        "network, whose names end with the step (h1, h2, ..), becomes a grid with time from left to right. Path rules "
        "(avoid, through, avoid-label, match) dim what lies on no path that satisfies them.",
    .tables = {table, jc_cli_rule_options, jc_cli_report_options},
    .min_words = 1,
    .max_words = 1,
    .example = "jacchain draw examples/post.json --output post.svg --of L --wrt x"};

/* One run of the command: what it holds, freed together. */
typedef struct work {
    const options *options;
    const jc_draw_kind *kind;
    jc_graph *graph;
    jc_cli_variables of, wrt, path;
    jc_cli_rules rules;
    jc_drawing drawing;
    jc_picture picture;
} work;

static void work_fini(work *w)
{
    jc_picture_fini(&w->picture);
    jc_drawing_fini(&w->drawing);
    jc_cli_rules_fini(&w->rules);
    free(w->path.ids);
    free(w->wrt.ids);
    free(w->of.ids);
    jc_graph_destroy(w->graph);
}

/* ---- what is asked ------------------------------------------------------------------------------------------- */

static bool check_output(work *w, int *exit_code)
{
    const char *path = w->options->shared.output;
    if (path) return (w->kind = jc_draw_kind_of("draw", path, exit_code)) != NULL;
    *exit_code = jc_cli_usage_error("draw", "--output is missing: FILE.svg, .png, .pdf or .dot");
    return false;
}

static bool check_size(const work *w, int *exit_code)
{
    return jc_draw_check_size("draw", w->kind, jc_graph_variable_count(w->graph), jc_graph_edge_count(w->graph),
                              exit_code);
}

/* The ends that are not said are those of the whole graph; they are not marked as ends. */
static bool mark_between(work *w, int *exit_code)
{
    const jc_cli_shared *s = &w->options->shared;
    jc_cli_variables targets = s->of ? w->of : jc_cli_sinks(w->graph);
    jc_cli_variables sources = s->wrt ? w->wrt : jc_cli_sources(w->graph);
    jc_status status = jc_draw_mark_between(&w->drawing, &targets, &sources, &w->rules);
    jc_draw_mark_ends(&w->drawing, &w->of, &w->wrt);
    if (!s->of) free(targets.ids);
    if (!s->wrt) free(sources.ids);
    if (status) *exit_code = jc_cli_failed(status);
    return status == JC_OK;
}

static bool mark_path(work *w, int *exit_code)
{
    if (w->path.count < 2) {
        *exit_code = jc_cli_usage_error("draw", "--path takes two variables or more, the source first");
        return false;
    }
    int64_t gap = jc_draw_mark_path(&w->drawing, &w->path);
    if (gap < 0) return true;
    *exit_code = jc_cli_usage_error("draw", "--path: no edge leads from %s to %s", w->drawing.name[w->path.ids[gap]],
                                    w->drawing.name[w->path.ids[gap + 1]]);
    return false;
}

static bool prepare(work *w, const char *path, int *exit_code)
{
    const options *o = w->options;
    const jc_cli_shared *s = &o->shared;
    double seconds;
    if (!check_output(w, exit_code) || !jc_cli_load(s, path, &w->graph, &seconds, exit_code) ||
        !jc_cli_find_variables(s, w->graph, "of", s->of, &w->of, exit_code) ||
        !jc_cli_find_variables(s, w->graph, "wrt", s->wrt, &w->wrt, exit_code) ||
        !jc_cli_find_variables(s, w->graph, "path", o->path, &w->path, exit_code) ||
        !jc_cli_find_rules(s, w->graph, &w->rules, exit_code) || !check_size(w, exit_code)) {
        return false;
    }
    jc_drawing_init(&w->drawing, w->graph);
    if ((s->of || s->wrt || w->rules.count) && !mark_between(w, exit_code)) return false;
    if (o->path && !mark_path(w, exit_code)) return false;
    if (o->colour == COLOUR_NORM) jc_draw_take_norms(&w->drawing);
    return true;
}

/* ---- saying what was made ------------------------------------------------------------------------------------ */

static void narrate(const work *w)
{
    const jc_drawing *d = &w->drawing;
    const jc_cli_shared *s = &w->options->shared;
    char n[JC_QUANTITY_BYTES], m[JC_QUANTITY_BYTES], size[JC_GRAPH_SIZE_BYTES];
    if (w->picture.said && *w->picture.said && !s->quiet) fputs(w->picture.said, stderr);
    jc_cli_narrate(s->quiet, "%s: %s", s->output, jc_cli_graph_size_text(d->n_variables, d->n_edges, size));
    if (d->node_on && d->n_edges_on)
        jc_cli_narrate(s->quiet, "%s variables and %s edges are on the paths asked for", jc_cli_count_text(d->n_on, n),
                       jc_cli_count_text(d->n_edges_on, m));
    else if (d->node_on)
        jc_cli_narrate(s->quiet, "no edge is on a path between these variables");
    if (d->scale.norm && d->n_edges && d->scale.without_numbers == d->n_edges)
        jc_cli_narrate(s->quiet, "no edge has numbers: there are no norms to colour by");
}

static void emit_marked(jc_emit *e, const char *key, const bool *marks, int64_t n)
{
    jc_emit_open(e, key, '[');
    for (int64_t i = 0; i < n; i++) {
        if (marks[i]) jc_emit_int(e, NULL, i);
    }
    jc_emit_close(e, ']');
}

static void emit_norms(jc_emit *e, const jc_draw_scale *s)
{
    jc_emit_open(e, "norms", '{');
    jc_emit_double(e, "min", s->min);
    jc_emit_double(e, "max", s->max);
    jc_emit_int(e, "without_numbers", s->without_numbers);
    jc_emit_int(e, "zero", s->zero);
    jc_emit_int(e, "not_finite", s->not_finite);
    jc_emit_close(e, '}');
}

static void emit(const void *ctx)
{
    const work *w = ctx;
    const jc_drawing *d = &w->drawing;
    if (!w->options->shared.json) return;
    jc_emit e = jc_emit_to(stdout);
    jc_emit_open(&e, NULL, '{');
    jc_emit_text(&e, "command", "draw");
    jc_emit_text(&e, "output", w->options->shared.output);
    jc_emit_int(&e, "variables", d->n_variables);
    jc_emit_int(&e, "edges", d->n_edges);
    if (d->edge_on) emit_marked(&e, "edges_between", d->edge_on, d->n_edges);
    if (d->edge_path) emit_marked(&e, "edges_on_path", d->edge_path, d->n_edges);
    if (d->scale.norm) emit_norms(&e, &d->scale);
    jc_emit_close(&e, '}');
    putchar('\n');
}

static int deliver(const work *w)
{
    int code = jc_picture_deliver(w->options->shared.output, w->picture.data, w->picture.bytes, emit, w);
    if (code == JC_EXIT_DONE) narrate(w);
    return code;
}

int jc_cli_draw(int argc, char **argv)
{
    options o = {.shared = JC_CLI_SHARED_INIT("draw")};
    jc_words words;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &o, &words, &code)) return code;
    work w = {.options = &o};
    if (prepare(&w, words.word[0], &code)) {
        jc_status status = jc_draw_paint(&w.drawing, w.kind, o.shared.quiet, &w.picture);
        code = status ? jc_cli_failed(status) : deliver(&w);
    }
    work_fini(&w);
    return code;
}
