/* Reading options from tables. Not getopt_long: that takes abbreviations and repeated options, and both would let a
 * script mean something else after the next release. */
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "core/nearest.h"

enum { VALUE_BYTES = 96 };

/* Reads decimal digits only; false where there are none or they do not fit. */
static bool read_digits(const char **text, int64_t *out)
{
    const char *p = *text;
    int64_t value = 0;
    if (*p < '0' || *p > '9') return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p - '0', &value)) return false;
    }
    *text = p;
    *out = value;
    return true;
}

static bool read_count(const char *text, int64_t min, int64_t max, int64_t *out)
{
    int64_t value;
    if (!read_digits(&text, &value) || *text || value < min || value > (max ? max : INT64_MAX)) return false;
    *out = value;
    return true;
}

static bool read_real(const char *text, double *out)
{
    char *end;
    if (!*text || text[strspn(text, "0123456789.eE+-")]) return false; /* no spaces, hex, inf or nan */
    double value = strtod(text, &end);
    if (*end || !isfinite(value)) return false;
    *out = value;
    return true;
}

/* The unit's bytes: 1 at the end of the text, 0 where there is something else. */
static int64_t size_unit(const char *text)
{
    static const char units[] = "KMGT";
    if (!*text) return 1;
    const char *unit = strchr(units, *text);
    return unit && !text[1] ? INT64_C(1) << (10 * (unit - units + 1)) : 0;
}

/* NUMBER[.DIGITS][KMGT]; a fraction needs a unit and has six digits at most. */
static bool read_size(const char *text, int64_t *out)
{
    int64_t whole, fraction = 0, scale = 1;
    if (!read_digits(&text, &whole)) return false;
    if (*text == '.') {
        const char *first = ++text;
        if (!read_digits(&text, &fraction) || text - first > 6 || !*text) return false;
        for (const char *p = first; p < text; p++) scale *= 10;
    }
    int64_t unit = size_unit(text);
    if (!unit || __builtin_mul_overflow(whole, unit, &whole)) return false;
    return !__builtin_add_overflow(whole, fraction * unit / scale, out) && *out > 0;
}

/* The position of `text` in "a|b|c", or -1. */
static int find_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);
    int position = 0;
    for (const char *p = choices; p; position++) {
        const char *bar = strchr(p, '|');
        size_t length = bar ? (size_t)(bar - p) : strlen(p);
        if (length == n && memcmp(p, text, n) == 0) return position;
        p = bar ? bar + 1 : NULL;
    }
    return -1;
}

/* "; is 'cpu' meant?" from "auto|cuda|cpu", or "". */
static const char *choice_hint(const char *choices, const char *text, char hint[JC_HINT_BYTES])
{
    jc_nearest nearest = jc_nearest_begin(text, strlen(text));
    for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
        char choice[JC_NEAREST_BYTES];
        snprintf(choice, sizeof choice, "%.*s", (int)strcspn(p, "|"), p);
        jc_nearest_offer(&nearest, choice);
    }
    return jc_nearest_hint(&nearest, hint);
}

static int refuse_count(const char *command, const jc_option *option, const char *text)
{
    if (option->max) {
        return jc_cli_usage_error(command, "--%s takes a whole number from %lld to %lld, not '%.*s'", option->name,
                                  (long long)option->min, (long long)option->max, VALUE_BYTES, text);
    }
    return jc_cli_usage_error(command, "--%s takes a whole number from %lld on, not '%.*s'", option->name,
                              (long long)option->min, VALUE_BYTES, text);
}

static int set_choice(const char *command, const jc_option *option, const char *text, int *field)
{
    int position = find_choice(option->choices, text);
    if (position < 0) {
        char hint[JC_HINT_BYTES];
        return jc_cli_usage_error(command, "--%s takes one of %s, not '%.*s'%s", option->name, option->choices,
                                  VALUE_BYTES, text, choice_hint(option->choices, text, hint));
    }
    *field = position;
    return JC_EXIT_DONE;
}

static int add_text(const char *command, const jc_option *option, const char *text, jc_texts *texts)
{
    if (texts->count == JC_MAX_TEXTS)
        return jc_cli_usage_error(command, "--%s is given more than %d times", option->name, JC_MAX_TEXTS);
    texts->text[texts->count++] = text;
    return JC_EXIT_DONE;
}

/* Reads the value into the option's field. */
static int set_value(const char *command, const jc_option *option, const char *text, void *options)
{
    void *field = (char *)options + option->offset;
    if (!*text) return jc_cli_usage_error(command, "--%s needs a value", option->name);
    switch (option->type) {
    case JC_OPTION_TEXT:
        *(const char **)field = text;
        return JC_EXIT_DONE;
    case JC_OPTION_TEXTS:
        return add_text(command, option, text, field);
    case JC_OPTION_CHOICE:
        return set_choice(command, option, text, field);
    case JC_OPTION_COUNT:
        return read_count(text, option->min, option->max, field) ? JC_EXIT_DONE : refuse_count(command, option, text);
    case JC_OPTION_REAL:
        if (read_real(text, field) && (!option->min || *(double *)field > 0)) return JC_EXIT_DONE;
        return jc_cli_usage_error(command, "--%s takes a number%s, not '%.*s'", option->name,
                                  option->min ? " above 0" : "", VALUE_BYTES, text);
    case JC_OPTION_SIZE:
        if (read_size(text, field)) return JC_EXIT_DONE;
        return jc_cli_usage_error(command, "--%s takes bytes such as 65536, 512M or 1.5G, not '%.*s'", option->name,
                                  VALUE_BYTES, text);
    default:
        return JC_EXIT_DONE;
    }
}

