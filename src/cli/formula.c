#include "cli/formula.h"

#include <stdlib.h>
#include <string.h>

static void add_bytes(jc_formula *f, const char *bytes, size_t n)
{
    if (f->length + n + 1 > f->capacity) {
        size_t capacity = 2 * f->capacity + n + 64;
        char *text = jc_cli_alloc((int64_t)capacity, 1);
        if (f->text) memcpy(text, f->text, f->length);
        free(f->text);
        f->text = text;
        f->capacity = capacity;
    }
    memcpy(f->text + f->length, bytes, n);
    f->length += n;
    f->text[f->length] = '\0';
}

static void add(jc_formula *f, const char *text)
{
    add_bytes(f, text, strlen(text));
}

void jc_formula_add(jc_formula *f, const char *text)
{
    add(f, text);
}

jc_formula jc_formula_begin(jc_formula_format format)
{
    jc_formula f = {.format = format};
    add(&f, "");
    return f;
}

/* What stands for a byte inside \text{..}, or NULL: the byte itself. */
static const char *escaped(char c)
{
    switch (c) {
    case '\\':
        return "\\textbackslash{}";
    case '~':
        return "\\textasciitilde{}";
    case '^':
        return "\\textasciicircum{}";
    case '_':
        return "\\_";
    case '%':
        return "\\%";
    case '&':
        return "\\&";
    case '#':
        return "\\#";
    case '$':
        return "\\$";
    case '{':
        return "\\{";
    case '}':
        return "\\}";
    default:
        return NULL;
    }
}

static bool is_letter(const char *name)
{
    return ((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z')) && !name[1];
}

static void add_latex_name(jc_formula *f, const char *name)
{
    if (is_letter(name)) {
        add(f, name);
        return;
    }
    add(f, "\\text{");
    for (; *name; name++) {
        const char *instead = escaped(*name);
        add_bytes(f, instead ? instead : name, instead ? strlen(instead) : 1);
    }
    add(f, "}");
}

void jc_formula_name(jc_formula *f, const jc_graph *graph, int64_t variable)
{
    char *name = jc_cli_name(graph, variable);
    if (f->format == JC_FORMULA_LATEX)
        add_latex_name(f, name);
    else
        add(f, name);
    free(name);
}

static bool has_letter(const jc_graph *graph, int64_t variable)
{
    char name[3];
    jc_graph_variable_name(graph, variable, name, sizeof name);
    return is_letter(name);
}

void jc_formula_jacobian(jc_formula *f, const jc_graph *graph, int64_t of, int64_t wrt)
{
    bool latex = f->format == JC_FORMULA_LATEX;
    add(f, latex ? "D_{" : "D[");
    jc_formula_name(f, graph, of);
    if (!latex || !has_letter(graph, of) || !has_letter(graph, wrt)) add(f, ",");
    jc_formula_name(f, graph, wrt);
    add(f, latex ? "}" : "]");
}

void jc_formula_edge(jc_formula *f, const jc_graph *graph, int64_t edge)
{
    char number[32];
    int64_t of, wrt;
    jc_graph_edge(graph, edge, &of, &wrt);
    jc_formula_jacobian(f, graph, of, wrt);
    if (!f->parallel || !f->parallel[edge]) return;
    if (f->format == JC_FORMULA_LATEX) {
        snprintf(number, sizeof number, "^{(%lld)}", (long long)edge);
    } else {
        f->text[--f->length] = '\0';
        snprintf(number, sizeof number, ";%lld]", (long long)edge);
    }
    add(f, number);
}

static void add_end(jc_formula *f, const jc_graph *graph, jc_formula_end end)
{
    char state[32];
    add(f, "d");
    jc_formula_name(f, graph, end.variable);
    if (end.state < 0) return;
    snprintf(state, sizeof state, f->format == JC_FORMULA_LATEX ? "_{|%lld}" : "|%lld", (long long)end.state);
    add(f, state);
}

void jc_formula_total(jc_formula *f, const jc_graph *graph, jc_formula_end of, jc_formula_end wrt)
{
    bool latex = f->format == JC_FORMULA_LATEX;
    add(f, latex ? "\\frac{" : "");
    add_end(f, graph, of);
    add(f, latex ? "}{" : "/");
    add_end(f, graph, wrt);
    add(f, latex ? "}" : "");
}

void jc_formula_local(jc_formula *f, const jc_graph *graph, jc_formula_end of, jc_formula_end wrt)
{
    bool latex = f->format == JC_FORMULA_LATEX;
    add(f, latex ? "\\left[" : "[");
    jc_formula_total(f, graph, of, wrt);
    add(f, latex ? "\\right]_{\\text{local}}" : "]local");
}

void jc_formula_path(jc_formula *f, const jc_graph *graph, const int64_t *edges, int64_t n_edges)
{
    if (!n_edges) add(f, "I");
    for (int64_t i = n_edges; i-- > 0;) {
        jc_formula_edge(f, graph, edges[i]);
        if (i) add(f, " ");
    }
}
