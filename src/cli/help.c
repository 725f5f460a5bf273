#include "cli/help.h"

#include <string.h>

const char jc_help_about[] =
    "Total derivatives of a computation graph from its local Jacobians: the sum over all paths of the products of the "
    "Jacobians on them. GRAPH is a graph document (docs/file-format.md); - reads it from standard input.";

const char *const jc_help_exit_codes[] = {"done",
                                          "a check failed or could not decide",
                                          "wrong usage",
                                          "an input is not valid",
                                          "a device or library failed, or an output cannot be written",
                                          "not enough memory",
                                          NULL};

static jc_help_form current_form = JC_HELP_TEXT;

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

/* The lines of the example, as they are typed. */
static void print_example(const char *example)
{
    puts("\nExample:");
    while (*example) {
        size_t n = strcspn(example, "\n");
        printf("  %.*s\n", (int)n, example);
        example += n + (example[n] == '\n');
    }
}

static void print_text(const jc_usage *usage)
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
    if (usage->example) print_example(usage->example);
}

void jc_help_begin(jc_help_form form)
{
    current_form = form;
    if (form == JC_HELP_MAN) jc_man_begin();
    if (form == JC_HELP_BASH) jc_bash_begin();
}

void jc_help_command(const jc_usage *usage)
{
    if (current_form == JC_HELP_MAN)
        jc_man_command(usage);
    else if (current_form == JC_HELP_BASH)
        jc_bash_command(usage);
    else
        print_text(usage);
}

void jc_help_end(void)
{
    if (current_form == JC_HELP_MAN) jc_man_end();
    if (current_form == JC_HELP_BASH) jc_bash_end();
}
