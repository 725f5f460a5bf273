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

void jc_formula_path(jc_formula *f, const jc_graph *graph, const int64_t *edges, int64_t n_edges)
{
    if (!n_edges) add(f, "I");
    for (int64_t i = n_edges; i-- > 0;) {
        int64_t of, wrt;
        jc_graph_edge(graph, edges[i], &of, &wrt);
        jc_formula_jacobian(f, graph, of, wrt);
        if (i) add(f, " ");
    }
}
