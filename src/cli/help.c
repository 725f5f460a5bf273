#include "cli/help.h"

#include <string.h>

enum { COLUMNS = 100, OPTION_COLUMN = 28 };

static void spaces(int n)
{
    printf("%*s", n, "");
}

/* The bytes of the paragraph's next word, after its spaces. */
static size_t next_word(const char **text)
{
    *text += strspn(*text, " ");
    return strcspn(*text, " \n");
}

void jc_help_wrap(const char *text, int column, int indent)
{
    bool line_start = true;
    while (*text) {
        size_t n = next_word(&text);
        if (n && !line_start && column + 1 + (int)n > COLUMNS) {
            putchar('\n');
            column = 0;
            line_start = true;
        }
        if (line_start && n && column < indent) {
            spaces(indent - column);
            column = indent;
        } else if (!line_start && n) {
            putchar(' ');
            column++;
        }
        fwrite(text, 1, n, stdout);
        column += (int)n;
        if (n) line_start = false;
        text += n;
        if (*text == '\n') {
            putchar('\n');
            text++;
            column = 0;
            line_start = true;
        }
    }
    putchar('\n');
}

static void print_option(const char *name, const char *value, const char *help)
{
    int column = printf("  --%s%s%s", name, value ? " " : "", value ? value : "");
    if (column > OPTION_COLUMN - 2) {
        putchar('\n');
        column = 0;
    }
    jc_help_wrap(help, column, OPTION_COLUMN);
}

/* One line for the options of the contract that are not there yet. */
static void print_later(const jc_usage *usage)
{
    const char *separator = "\nNot there yet: ";
    for (int t = 0; t < JC_MAX_TABLES && usage->tables[t]; t++) {
        for (const jc_option *o = usage->tables[t]; o->name; o++) {
            if (o->type != JC_OPTION_LATER) continue;
            printf("%s--%s", separator, o->name);
            separator = ", ";
        }
    }
    if (separator[0] == ',') puts(".");
}

void jc_help_command(const jc_usage *usage)
{
    printf("jacchain %s %s\n\n", usage->command, usage->synopsis);
    jc_help_wrap(usage->text, 0, 0);
    puts("\nOptions (--name value or --name=value, anywhere on the line; -- ends them):");
    for (int t = 0; t < JC_MAX_TABLES && usage->tables[t]; t++) {
        for (const jc_option *o = usage->tables[t]; o->name; o++) {
            if (o->type != JC_OPTION_LATER) print_option(o->name, o->value, o->help);
        }
    }
    print_option("help", NULL, "print this and end");
    print_later(usage);
}
