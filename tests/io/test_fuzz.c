/* Damaged files never crash the reader (the tests run under sanitizers too); they load or say what is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "io/io_files.h"
#include "io/safetensors.h"

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* One to four changes: a bit flipped, a byte of another place, a piece cut out, a piece doubled. */
static size_t damage(unsigned char *data, size_t bytes, size_t room, uint64_t *state)
{
    for (uint64_t n = 1 + next_random(state) % 4; n > 0 && bytes > 1; n--) {
        size_t at = next_random(state) % bytes, other = next_random(state) % bytes, piece = next_random(state) % 16;
        switch (next_random(state) % 4) {
        case 0:
            data[at] ^= (unsigned char)(1u << next_random(state) % 8);
            break;
        case 1:
            data[at] = data[other];
            break;
        case 2:
            if (at + piece > bytes) piece = bytes - at;
            memmove(data + at, data + at + piece, bytes - at - piece);
            bytes -= piece;
            break;
        default:
            if (at + piece > bytes || bytes + piece > room) break;
            memmove(data + at + piece, data + at, bytes - at);
            bytes += piece;
        }
    }
    return bytes;
}

static void expect_sane(jc_status status, const io_folder *folder)
{
    cr_assert(status == JC_OK || status == JC_E_INPUT || status == JC_E_USAGE, "%s: %s", jc_status_name(status),
              jc_last_error());
    if (status) cr_assert(!strncmp(jc_last_error(), folder->path, strlen(folder->path)), "%s", jc_last_error());
}

/* We read a document in pieces; whether it is JSON is what jansson says of the whole. Numbers beyond its integers are
 * the one thing that we take and it does not. */
static void expect_same_judgement(jc_status status, const unsigned char *text, size_t bytes)
{
    json_error_t error;
    json_t *root = json_loadb((const char *)text, bytes, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    bool syntax = status == JC_E_INPUT && strstr(jc_last_error(), ": line ");
    if (root) cr_assert_not(syntax, "this is JSON: %s", jc_last_error());
    if (!root && json_error_code(&error) != json_error_numeric_overflow) cr_assert(status, "not JSON: %s", error.text);
    json_decref(root);
}

static const double w[6] = {1, 2, 3, 4, 5, 6};
static const int32_t ends[4] = {2, 2, 0, 0}, picks[4] = {0, 1, 1, 0};
static const io_tensor tensors[] = {{"w", "F64", "[3,2]", w, 48},
                                    {"of", "I32", "[2]", ends, 8},
                                    {"wrt", "I32", "[2]", ends + 2, 8},
                                    {"p", "I32", "[2,2]", picks, 16}};
static const char document[] =
    "{'jacchain':1,'tensors':'t.safetensors','metadata':{'x':[1,'y']},'variables':[{'name':'a','size':2},{'name':'b',"
    "'size':3},{'name':'c','size':2}],'edges':[{'of':'b','wrt':'a','label':['p','q'],'jacobian':{'kind':'dense','"
    "values':"
    "{'tensor':'w'}}},{'of':{'tensor':'of'},'wrt':{'tensor':'wrt'},'count':2,'jacobian':{'kind':'select','indices':"
    "{'tensor':'p'},'scale':[2,3]}},{'of':'c','wrt':'b','jacobian':{'kind':'csr','transpose':false,'indptr':[0,1,3],"
    "'indices':[1,0,2],'values':[1.5,-2e1,12345678901234567890]}}]}";

static void fuzz(const io_folder *folder, const char *damaged, int rounds, uint64_t seed)
{
    size_t bytes;
    unsigned char *original = io_read(io_path(folder, damaged), &bytes), *copy = malloc(2 * bytes);
    int loaded = 0, refused = 0;
    for (int round = 0; round < rounds; round++) {
        jc_graph *g = NULL;
        memcpy(copy, original, bytes);
        size_t n = damage(copy, bytes, 2 * bytes, &seed);
        io_write(folder, damaged, copy, n);
        jc_status status = jc_graph_load(io_path(folder, "graph.json"), NULL, &g);
        expect_sane(status, folder);
        if (strstr(damaged, ".json")) expect_same_judgement(status, copy, n);
        jc_graph_destroy(g);
        *(status ? &refused : &loaded) += 1;
    }
    cr_assert(loaded > 0 && refused > rounds / 4, "%d loaded, %d refused", loaded, refused);
    free(copy);
    free(original);
}

Test(fuzz, a_damaged_document_never_crashes)
{
    io_folder folder = io_folder_make();
    io_write_list(&folder, "t.safetensors", tensors, 4, 0);
    io_write_text(&folder, "graph.json", document);
    fuzz(&folder, "graph.json", 3000, 1);
    io_folder_remove(&folder);
}

/* Long enough to be read in several pieces. */
Test(fuzz, a_damaged_long_document_never_crashes)
{
    enum { N = 400 };
    io_folder folder = io_folder_make();
    char *text = malloc(N * 200), *end = text;
    end += sprintf(end, "{'jacchain':1,'variables':[{'name':'v0','size':1}");
    for (int i = 1; i <= N; i++) end += sprintf(end, ",{'name':'v%d','size':1}", i);
    end += sprintf(end, "],'edges':[");
    for (int i = 1; i <= N; i++)
        end += sprintf(end,
                       "%s{'of':'v%d','wrt':'v%d','label':'l','metadata':'[{\\',','jacobian':{'kind':'dense',"
                       "'values':[[%d]]}}",
                       i > 1 ? "," : "", i, i - 1, i);
    sprintf(end, "]}");
    io_write_text(&folder, "graph.json", text);
    fuzz(&folder, "graph.json", 400, 3);
    free(text);
    io_folder_remove(&folder);
}

Test(fuzz, a_damaged_side_file_never_crashes)
{
    io_folder folder = io_folder_make();
    io_write_list(&folder, "t.safetensors", tensors, 4, 0);
    io_write_text(&folder, "graph.json", document);
    fuzz(&folder, "t.safetensors", 3000, 2);
    io_folder_remove(&folder);
}
