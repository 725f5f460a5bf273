/* The manual page in man(7): one section of commands, options that several commands share only once. */
#include <string.h>

#include "cli/help.h"

enum { MAX_SHARED = 32 };

/* Tables that were printed, and with which command. */
static struct {
    const jc_option *table;
    const char *command;
} printed[MAX_SHARED];
static int n_printed;

/* n bytes of text, none of which troff takes for a request or an escape. */
static void put_text(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool starts = i == 0 || text[i - 1] == '\n';
        if (starts && (text[i] == '.' || text[i] == '\'')) fputs("\\&", stdout);
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else if (text[i] == '-')
            fputs("\\-", stdout); /* a minus as it is typed, not a hyphen */
        else
            putchar(text[i]);
    }
}

static void put_all(const char *text)
{
    put_text(text, strlen(text));
}

/* Paragraphs of their own. */
static void put_paragraphs(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        put_text(text, n);
        text += n + (text[n] == '\n');
        puts(*text ? "\n.PP" : "");
    }
}

static void put_option(const jc_option *o)
{
    fputs(".TP\n\\fB\\-\\-", stdout);
    put_all(o->name);
    fputs("\\fR", stdout);
    if (o->value) {
        fputs(" \\fI", stdout);
        put_all(o->value);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    put_all(o->help);
    putchar('\n');
}

/* The command that this table was printed with, or NULL. */
static const char *printed_with(const jc_option *table)
{
    for (int i = 0; i < n_printed; i++) {
        if (printed[i].table == table) return printed[i].command;
    }
    return NULL;
}

static void put_names(const jc_option *table, const char *command)
{
    const char *separator = "";
    puts(".PP");
    for (const jc_option *o = table; o->name; o++) {
        if (o->type == JC_OPTION_LATER) continue;
        printf("%s\\fB\\-\\-", separator);
        put_all(o->name);
        fputs("\\fR", stdout);
        separator = ", ";
    }
    printf(": as for\n.BR %s .\n", command);
}

static bool has_options(const jc_option *table)
{
    for (; table->name; table++) {
        if (table->type != JC_OPTION_LATER) return true;
    }
    return false;
}

static void put_table(const jc_option *table, const char *command)
{
    for (const jc_option *o = table; o->name; o++) {
        if (o->type != JC_OPTION_LATER) put_option(o);
    }
    if (!has_options(table) || n_printed == MAX_SHARED) return;
    printed[n_printed].table = table;
    printed[n_printed++].command = command;
}

static void put_example(const char *example)
{
    puts(".PP\nExample:\n.PP\n.RS\n.nf");
    put_all(example);
    puts("\n.fi\n.RE");
}

void jc_man_begin(void)
{
    printf(".TH JACCHAIN 1 \"\" \"jacchain %s\" \"User Commands\"\n", jc_version());
    puts(".SH NAME\njacchain \\- total derivatives of computation graphs from their local Jacobians\n.SH SYNOPSIS\n"
         ".B jacchain\n.I COMMAND\n.I GRAPH\n.RI [ options ]\n.br\n.B jacchain\n.I COMMAND\n.B \\-\\-help\n.SH "
         "DESCRIPTION");
    put_all(jc_help_about);
    puts("\n.PP\nLong options take\n.B \\-\\-name value\nor\n.BR \\-\\-name=value ,\nanywhere on the line;\n.B "
         "\\-\\-\nends them. Results go to standard output, narration to standard error.\n.SH COMMANDS");
}

void jc_man_command(const jc_usage *usage)
{
    printf(".SS %s ", usage->command);
    put_all(usage->synopsis);
    putchar('\n');
    put_paragraphs(usage->text);
    bool shared[JC_MAX_TABLES] = {false};
    for (int t = 0; t < JC_MAX_TABLES && usage->tables[t]; t++) {
        shared[t] = printed_with(usage->tables[t]);
        if (!shared[t]) put_table(usage->tables[t], usage->command);
    }
    for (int t = 0; t < JC_MAX_TABLES && usage->tables[t]; t++) {
        if (shared[t]) put_names(usage->tables[t], printed_with(usage->tables[t]));
    }
    if (usage->example) put_example(usage->example);
}

void jc_man_end(void)
{
    puts(".SS help [COMMAND]\nThe summary of all commands, or what\n.I COMMAND\n.B \\-\\-help\nprints.\n.B help "
         "\\-\\-man\nprints this page,\n.B help \\-\\-bash\nthe completion for\n.BR bash (1),\n.B help "
         "\\-\\-variables\n.I GRAPH\nthe names of a graph's variables.\n.SH EXIT STATUS");
    for (int i = 0; jc_help_exit_codes[i]; i++) {
        printf(".TP\n%d\n", i);
        put_all(jc_help_exit_codes[i]);
        putchar('\n');
    }
    puts(".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nwhere it is set and not empty, nothing on a terminal is coloured\n.SH SEE "
         "ALSO\n.BR dot (1)");
}
