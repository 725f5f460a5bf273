/* What the generator writes: the same bytes for the same seed, the graph that is made in memory, both files or none. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/dtype.h"
#include "gen/help.h"
#include "graph/graph.h"
#include "support/failing_allocator.h"

enum { PATH_BYTES = 512 };

/* ---- a folder for one test --------------------------------------------------------------------------------- */

typedef struct folder {
    char path[PATH_BYTES / 4];
} folder;

static folder folder_make(void)
{
    folder f;
    snprintf(f.path, sizeof f.path, "/tmp/jacchain-test-gen-XXXXXX");
    cr_assert_not_null(mkdtemp(f.path), "%s", strerror(errno));
    return f;
}

static const char *in_folder(const folder *f, const char *name, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", f->path, name);
    return path;
}

static int64_t folder_entries(const folder *f)
{
    int64_t n = 0;
    DIR *dir = opendir(f->path);
    for (struct dirent *entry; (entry = readdir(dir));) n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void folder_remove(const folder *f)
{
    char path[PATH_BYTES];
    DIR *dir = opendir(f->path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        in_folder(f, entry->d_name, path);
        if (unlink(path)) rmdir(path);
    }
    closedir(dir);
    rmdir(f->path);
}

/* The bytes of a file; the caller frees. */
static unsigned char *read_all(const char *path, int64_t *n)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    fseek(file, 0, SEEK_END);
    *n = ftell(file);
    rewind(file);
    unsigned char *bytes = malloc((size_t)*n + 1);
    cr_assert_eq(fread(bytes, 1, (size_t)*n, file), (size_t)*n);
    fclose(file);
    return bytes;
}

static uint64_t fnv1a(const unsigned char *bytes, int64_t n, uint64_t hash)
{
    for (int64_t i = 0; i < n; i++) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
    return hash;
}

/* Writes into a new folder as g.json and g.safetensors; the hash of both files' bytes. */
static uint64_t hash_of_files(const char *family, const jc_gen_options *o)
{
    static const char *const names[] = {"g.json", "g.safetensors"};
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    char path[PATH_BYTES];
    folder f = folder_make();
    jc_gen *gen = gen_make(family, o);
    cr_assert_eq(jc_gen_write(gen, in_folder(&f, "g", path), false), JC_OK, "%s", jc_last_error());
    cr_expect_eq(folder_entries(&f), 2);
    for (int i = 0; i < 2; i++) {
        int64_t n;
        unsigned char *bytes = read_all(in_folder(&f, names[i], path), &n);
        hash = fnv1a(bytes, n, hash);
        free(bytes);
    }
    jc_gen_destroy(gen);
    folder_remove(&f);
    return hash;
}

Test(gen_files, the_same_seed_writes_the_same_bytes_and_another_seed_others)
{
    for (const jc_gen_family *f = jc_gen_families; f->name; f++) {
        jc_gen_options o = gen_defaults();
        uint64_t first = hash_of_files(f->name, &o);
        cr_expect_eq(hash_of_files(f->name, &o), first, "%s", f->name);
        o.seed = 2;
        cr_expect_neq(hash_of_files(f->name, &o), first, "%s", f->name);
    }
}

Test(gen_files, bytes_are_the_same_on_every_machine)
{
    /* Made once; a compiler that contracts or reorders the arithmetic would give others. */
    jc_gen_options o = gen_defaults();
    o.dtype = JC_F32;
    o.size_low = 3, o.size_high = 20;
    cr_expect_eq(hash_of_files("layered", &o), UINT64_C(0x7B994F7EB5368D36), "%llx",
                 (unsigned long long)hash_of_files("layered", &o));
    o = gen_defaults();
    cr_expect_eq(hash_of_files("rnn", &o), UINT64_C(0x3A6C18B0981DC4A4), "%llx",
                 (unsigned long long)hash_of_files("rnn", &o));
}

/* ---- the graph that was written ---------------------------------------------------------------------------- */

