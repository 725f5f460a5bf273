/* Inputs that are wrong, one a row, and what is said of them. Every row is read by the command and by the library
 * (test_malformed.c). ' stands for " in all texts. */
#ifndef JT_MALFORMED_H
#define JT_MALFORMED_H

#include <stddef.h>

/* graph.json, beside a side file t.safetensors that is right. */
typedef struct malformed_document {
    const char *name;
    const char *text;
    size_t bytes;      /* 0: up to the first NUL */
    const char *place; /* what stands between the file's name and the sentence; "line ": any position */
    const char *words; /* in the sentence */
} malformed_document;

/* Lists end with a row without name. */
extern const malformed_document malformed_texts[];         /* what JSON forbids */
extern const malformed_document malformed_values[];        /* what the format of documents forbids */
extern const malformed_document malformed_edges[];         /* edges, groups and their Jacobians */
extern const malformed_document malformed_for_computing[]; /* what a command refuses that needs the numbers, --of b */

/* A file beside a document that is right: t.safetensors (header, then `data` zero bytes; or raw [bytes]), a.mtx, or a
 * seed s.npy (a version and a header, then `data` zero bytes; or raw). */
typedef struct malformed_file {
    const char *name;
    const char *header;
    int data;
    const char *raw;
    size_t bytes;
    const char *words; /* behind the file's name */
} malformed_file;

extern const malformed_file malformed_safetensors[];
extern const malformed_file malformed_npy[];
extern const malformed_file malformed_mtx[]; /* header: the text */

/* What stands behind --match, for a graph with the labels leak and rec. ' and " stand for themselves. */
typedef struct malformed_expression {
    const char *name;
    const char *text;
    const char *column; /* in front of the sentence */
    const char *words;  /* in it */
} malformed_expression;

extern const malformed_expression malformed_expressions[];

/* A document whose only edge has the Jacobian, of 3 x 2 or 2 x 2. */
#define MALFORMED_DOCUMENT(variables, edges)                                                                           \
    "{'jacchain':1,'tensors':'t.safetensors','variables':" variables ",'edges':" edges "}"
#define MALFORMED_VARIABLES "[{'name':'a','size':2},{'name':'b','size':3},{'name':'c','size':2}]"
#define MALFORMED_EDGES(edges) MALFORMED_DOCUMENT(MALFORMED_VARIABLES, "[" edges "]")
#define MALFORMED_JACOBIAN(jacobian) MALFORMED_EDGES("{'of':'b','wrt':'a','jacobian':" jacobian "}")
#define MALFORMED_SQUARE(jacobian) MALFORMED_EDGES("{'of':'c','wrt':'a','jacobian':" jacobian "}")

#endif
