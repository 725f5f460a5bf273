#include "cli/dot_reader.h"

#include <ctype.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

typedef struct reader {
    const char *at;
    dot_graph g;
    int depth;
    char *label[MAX_DEPTH], *subgraph[MAX_DEPTH];
} reader;

static void skip_spaces(reader *r)
{
    while (isspace((unsigned char)*r->at)) r->at++;
}

static bool take(reader *r, const char *text)
{
    skip_spaces(r);
    size_t n = strlen(text);
    if (strncmp(r->at, text, n) != 0) return false;
    r->at += n;
    return true;
}

static void expect(reader *r, const char *text)
{
    cr_assert(take(r, text), "'%s' expected at '%.60s'", text, r->at);
}

static char *take_quoted(reader *r)
{
    char *text = calloc(1, strlen(r->at) + 1), *end = text;
    for (r->at++; *r->at != '"'; r->at++) {
        cr_assert(*r->at && *r->at != '\n', "a quoted text does not end");
        if (*r->at == '\\' && (r->at[1] == '"' || r->at[1] == '\\')) r->at++;
        *end++ = *r->at;
    }
    r->at++;
    return text;
}

static char *take_html(reader *r)
{
    const char *start = r->at + 1;
    int depth = 0;
    do {
        cr_assert(*r->at, "an HTML-like text does not end");
        depth += *r->at == '<' ? 1 : *r->at == '>' ? -1 : 0;
        r->at++;
    } while (depth);
    return strndup(start, (size_t)(r->at - 1 - start));
}

/* An ID of DOT: quoted, HTML-like, a word or a number. */
static char *take_id(reader *r)
{
    skip_spaces(r);
    if (*r->at == '"') return take_quoted(r);
    if (*r->at == '<') return take_html(r);
    size_t n = 0;
    while (isalnum((unsigned char)r->at[n]) || strchr("_.-", r->at[n] ? r->at[n] : ' ')) n++;
    cr_assert_gt(n, 0, "a name is expected at '%.60s'", r->at);
    r->at += n;
    return strndup(r->at - n, n);
}

static void take_attributes(reader *r, dot_attribute *list, int *n)
{
    expect(r, "[");
    while (!take(r, "]")) {
        cr_assert_lt(*n, DOT_ATTRIBUTES);
        list[*n].key = take_id(r);
        expect(r, "=");
        list[(*n)++].value = take_id(r);
    }
}

static void free_attributes(dot_attribute *list, int n)
{
    for (int i = 0; i < n; i++) {
        free(list[i].key);
        free(list[i].value);
    }
}

static dot_item *add(dot_item **list, int64_t *n)
{
    *list = realloc(*list, (size_t)(*n + 1) * sizeof **list);
    cr_assert(*list);
    memset(*list + *n, 0, sizeof **list);
    return *list + (*n)++;
}

static void take_item(reader *r, char *name)
{
    dot_item *item;
    if (take(r, "->")) {
        item = add(&r->g.edges, &r->g.n_edges);
        item->from = name;
        item->name = take_id(r);
    } else {
        item = add(&r->g.nodes, &r->g.n_nodes);
        item->name = name;
        for (int i = 1; i <= r->depth; i++) {
            size_t used = strlen(item->groups);
            if (r->label[i]) snprintf(item->groups + used, sizeof item->groups - used, "|%s", r->label[i]);
        }
        if (r->depth) snprintf(item->cluster, sizeof item->cluster, "%s", r->subgraph[r->depth]);
    }
    skip_spaces(r);
    if (*r->at == '[') take_attributes(r, item->attribute, &item->n);
}

static void take_defaults(reader *r, bool of_graph)
{
    dot_attribute other[DOT_ATTRIBUTES];
    int n = 0;
    if (of_graph) {
        take_attributes(r, r->g.attribute, &r->g.n);
        return;
    }
    take_attributes(r, other, &n);
    free_attributes(other, n);
}

static void open_subgraph(reader *r)
{
    cr_assert_lt(++r->depth, MAX_DEPTH);
    r->subgraph[r->depth] = take_id(r);
    r->label[r->depth] = NULL;
    expect(r, "{");
}

static void close_subgraph(reader *r)
{
    free(r->subgraph[r->depth]);
    free(r->label[r->depth]);
    r->depth--;
}