static void expect_same_edge(const jc_graph *a, const jc_graph *b, int64_t e)
{
    const jc_group *ga = jc_graph_group(a, e), *gb = jc_graph_group(b, e);
    jc_jac ja = jc_group_member(ga, e - ga->first_edge, NULL), jb = jc_group_member(gb, e - gb->first_edge, NULL);
    cr_assert_eq(jc_graph_of(a, e), jc_graph_of(b, e));
    cr_assert_eq(jc_graph_wrt(a, e), jc_graph_wrt(b, e));
    cr_assert_eq(ga->shape.kind, gb->shape.kind);
    cr_assert_eq(ga->shape.batch, gb->shape.batch);
    cr_assert_eq(ga->field[0].elements, gb->field[0].elements);
    cr_assert_eq(ga->scale, gb->scale);
    if (!ga->field[0].elements) return;
    cr_assert_eq(ja.dtype[0], jb.dtype[0]);
    int64_t bytes = ga->field[0].elements * jc_dtype_bytes(ja.dtype[0]);
    cr_assert_eq(memcmp(ja.data[0], jb.data[0], (size_t)bytes), 0, "edge %ld has other numbers", (long)e);
}

static void expect_same_graph(const jc_gen *gen, const jc_graph *a, const jc_graph *b)
{
    char name[64], other[64];
    int64_t n = jc_graph_variable_count(a);
    cr_assert_eq(jc_graph_variable_count(b), n);
    cr_assert_eq(gen->sizes.count, n);
    cr_assert_eq(jc_graph_edge_count(a), gen->of.count);
    cr_assert_eq(jc_graph_edge_count(b), gen->of.count);
    for (int64_t v = 0; v < n; v++) {
        jc_graph_variable_name(a, v, name, sizeof name);
        jc_graph_variable_name(b, v, other, sizeof other);
        cr_assert_str_eq(name, other);
        cr_assert_str_eq(name, jc_gen_name(gen, v, other, sizeof other));
        cr_assert_eq(jc_graph_variable_size(a, v), jc_graph_variable_size(b, v));
        cr_assert_eq(jc_graph_variable_size(a, v), jc_gen_size(gen, v));
    }
    for (int64_t e = 0; e < gen->of.count; e++) expect_same_edge(a, b, e);
}

/* Written and read, and made in memory. */
static void expect_round_trip(const char *family, const jc_gen_options *o)
{
    char path[PATH_BYTES];
    folder f = folder_make();
    jc_gen *gen = gen_make(family, o);
    jc_graph *read = NULL, *made = NULL;
    cr_assert_eq(jc_gen_write(gen, in_folder(&f, "a \"graph\"", path), false), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_graph_load(in_folder(&f, "a \"graph\".json", path), NULL, &read), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_gen_graph(gen, NULL, &made), JC_OK, "%s", jc_last_error());
    expect_same_graph(gen, read, made);
    jc_gen_destroy(gen);
    jc_graph_destroy(made);
    jc_graph_destroy(read);
    folder_remove(&f);
}

Test(gen_files, every_family_reads_back_as_the_graph_made_in_memory)
{
    for (const jc_gen_family *f = jc_gen_families; f->name; f++) {
        jc_gen_options o = gen_defaults();
        expect_round_trip(f->name, &o);
        if (f->size) o.size_low = 1, o.size_high = 9;
        o.dtype = JC_F32;
        expect_round_trip(f->name, &o);
    }
}

Test(gen_files, jacobians_larger_than_a_piece_are_whole)
{
    jc_gen_options o = gen_defaults();
    o.size_low = o.size_high = 701; /* 3.9 MB a Jacobian, pieces end inside of rows of members */
    o.value[JC_GEN_DEPTH] = 3;
    expect_round_trip("chain", &o);
    o = gen_defaults();
    o.value[JC_GEN_BATCH] = 300000, o.value[JC_GEN_TIME] = 1, o.value[JC_GEN_HIDDEN] = 2; /* a row over the piece */
    expect_round_trip("rnn", &o);
}

/* ---- failures ---------------------------------------------------------------------------------------------- */

static void expect_refused(const jc_gen *gen, const char *stem, jc_status expected, const char *word)
{
    cr_expect_eq(jc_gen_write(gen, stem, false), expected, "%s: %s", stem, jc_last_error());
    cr_expect_not_null(strstr(jc_last_error(), word), "'%s' does not say %s", jc_last_error(), word);
}

