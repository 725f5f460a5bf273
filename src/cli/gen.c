/* jacchain gen: writes a graph of a named family (gen/gen.h). */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"
#include "core/nearest.h"
#include "gen/gen.h"

enum { HELP_BYTES = 256, TEXT_BYTES = 4096, NAME_BYTES = 64, COMMON_OPTIONS = 7 };

typedef struct options {
    const char *output, *size;
    int64_t value[JC_GEN_PARAMETERS]; /* 0: not given */
    int64_t seed;
    int dtype; /* position in "f32|f64" */
    bool single_file, json, quiet;
} options;

/* ---- what --help says: made from the table of families ------------------------------------------------------ */

typedef struct help {
    jc_option parameters[JC_GEN_PARAMETERS + 1];
    char parameter_text[JC_GEN_PARAMETERS][HELP_BYTES];
    char text[TEXT_BYTES];
} help;

static void append(char *text, size_t capacity, const char *more)
{
    size_t n = strlen(text);
    snprintf(text + n, capacity - n, "%s", more);
}

/* "edges into a variable (layered 4, tree 2)" */
static void describe_parameter(jc_gen_parameter p, char text[HELP_BYTES])
{
    const char *separator = " (";
    snprintf(text, HELP_BYTES, "%s", jc_gen_parameter_help(p));
    for (const jc_gen_family *f = jc_gen_families; f->name; f++) {
        char entry[NAME_BYTES];
        if (!f->value[p]) continue;
        snprintf(entry, sizeof entry, "%s%s %lld", separator, f->name, (long long)f->value[p]);
        append(text, HELP_BYTES, entry);
        separator = ", ";
    }
    append(text, HELP_BYTES, ")");
}

static void describe_families(char text[TEXT_BYTES])
{
    snprintf(
        text, TEXT_BYTES,
        "Writes a graph with seeded random Jacobians as STEM.json and STEM.safetensors. The same options write the "
        "same bytes on any machine. Jacobians are orthogonal up to a factor, chosen so that products neither vanish "
        "nor grow at any depth.\nFamilies:");
    for (const jc_gen_family *f = jc_gen_families; f->name; f++) {
        append(text, TEXT_BYTES, "\n");
        append(text, TEXT_BYTES, f->name);
        append(text, TEXT_BYTES, ": ");
        append(text, TEXT_BYTES, f->summary);
    }
}

static void make_help(help *h)
{
    memset(h, 0, sizeof *h);
    describe_families(h->text);
    for (int p = 0; p < JC_GEN_PARAMETERS; p++) {
        describe_parameter(p, h->parameter_text[p]);
        h->parameters[p] = (jc_option){.name = jc_gen_parameter_name(p),
                                       .type = JC_OPTION_COUNT,
                                       .offset = offsetof(options, value) + (size_t)p * sizeof(int64_t),
                                       .value = "N",
                                       .help = h->parameter_text[p],
                                       .min = 1};
    }
}

static const jc_option common[COMMON_OPTIONS + 1] = {
    {.name = "output",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, output),
     .value = "STEM",
     .help = "where the files go: STEM.json and STEM.safetensors, both whole or none"},
    {.name = "size",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, size),
     .value = "N|LOW:HIGH",
     .help =
         "scalars of a variable (16), or a range: then each variable has one of at most 8 sizes spread evenly over it. "
         "rnn has no --size"},
    {.name = "dtype",
     .type = JC_OPTION_CHOICE,
     .offset = offsetof(options, dtype),
     .value = "f32|f64",
     .help = "type of the numbers (f32)",
     .choices = "f32|f64"},
    {.name = "seed",
     .type = JC_OPTION_COUNT,
     .offset = offsetof(options, seed),
     .value = "N",
     .help = "another seed makes another graph (1)"},
    {.name = "single-file",
     .type = JC_OPTION_FLAG,
     .offset = offsetof(options, single_file),
     .help = "write one file, STEM.safetensors, with the document in its metadata"},
    {.name = "json",
     .type = JC_OPTION_FLAG,
     .offset = offsetof(options, json),
     .help = "say what was made as one JSON document"},
    {.name = "quiet", .type = JC_OPTION_FLAG, .offset = offsetof(options, quiet), .help = "say nothing"},
    {.name = NULL}};

/* ---- options ----------------------------------------------------------------------------------------------- */

/* Decimal digits up to `end`. */
static bool read_number(const char *text, char end, int64_t *out, const char **rest)
{
    int64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p - '0', &value)) return false;
    if (p == text || *p != end || value < 1) return false;
    *out = value;
    *rest = p;
    return true;
}

/* N or LOW:HIGH. */
static bool read_sizes(const char *text, int64_t *low, int64_t *high)
{
    const char *rest;
    if (read_number(text, '\0', low, &rest)) {
        *high = *low;
        return true;
    }
    return read_number(text, ':', low, &rest) && read_number(rest + 1, '\0', high, &rest) && *low <= *high;
}

static int take_options(const options *o, jc_gen_options *gen)
{
    memset(gen, 0, sizeof *gen);
    gen->seed = (uint64_t)o->seed;
    gen->dtype = o->dtype ? JC_F64 : JC_F32;
    memcpy(gen->value, o->value, sizeof gen->value);
    if (!o->output) return jc_cli_usage_error("gen", "--output STEM is missing");
    if (o->size && !read_sizes(o->size, &gen->size_low, &gen->size_high))
        return jc_cli_usage_error("gen", "--size takes a positive whole number or a range LOW:HIGH, not '%.96s'",
                                  o->size);
    return JC_EXIT_DONE;
}

