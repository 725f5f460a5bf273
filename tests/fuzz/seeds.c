/* Writes the tables of malformed inputs as first inputs of the fuzz targets: seeds FOLDER makes FOLDER/<target>/<row>.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "malformed/malformed.h"

static const char *folder;
static int written;

/* A file of up to three pieces, ' of the texts turned into ". */
static void write_pieces(const char *target, const char *const *piece, const size_t *bytes, int n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/malformed-%d", folder, target, written++);
    FILE *out = fopen(path, "wb");
    if (!out) exit(1);
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < bytes[i]; k++) fputc(piece[i][k] == '\'' ? '"' : piece[i][k], out);
    if (fclose(out)) exit(1);
}

static void write_documents(const malformed_document *rows)
{
    for (; rows->name; rows++) {
        size_t bytes = rows->bytes ? rows->bytes : strlen(rows->text);
        write_pieces("document", &rows->text, &bytes, 1);
    }
}

/* before [before_bytes]: what stands before the header, its length in the last `width` bytes. */
static void write_files(const char *target, const malformed_file *rows, const char *before, size_t before_bytes,
                        size_t width)
{
    static const char zeros[128];
    for (; rows->name; rows++) {
        char begin[16];
        size_t header = rows->header ? strlen(rows->header) : 0;
        memcpy(begin, before, before_bytes);
        for (size_t i = 0; i < width; i++) begin[before_bytes - width + i] = i < 2 ? (char)(header >> (8 * i)) : 0;
        const char *pieces[3] = {begin, rows->header, zeros};
        size_t bytes[3] = {before_bytes, header, (size_t)rows->data};
        if (rows->header)
            write_pieces(target, pieces, bytes, 3);
        else
            write_pieces(target, &rows->raw, &rows->bytes, 1);
    }
}

int main(int argc, char **argv)
{
    static const char length[8], version[10] = "\x93NUMPY\1";
    if (argc != 2) return 1;
    folder = argv[1];
    mkdir(folder, 0777);
    write_documents(malformed_texts);
    write_documents(malformed_values);
    write_documents(malformed_edges);
    write_documents(malformed_for_computing);
    for (const malformed_expression *row = malformed_expressions; row->name; row++) {
        size_t bytes = strlen(row->text);
        write_pieces("expression", &row->text, &bytes, 1);
    }
    write_files("safetensors", malformed_safetensors, length, sizeof length, sizeof length);
    write_files("npy", malformed_npy, version, sizeof version, 2);
    write_files("matrix_market", malformed_mtx, "", 0, 0);
    printf("%d inputs\n", written);
    return 0;
}