Test(gen_files, what_cannot_be_written_leaves_nothing_behind)
{
    char path[PATH_BYTES];
    folder f = folder_make();
    jc_gen_options o = gen_defaults();
    jc_gen *gen = gen_make("chain", &o);
    expect_refused(gen, in_folder(&f, "none/g", path), JC_E_OUTPUT, "none/g.json");
    expect_refused(gen, in_folder(&f, "", path), JC_E_USAGE, "folder");
    expect_refused(gen, in_folder(&f, "a\nb", path), JC_E_USAGE, "control");
    expect_refused(gen, in_folder(&f, "a..b", path), JC_E_USAGE, "'..'");
    expect_refused(gen, in_folder(&f, "a.", path), JC_E_USAGE, "'..'");
    cr_expect_eq(folder_entries(&f), 0);
    cr_assert_eq(mkdir(in_folder(&f, "g.safetensors", path), 0777), 0);
    expect_refused(gen, in_folder(&f, "g", path), JC_E_OUTPUT, "g.safetensors");
    cr_expect_eq(folder_entries(&f), 1);
    cr_assert_eq(mkdir(in_folder(&f, "h.json", path), 0777), 0);
    expect_refused(gen, in_folder(&f, "h", path), JC_E_OUTPUT, "h.json");
    cr_expect_eq(folder_entries(&f), 2);
    jc_gen_destroy(gen);
    folder_remove(&f);
}

Test(gen_files, files_that_were_there_are_replaced_whole)
{
    char path[PATH_BYTES];
    folder f = folder_make();
    jc_gen_options o = gen_defaults();
    for (int i = 1; i <= 2; i++) {
        o.value[JC_GEN_DEPTH] = 10 * i;
        jc_gen *gen = gen_make("chain", &o);
        jc_graph *graph = NULL;
        cr_assert_eq(jc_gen_write(gen, in_folder(&f, "g", path), false), JC_OK, "%s", jc_last_error());
        cr_assert_eq(jc_graph_load(in_folder(&f, "g.json", path), NULL, &graph), JC_OK, "%s", jc_last_error());
        cr_expect_eq(jc_graph_edge_count(graph), 10 * i);
        jc_graph_destroy(graph);
        jc_gen_destroy(gen);
    }
    cr_expect_eq(folder_entries(&f), 2);
    folder_remove(&f);
}

/* Plans the family, makes the graph in memory and writes it, all with one allocator. */
static jc_status make_all(const jc_allocator *a, const jc_gen_family *family, const char *stem, bool single_file)
{
    jc_gen_options o = gen_defaults();
    jc_graph_options graph_options = {.struct_size = sizeof graph_options, .allocator = a};
    jc_graph *graph;
    jc_gen *gen;
    if (family->size) o.size_low = 2, o.size_high = 3;
    jc_status status = jc_gen_create(a, family, &o, &gen);
    if (status) return status;
    status = jc_gen_write(gen, stem, single_file);
    if (!status && !(status = jc_gen_graph(gen, &graph_options, &graph))) jc_graph_destroy(graph);
    jc_gen_destroy(gen);
    return status;
}

static void sweep_allocations(const jc_gen_family *family, bool single_file)
{
    char stem[PATH_BYTES];
    folder f = folder_make();
    failing_allocator state = {.failures = 1};
    int files = single_file ? 1 : 2;
    in_folder(&f, "g", stem);
    for (int64_t at = 0; state.failures; at++) {
        jc_allocator a = failing_allocator_init(&state, at);
        jc_status status = make_all(&a, family, stem, single_file);
        /* an array that cannot be made smaller stays as it is, without an error */
        cr_assert(status == JC_OK || (state.failures && status == JC_E_MEMORY), "%s: allocation %ld: %s", family->name,
                  (long)at, jc_last_error());
        cr_assert_eq(state.live_blocks, 0, "%s: allocation %ld leaks", family->name, (long)at);
        cr_assert_eq(state.defects, 0, "%s: allocation %ld", family->name, (long)at);
        cr_assert(folder_entries(&f) % files == 0 && folder_entries(&f) <= files, "%s: allocation %ld leaves a file",
                  family->name, (long)at);
    }
    cr_expect_eq(folder_entries(&f), files);
    folder_remove(&f);
}

Test(gen_files, every_allocation_can_fail_once_and_leaves_nothing, .timeout = 120)
{
    for (const jc_gen_family *family = jc_gen_families; family->name; family++)
        for (int single_file = 0; single_file < 2; single_file++) sweep_allocations(family, single_file);
}