/* ---- saying what was made ---------------------------------------------------------------------------------- */

/* "v0" or "v0..v3" */
static void range_text(const jc_gen *gen, jc_gen_range range, char text[2 * NAME_BYTES])
{
    char first[NAME_BYTES], last[NAME_BYTES];
    jc_gen_name(gen, range.first, first, sizeof first);
    jc_gen_name(gen, range.first + range.count - 1, last, sizeof last);
    snprintf(text, 2 * NAME_BYTES, range.count > 1 ? "%s..%s" : "%s", first, last);
}

/* Of the file that is the document. */
static const char *extension_of(const options *o)
{
    return o->single_file ? "safetensors" : "json";
}

static void command_text(const jc_gen *gen, const options *o, char *text, size_t capacity)
{
    char of[NAME_BYTES], wrt[NAME_BYTES];
    snprintf(text, capacity, "jacchain total %s.%s --of %s --wrt %s", o->output, extension_of(o),
             jc_gen_name(gen, gen->targets.first, of, sizeof of),
             jc_gen_name(gen, gen->sources.first, wrt, sizeof wrt));
}

static void say_text(const jc_gen *gen, const options *o, const char *command)
{
    char targets[2 * NAME_BYTES], sources[2 * NAME_BYTES];
    range_text(gen, gen->targets, targets);
    range_text(gen, gen->sources, sources);
    printf("%s.%s: %s, %lld variables, %lld edges, %lld bytes of Jacobians; targets %s, sources %s; next: %s\n",
           o->output, extension_of(o), gen->family->name, (long long)gen->sizes.count, (long long)gen->of.count,
           (long long)gen->bytes, targets, sources, command);
}

/* The first and the last name, which are enough for names that are numbered. */
static json_t *range_json(const jc_gen *gen, jc_gen_range range)
{
    char first[NAME_BYTES], last[NAME_BYTES];
    jc_gen_name(gen, range.first, first, sizeof first);
    jc_gen_name(gen, range.first + range.count - 1, last, sizeof last);
    return json_pack("{s:s,s:s,s:I}", "first", first, "last", last, "count", (json_int_t)range.count);
}

static int say_json(const jc_gen *gen, const options *o, const char *command)
{
    json_t *root =
        json_pack("{s:s,s:s,s:o,s:o,s:I,s:I,s:I,s:o,s:o,s:o}", "command", "gen", "family", gen->family->name,
                  "document", json_sprintf("%s.%s", o->output, extension_of(o)), "tensors",
                  json_sprintf("%s.safetensors", o->output), "variables", (json_int_t)gen->sizes.count, "edges",
                  (json_int_t)gen->of.count, "bytes", (json_int_t)gen->bytes, "targets", range_json(gen, gen->targets),
                  "sources", range_json(gen, gen->sources), "next", json_string(command));
    int failed = !root || json_dumpf(root, stdout, JSON_INDENT(1));
    json_decref(root);
    if (failed) return jc_cli_failed(jc_fail(JC_E_MEMORY, "not enough memory to say what was made"));
    putchar('\n');
    return JC_EXIT_DONE;
}

static int say(const jc_gen *gen, const options *o)
{
    size_t capacity = strlen(o->output) + 4 * NAME_BYTES;
    char *command = malloc(capacity);
    int code = JC_EXIT_DONE;
    if (!command) return jc_cli_failed(jc_fail(JC_E_MEMORY, "not enough memory to say what was made"));
    command_text(gen, o, command, capacity);
    if (o->json)
        code = say_json(gen, o, command);
    else if (!o->quiet)
        say_text(gen, o, command);
    free(command);
    return code;
}

static int refuse_family(const char *name)
{
    char names[HELP_BYTES] = "", hint[JC_HINT_BYTES];
    jc_nearest nearest = jc_nearest_begin(name, strlen(name));
    for (const jc_gen_family *f = jc_gen_families; f->name; f++) {
        jc_nearest_offer(&nearest, f->name);
        if (*names) append(names, sizeof names, ", ");
        append(names, sizeof names, f->name);
    }
    return jc_cli_usage_error("gen", "unknown family '%.96s'; there are %s%s", name, names,
                              jc_nearest_hint(&nearest, hint));
}

int jc_cli_gen(int argc, char **argv)
{
    help h;
    make_help(&h);
    const jc_usage usage = {"gen", "FAMILY --output STEM [options]", h.text, {common, h.parameters}, 1, 1};
    options o = {.seed = 1};
    jc_gen_options gen_options;
    jc_words words;
    jc_gen *gen;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &o, &words, &code)) return code;
    const jc_gen_family *family = jc_gen_family_find(words.word[0]);
    if (!family) return refuse_family(words.word[0]);
    if ((code = take_options(&o, &gen_options))) return code;
    jc_status status = jc_gen_create(NULL, family, &gen_options, &gen);
    if (status == JC_E_USAGE) return jc_cli_usage_error("gen", "%s", jc_last_error());
    if (status) return jc_cli_failed(status);
    status = jc_gen_write(gen, o.output, o.single_file);
    code = status ? jc_cli_failed(status) : say(gen, &o);
    jc_gen_destroy(gen);
    return code;
}
