/* What the fuzz targets share. A target is LLVMFuzzerTestOneInput of libFuzzer, or of replay.c, which runs the files it
 * is given through it. It reads bytes through the functions that the command uses, and ends the process where what must
 * always hold does not. */
#ifndef JT_FUZZ_H
#define JT_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jacchain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Ends the process with the sentence, and with the library's last one, unless `holds`. */
void fuzz_expect(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The path of a file in a folder of this process, in memory where the system has such a place; removed at the end. The
 * text is overwritten by the fourth call after. */
const char *fuzz_path(const char *name);

/* Writes the file and returns its path. */
const char *fuzz_write(const char *name, const void *data, size_t bytes);

/* A status that reading may end with: JC_OK, or JC_E_INPUT with a sentence that begins with `start` ("": any), has
 * something behind it, and no control characters. */
void fuzz_expect_read(jc_status status, const char *start);

#endif
