#include "cli/draw_help.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const hostile[N_HOSTILE] = {"a\"b",
                                        "back\\",
                                        "\\\\",
                                        "\\N",
                                        "\\",
                                        "<b>bold<b>",
                                        "a]; evil [label=x",
                                        "a->b",
                                        "&amp;",
                                        "&lt;x",
                                        "x\\\"y",
                                        "node",
                                        "subgraph",
                                        "-->",
                                        " space",
                                        "a  b ",
                                        "a:b:c",
                                        "\xF0\x9F\x98\x80",
                                        "\xC3\xA9t\xC3\xA9",
                                        "\xEF\xBF\xBF",
                                        "'single'",
                                        "{r|s}",
                                        "#",
                                        "//c",
                                        "\\G\\E\\n"};

bool have_dot(void)
{
    return system("command -v dot >/dev/null 2>&1") == 0;
}

dot_graph draw(const char *graph, const char *option, const char *value)
{
    run r = expect_code(0, "draw", graph, "--output", "g.dot", "--quiet", option, value, NULL);
    cr_expect_str_empty(r.out);
    cr_expect_str_empty(r.err);
    run_free(&r);
    return dot_read_file("g.dot");
}

void expect_draw_refusal(int code, const char *text, const char *graph, ...)
{
    const char *arguments[16] = {"draw", graph};
    va_list args;
    va_start(args, graph);
    for (int n = 2; (arguments[n] = va_arg(args, const char *)); n++) cr_assert_lt(n, 14);
    va_end(args);
    run r = run_arguments(arguments, NULL);
    cr_expect_eq(r.code, code, "%d, expected %d: %s", r.code, code, r.err);
    cr_expect(strstr(r.err, text), "expected '%s' in: %s", text, r.err);
    cr_expect_str_empty(r.out);
    run_free(&r);
}

void expect_label(const dot_item *item, const char *expected)
{
    char *text = dot_text(dot_get(item, "label"));
    cr_expect_str_eq(text, expected);
    free(text);
}

static void write_json_text(FILE *f, const char *text)
{
    putc('"', f);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putc('\\', f);
        putc(*text, f);
    }
    putc('"', f);
}

void write_chain(const char *path, const char *const *names, int n)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f);
    fputs("{\"jacchain\": 1, \"variables\": [", f);
    for (int i = 0; i < n; i++) {
        fputs(i ? ", {\"name\": " : "{\"name\": ", f);
        write_json_text(f, names[i]);
        fputs(", \"size\": 1}", f);
    }
    fputs("], \"edges\": [", f);
    for (int i = 1; i < n; i++) {
        fputs(i > 1 ? ", {\"of\": " : "{\"of\": ", f);
        write_json_text(f, names[i]);
        fputs(", \"wrt\": ", f);
        write_json_text(f, names[i - 1]);
        fputs(", \"jacobian\": {\"kind\": \"dense\", \"values\": [[2]]}}", f);
    }
    fputs("]}\n", f);
    fclose(f);
}

char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t capacity = 0;
    cr_assert(f, "%s", path);
    if (getdelim(&text, &capacity, '\0', f) < 0) { /* empty */
        free(text);
        text = calloc(1, 1);
    }
    fclose(f);
    return text;
}
