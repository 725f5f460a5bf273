/* Runs a fuzz target over files and folders of files, without libFuzzer: the corpus as an ordinary test. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

static int replayed;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    fuzz_expect(file, "%s can be read", path);
    size_t used = 0, capacity = 1 << 16;
    unsigned char *data = malloc(capacity);
    for (size_t n; data && (n = fread(data + used, 1, capacity - used, file)) > 0;) {
        used += n;
        if (used == capacity) data = realloc(data, capacity *= 2);
    }
    fclose(file);
    fuzz_expect(data, "%s fits into memory", path);
    LLVMFuzzerTestOneInput(data, used);
    free(data);
    replayed++;
}

static void replay(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) {
        replay_file(path);
        return;
    }
    for (struct dirent *e; (e = readdir(folder));) {
        char name[4096];
        if (e->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        replay_file(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) replay(argv[i]);
    printf("%d inputs\n", replayed);
    return replayed ? 0 : 1;
}
