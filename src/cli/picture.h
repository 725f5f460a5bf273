/* Pictures that another program paints from a text, and how they come to their place. */
#ifndef JC_CLI_PICTURE_H
#define JC_CLI_PICTURE_H

#include "cli/cli.h"

/* A program that reads a text from standard input and writes a picture to standard output. */
typedef struct jc_painter {
    const char *const *argv; /* its name, looked for on PATH, and its arguments; NULL ends them */
    const char *missing;     /* what is said where it is not installed: the package's name, what to do without it */
} jc_painter;

typedef struct jc_picture {
    char *data; /* [bytes] owned */
    size_t bytes;
    char *said; /* what the program said besides, "" mostly; owned */
} jc_picture;

/* Runs the painter on text[bytes]. JC_E_UNAVAILABLE where it is not installed, JC_E_DEVICE with what it said where it
 * fails. */
jc_status jc_picture_paint(const jc_painter *painter, const char *text, size_t bytes, jc_picture *picture);
void jc_picture_fini(jc_picture *picture);

/* Puts data[bytes] at `path`, whole or not at all, once `say` has written to standard output what belongs there and
 * nothing of it was lost. Returns the exit code; what is wrong is said. */
int jc_picture_deliver(const char *path, const char *data, size_t bytes, void (*say)(const void *ctx), const void *ctx);

#endif