/* One scan over the arguments. */
typedef struct scan {
    const jc_usage *usage;
    int argc;
    char **argv;
    int next;
    uint64_t given; /* a bit for each option of the tables */
    void *options;
    jc_words *words;
} scan;

/* The option of that name (n bytes) and its number, or NULL. */
static const jc_option *find_option(const jc_usage *usage, const char *name, size_t n, int *number)
{
    *number = 0;
    for (int t = 0; t < JC_MAX_TABLES && usage->tables[t]; t++) {
        for (const jc_option *o = usage->tables[t]; o->name; o++, ++*number) {
            if (strlen(o->name) == n && memcmp(o->name, name, n) == 0) return o;
        }
    }
    return NULL;
}

static int refuse_option(const jc_usage *usage, const char *arg)
{
    const char *name = arg + strspn(arg, "-");
    jc_nearest nearest = jc_nearest_begin(name, strcspn(name, "="));
    for (int t = 0; t < JC_MAX_TABLES && usage->tables[t]; t++)
        for (const jc_option *o = usage->tables[t]; o->name; o++) jc_nearest_offer(&nearest, o->name);
    if (!nearest.found[0]) return jc_cli_usage_error(usage->command, "unknown option '%s'", arg);
    return jc_cli_usage_error(usage->command, "unknown option '%s'; is --%s meant?", arg, nearest.found);
}

/* The value after the name: what follows '=', or the next argument, which must not look like an option. */
static const char *take_value(scan *s, const char *equals)
{
    if (equals) return equals + 1;
    if (s->next >= s->argc || strncmp(s->argv[s->next], "--", 2) == 0) return NULL;
    return s->argv[s->next++];
}

static int take_option(scan *s, const char *arg)
{
    const char *command = s->usage->command, *name = arg + 2, *equals = strchr(arg, '=');
    int number;
    size_t n = strncmp(arg, "--", 2) == 0 ? strcspn(name, "=") : 0;
    const jc_option *option = n ? find_option(s->usage, name, n, &number) : NULL;
    if (!option) return refuse_option(s->usage, arg);
    if (option->type == JC_OPTION_LATER) return jc_cli_not_yet(command, "--%s", option->name);
    if (s->given >> number & 1 && option->type != JC_OPTION_TEXTS)
        return jc_cli_usage_error(command, "--%s is given twice", option->name);
    s->given |= UINT64_C(1) << number;
    if (option->type == JC_OPTION_FLAG) {
        if (equals) return jc_cli_usage_error(command, "--%s takes no value", option->name);
        *(bool *)((char *)s->options + option->offset) = true;
        return JC_EXIT_DONE;
    }
    const char *value = take_value(s, equals);
    if (!value) return jc_cli_usage_error(command, "--%s needs a value", option->name);
    return set_value(command, option, value, s->options);
}

static int take_word(scan *s, const char *arg)
{
    const jc_usage *usage = s->usage;
    if (s->words->count >= usage->max_words) {
        return jc_cli_usage_error(usage->command, "'%s' is one word too many", arg);
    }
    s->words->word[s->words->count++] = arg;
    return JC_EXIT_DONE;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) return true;
    }
    return false;
}

static int scan_all(scan *s)
{
    bool options_end = false;
    int code = JC_EXIT_DONE;
    while (code == JC_EXIT_DONE && s->next < s->argc) {
        const char *arg = s->argv[s->next++];
        if (options_end || arg[0] != '-' || strcmp(arg, "-") == 0) {
            code = take_word(s, arg);
        } else if (strcmp(arg, "--") == 0) {
            options_end = true;
        } else {
            code = take_option(s, arg);
        }
    }
    if (code == JC_EXIT_DONE && s->words->count < s->usage->min_words) {
        int n = (int)strcspn(s->usage->synopsis, " ");
        code = jc_cli_usage_error(s->usage->command, "%.*s is missing", n, s->usage->synopsis);
    }
    return code;
}

bool jc_cli_parse(const jc_usage *usage, int argc, char **argv, void *options, jc_words *words, int *exit_code)
{
    words->count = 0;
    if (wants_help(argc, argv)) {
        jc_help_command(usage);
        *exit_code = JC_EXIT_DONE;
        return false;
    }
    scan s = {usage, argc, argv, 1, 0, options, words};
    int code = scan_all(&s);
    if (code == JC_EXIT_DONE) return true;
    *exit_code = code;
    return false;
}
