/* Inside the reader of graph documents: document.c (text, variables), document_files.c (its file and those beside it),
 * document_text.c, document_edges.c, document_jacobian.c, document_arrays.c. Errors carry a place relative to the thing
 * being read (jc_fail_at's part), to which jc_document_fail adds file and element: "graph.json:
 * /edges/3[17]/jacobian/values: ...". */
#ifndef JC_IO_DOCUMENT_H
#define JC_IO_DOCUMENT_H

#include <jansson.h>

#include "core/alloc.h"
#include "core/error.h"
#include "graph/graph.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "jacchain.h"

enum { JC_PLACE_BYTES = 256, JC_N_LISTS = 2 };

/* What a list of the document holds, between its brackets: parsed some elements at a time (document_text.c). */
typedef struct jc_document_list {
    const char *key;
    const char *text; /* [bytes] of the document's; NULL: not found */
    int64_t bytes;
} jc_document_list;

typedef struct jc_document {
    const char *name;     /* of the document, in messages */
    const char *folder;   /* [folder_bytes] where the files are that it names */
    int64_t folder_bytes; /* 0: the working folder */
    bool reads_files;     /* into memory; else they are mapped */
    jc_file file;         /* of the text; not open where the text is the caller's, or lies in `tensors` */
    const char *text;     /* [text_bytes] JSON */
    int64_t text_bytes;
    bool single;     /* the text lies in the metadata of `tensors` */
    bool side_fault; /* the last failure is that of a file beside the document, which its message names */
    jc_document_list lists[JC_N_LISTS];
    jc_graph *graph;               /* being built */
    const jc_safetensors *tensors; /* kept by the graph; NULL: the document names none */
    jc_vec matrices;               /* of document_files.c, kept by the graph: each file once */
    int64_t of_size, wrt_size;     /* of the edge being read, if it is a single one */

    /* of the edge being read; used again for the next */
    jc_vec numbers[JC_MAX_FIELDS]; /* double or int64_t: inline arrays */
    jc_vec scales;                 /* double */
    jc_vec labels;                 /* const char * */
} jc_document;

/* Puts "file: <element>[member]/<part>: " before the last message, where element is such as "/edges/3". */
jc_status jc_document_fail(const jc_document *doc, jc_status status, const char *element, ...) JC_PRINTF(3, 4);

/* The last message again, now at `part`. */
jc_status jc_document_fail_part(jc_status status, const char *part);

/* document_files.c: opens the document's own file and finds its text, there or in its metadata. */
jc_status jc_document_open(jc_document *doc, const char *path);

/* Opens the safetensors file that "tensors" names. */
jc_status jc_document_open_tensors(jc_document *doc, const json_t *name);

/* The arrays of a csr Jacobian whose "file" is the name of a Matrix Market file. *jacobian has all but its arrays. */
jc_status jc_document_matrix_file(jc_document *doc, const json_t *name, jc_jacobian *jacobian);

/* Refuses a key of the object at `part` ("" for the element itself) that is not in `known`, a list ended by NULL. */
jc_status jc_document_keys(const json_t *object, const char *part, const char *const *known);

/* *out = an integer of at least `least` below 2^63, written without fraction or exponent. */
jc_status jc_document_integer(const json_t *value, const char *part, int64_t least, int64_t *out);

/* An array field: nested lists of numbers, put into `numbers` (copied by the builder), or a reference, borrowed. */
jc_status jc_document_array(jc_document *doc, const json_t *value, const char *part, bool is_index, jc_vec *numbers,
                            jc_array *array);

/* {"tensor": NAME} or {"tensor": NAME, "index": i}: the tensor's own bytes, borrowed. */
jc_status jc_document_tensor(const jc_document *doc, const json_t *value, const char *part, jc_array *array);

/* count: edges of the group, or 0 for a single edge. The arrays are borrowed from the document's buffers. */
jc_status jc_document_jacobian(jc_document *doc, const json_t *value, int64_t count, jc_jacobian *jacobian);

/* One element of "edges". */
jc_status jc_document_edge(jc_document *doc, const json_t *edge);

/* Parses the document with its long lists left empty. *root: owned by the caller. */
jc_status jc_document_frame(jc_document *doc, json_t **root);

/* Calls `take` for every element of the list under `key`, `list` in the frame, in their order; messages get their place
 * here. */
typedef jc_status jc_document_take(jc_document *doc, const json_t *element);
jc_status jc_document_each(jc_document *doc, const char *key, const json_t *list, jc_document_take *take);

#endif
