/* Results as files: tensors "d<of>/d<wrt>" and who they are in __metadata__ (docs/file-format.md). */
#ifndef JC_IO_RESULTS_H
#define JC_IO_RESULTS_H

#include "io/safetensors.h"
#include "jacchain.h"

/* JC_OK where `path` ends as a file that jc_results_write can write; JC_E_USAGE otherwise. For asking before the work.
 */
jc_status jc_results_check_path(const char *path);

/* JC_OK where a file named `path` can hold n results: one in .npy. */
jc_status jc_results_check_count(const char *path, int64_t n);

/* Writes n results of `graph` to `path` (.safetensors, or .npy where n is 1): [rows, cols], or [blocks, rows, cols] of
 * a per-sample total. Zeros and identities are written out, strided results row-major. In pieces, never all in memory.
 * JC_E_USAGE for another kind of file, another number of results or when two of them would share a name; JC_E_OUTPUT
 * with the system's reason. Whole or not at all. */
jc_status jc_results_write(const jc_graph *graph, const jc_result *results, int64_t n, const char *path);

/* A file of results computed elsewhere. */
typedef struct jc_results_file {
    jc_allocator allocator;
    jc_safetensors *file;
    int64_t n;
    int64_t *of, *wrt; /* [n] variables of the graph */
    jc_array *values;  /* [n] F64 or F32, borrowed from the file */
} jc_results_file;

/* Reads every tensor of the file as a result of `graph`: by the file's "jacchain_results" where it names the tensor,
 * else by splitting "d<of>/d<wrt>". JC_E_INPUT naming file and tensor when that is unknown or can be read in two ways.
 */
jc_status jc_results_file_open(const char *path, const jc_graph *graph, jc_results_file **out);
void jc_results_file_close(jc_results_file *file); /* NULL is allowed */

#endif