/* key=value of the graph or of the subgraph. */
static void take_setting(reader *r, char *key)
{
    char *value = take_id(r);
    if (r->depth == 0) {
        r->g.attribute[r->g.n++] = (dot_attribute){key, value};
        return;
    }
    if (!strcmp(key, "label"))
        r->label[r->depth] = value;
    else
        free(value);
    free(key);
}

static void take_statement(reader *r)
{
    bool quoted = *r->at == '"';
    char *id = take_id(r);
    if (!quoted && !strcmp(id, "subgraph")) {
        open_subgraph(r);
        free(id);
        return;
    }
    if (!quoted && (!strcmp(id, "graph") || !strcmp(id, "node") || !strcmp(id, "edge"))) {
        take_defaults(r, !strcmp(id, "graph"));
        free(id);
    } else if (take(r, "=")) {
        take_setting(r, id);
    } else {
        take_item(r, id);
    }
    expect(r, ";");
}

dot_graph dot_read(const char *text)
{
    reader r = {.at = text};
    expect(&r, "digraph");
    free(take_id(&r));
    expect(&r, "{");
    for (;;) {
        skip_spaces(&r);
        if (!take(&r, "}")) {
            take_statement(&r);
        } else if (r.depth) {
            close_subgraph(&r);
        } else {
            break;
        }
    }
    skip_spaces(&r);
    cr_assert_str_empty(r.at);
    return r.g;
}

dot_graph dot_read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f, "%s cannot be read", path);
    char *text = NULL;
    size_t capacity = 0;
    ssize_t n = getdelim(&text, &capacity, '\0', f);
    cr_assert_gt(n, 0);
    fclose(f);
    dot_graph g = dot_read(text);
    free(text);
    return g;
}

static void free_items(dot_item *items, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        free(items[i].from);
        free(items[i].name);
        free_attributes(items[i].attribute, items[i].n);
    }
    free(items);
}

void dot_free(dot_graph *g)
{
    free_items(g->nodes, g->n_nodes);
    free_items(g->edges, g->n_edges);
    free_attributes(g->attribute, g->n);
}

static const char *find(const dot_attribute *list, int n, const char *key)
{
    for (int i = 0; i < n; i++) {
        if (!strcmp(list[i].key, key)) return list[i].value;
    }
    return "";
}

const char *dot_get(const dot_item *item, const char *key)
{
    return find(item->attribute, item->n, key);
}

const char *dot_graph_get(const dot_graph *g, const char *key)
{
    return find(g->attribute, g->n, key);
}

const dot_item *dot_node(const dot_graph *g, const char *name)
{
    for (int64_t i = 0; i < g->n_nodes; i++) {
        if (!strcmp(g->nodes[i].name, name)) return &g->nodes[i];
    }
    cr_assert(false, "no node %s", name);
    return NULL;
}

const dot_item *dot_edge(const dot_graph *g, int64_t number)
{
    char id[32];
    snprintf(id, sizeof id, "edge%lld", (long long)number);
    for (int64_t i = 0; i < g->n_edges; i++) {
        if (!strcmp(dot_get(&g->edges[i], "id"), id)) return &g->edges[i];
    }
    cr_assert(false, "no edge %s", id);
    return NULL;
}

char *dot_text(const char *html)
{
    static const char *const entities[][2] = {{"&amp;", "&"},  {"&lt;", "<"},        {"&gt;", ">"},
                                              {"&#160;", " "}, {"&#92;&#92;", "\\"}, {"&quot;", "\""}};
    enum { N = sizeof entities / sizeof entities[0] };
    char *text = calloc(1, strlen(html) + 1), *end = text;
    while (*html) {
        size_t i = 0;
        if (*html == '<') {
            if (!strncmp(html, "<BR/>", 5)) *end++ = '\n';
            html = strchr(html, '>') + 1;
            continue;
        }
        for (; *html == '&' && i < N && strncmp(html, entities[i][0], strlen(entities[i][0])) != 0;) i++;
        cr_assert(*html != '&' || i < N, "an unknown entity: %.20s", html);
        if (*html == '&') {
            *end++ = entities[i][1][0];
            html += strlen(entities[i][0]);
        } else {
            *end++ = *html++;
        }
    }
    return text;
}
