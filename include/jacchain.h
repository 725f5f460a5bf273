/*
 * jacchain - total derivatives of computation graphs from their local Jacobians.
 *
 *   dT/dS = sum over all paths from S to T of the product of the Jacobians D[of,wrt] on the path
 *
 * The way through the library, each stage const for the next:
 *
 *   graph  ->  plan  ->  program of a backend  ->  run (bind, execute)  ->  results
 *
 * Example (L = f(y), y = A w; dL/dw is the row vector g A):
 *
 *   jc_graph *graph = NULL;
 *   int64_t w, y, L;
 *   jc_graph_create(NULL, &graph);
 *   jc_graph_add_variable(graph, "w", 4, &w);
 *   jc_graph_add_variable(graph, "y", 3, &y);
 *   jc_graph_add_variable(graph, "L", 1, &L);
 *   jc_jacobian a = JC_JACOBIAN_INIT(JC_DENSE), g = JC_JACOBIAN_INIT(JC_DENSE);
 *   a.values = jc_array_2d(JC_F64, 3, 4, A_data);           // borrowed until the graph is destroyed
 *   g.values = jc_array_2d(JC_F64, 1, 3, g_data);
 *   jc_graph_add_edge(graph, y, w, &a, NULL, 0);
 *   jc_graph_add_edge(graph, L, y, &g, NULL, 0);
 *   jc_graph_finish(graph);
 *
 *   jc_query query = JC_QUERY_INIT;
 *   query.of = &L, query.n_of = 1, query.wrt = &w, query.n_wrt = 1;
 *   jc_results *results = NULL;
 *   if (jc_evaluate(graph, &query, NULL, &results) != JC_OK) fprintf(stderr, "%s\n", jc_last_error());
 *   jc_result total;
 *   jc_results_get(results, 0, &total);                     // total.data is 1 x 4
 *
 * Conventions. Matrices are row-major. Sizes, counts and offsets are 64-bit. Every function that can fail
 * returns a jc_status and, on anything but JC_OK, leaves its outputs untouched and a sentence for this thread in
 * jc_last_error(). The library never prints, exits, or changes process-wide state. Graphs, plans and programs
 * are immutable once made and may be shared by threads; a run belongs to one thread at a time.
 * Large products on the cpu go to OpenBLAS. How many threads that library has is the program's to say: with one
 * (openblas_set_num_threads(1) or OPENBLAS_NUM_THREADS=1) jacchain's threads call it side by side, otherwise one at a
 * time. Pointers that cross this interface are marked copied, borrowed (until when) or owned (by whom).
 */
#ifndef JACCHAIN_H
#define JACCHAIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default) /* what a shared library shows */
#endif

#define JACCHAIN_VERSION "0.1.0"

/* ---- status ------------------------------------------------------------------------------------------------ */

/* name, exit code of the command, text */
#define JC_STATUS_MAP(X)                                                                                               \
    X(OK, 0, "done")                                                                                                   \
    X(E_USAGE, 2, "the request does not apply")                                                                        \
    X(E_INPUT, 3, "an input is not valid")                                                                             \
    X(E_DEVICE, 4, "a device or library failed")                                                                       \
    X(E_OUTPUT, 4, "an output cannot be written")                                                                      \
    X(E_UNAVAILABLE, 4, "the backend is not there")                                                                    \
    X(E_MEMORY, 5, "not enough memory")                                                                                \
    X(E_LIMIT, 5, "over the memory limit")                                                                             \
    X(E_INTERNAL, 4, "a defect of the library")

typedef enum jc_status {
#define JC_STATUS_ENUM(name, code, text) JC_##name,
    JC_STATUS_MAP(JC_STATUS_ENUM)
#undef JC_STATUS_ENUM
} jc_status;

const char *jc_status_name(jc_status status); /* "JC_E_INPUT"; static text */
const char *jc_status_text(jc_status status); /* "an input is not valid"; static text */
int jc_status_exit_code(jc_status status);    /* the exit code the command gives it */
const char *jc_last_error(void);              /* of this thread's last failure; borrowed until its next one */
const char *jc_version(void);                 /* of the library that runs, as JACCHAIN_VERSION */

/* ---- memory ------------------------------------------------------------------------------------------------ */

/* Host memory for everything that a graph, and what is made from it, allocates. `alloc` returns at least 16-byte
 * aligned memory or NULL; `free` gets the pointer and the bytes asked for. Both are called from the threads
 * that call the library and must be safe to call from several. Copied; ctx is borrowed until the last object is gone.
 */
typedef struct jc_allocator {
    void *ctx;
    void *(*alloc)(void *ctx, size_t bytes);
    void (*free)(void *ctx, void *ptr, size_t bytes);
} jc_allocator;

/* Told how far long work has come: `done` of `total` "bytes" of a document, "products" of a sweep, "rows" of a seed
 * that is taken in blocks, "terms" of a split, "values" that the reference computes or a check judges. Called on the
 * thread that made the call, very often: it has to be quick, and may not call this library with the same objects. */
typedef struct jc_progress {
    void (*report)(void *ctx, const char *unit, int64_t done, int64_t total); /* NULL: nobody asks */
    void *ctx;                                                                /* borrowed while the work goes on */
} jc_progress;

/* ---- arrays and Jacobians ---------------------------------------------------------------------------------- */

/* name, bytes of an element, is a floating type */
#define JC_DTYPE_MAP(X) X(F64, 8, 1) X(F32, 4, 1) X(BF16, 2, 1) X(F16, 2, 1) X(I64, 8, 0) X(I32, 4, 0)

typedef enum jc_dtype {
#define JC_DTYPE_ENUM(name, bytes, is_float) JC_##name,
    JC_DTYPE_MAP(JC_DTYPE_ENUM)
#undef JC_DTYPE_ENUM
} jc_dtype;

#define JC_MAX_RANK 4 /* edges of a group, blocks of a batch, rows, columns */

enum { JC_BORROW = 0, JC_COPY = 1, JC_DEVICE = 2 };

/* A row-major contiguous array at any byte alignment, used as it lies: numbers of 16 bits stay those. data == NULL with
 * rank 0: the field is not given. */
typedef struct jc_array {
    jc_dtype dtype;
    int rank;
    int64_t dims[JC_MAX_RANK];
    const void *data; /* JC_BORROW: borrowed until the graph is destroyed; JC_COPY: copied; JC_DEVICE: floating numbers
                       * in device memory, borrowed likewise and read by the device only (jacchain_cuda.h); NULL: they
                       * are bound to each run */
    int ownership;    /* JC_BORROW, JC_COPY or JC_DEVICE */
    int literal;      /* 1: numbers of the document's text, which do not decide the working precision */
} jc_array;

static inline jc_array jc_array_1d(jc_dtype dtype, int64_t n, const void *data)
{
    jc_array a = {dtype, 1, {n, 0, 0, 0}, data, JC_BORROW, 0};
    return a;
}

static inline jc_array jc_array_2d(jc_dtype dtype, int64_t rows, int64_t cols, const void *data)
{
    jc_array a = {dtype, 2, {rows, cols, 0, 0}, data, JC_BORROW, 0};
    return a;
}

/* The kinds of D in a Jacobian I_batch (x) D (x) I_inner; see docs/file-format.md. */
typedef enum jc_kind {
    JC_DENSE,    /* values [p,q] */
    JC_DIAGONAL, /* diag(values [p]) */
    JC_IDENTITY, /* scale I */
    JC_CSR,      /* indptr [p+1], indices [nnz], values [nnz] */
    JC_LOW_RANK, /* u [p,rho], v [q,rho]: U V^T */
    JC_SELECT,   /* row i is scale * e_indices[i] */
    JC_WEIGHT,   /* x [c,w]: Jacobian of Y = X W^T with respect to W (h x w) */
    JC_TILE,     /* 1_c (x) scale I_q */
    JC_TRACE,    /* values [p,w]: a weight whose x differs from output to output, a row of w traces each; q = h w */
    JC_OPERATOR, /* callbacks */
    JC_KIND_COUNT
} jc_kind;

typedef enum jc_direction {
    JC_TANGENT, /* y = D x   : x has size(wrt), y has size(of) entries */
    JC_ADJOINT  /* y = D^T x : x has size(of), y has size(wrt) entries */
} jc_direction;

/* A Jacobian given by callbacks on host memory. `apply` forms, for j = 0..k-1, y_j = (accumulate ? y_j : 0) + D x_j
 * (or D^T x_j); vector j is at x + j*ldx and y + j*ldy, in elements of `dtype` (JC_F64 or JC_F32). Returns 0, or
 * anything else to fail the run. It may be called from several threads at once. Costs are multiply-adds per vector.
 * `transpose` swaps the two directions and with them the costs; batch and inner must be 1. An edge whose `apply` is
 * NULL can be planned, not computed with. The edges of a group share one operator. */
typedef struct jc_operator {
    int (*apply)(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx, void *y,
                 int64_t ldy, int accumulate);
    void *user; /* borrowed until the graph is destroyed */
    int64_t tangent_cost, adjoint_cost;
    int64_t edges; /* memory that an adjoint sweep of it needs, in edges of its own graph */
} jc_operator;

/* A local Jacobian, or E of one kind and shape for jc_graph_add_edges: then every array has a leading axis of
 * length E, and `scales` (copied), where given, holds E numbers in place of `scale`.
 * Where the shapes of the E edges differ (dense, diagonal, csr and select, batch and inner 1), every array is flat, the
 * edges' numbers one after the other, and its offsets say where each begins: edge i has the elements offsets[i] to
 * offsets[i+1] - 1, from 0 to the length of the array. A csr edge has its own indptr, p + 1 numbers from 0. Such a
 * group costs as much memory as one of its edges for every run of edges of equal shape. */
typedef struct jc_jacobian {
    size_t struct_size;
    jc_kind kind;
    int transpose;
    int64_t batch, inner; /* 0 means 1 */
    double scale;
    const double *scales;
    jc_array values, indptr, indices, u, v, x;
    jc_operator op;
    jc_array values_offsets, indptr_offsets, indices_offsets; /* I32 or I64, [E + 1], borrowed during the call */
} jc_jacobian;

#ifdef __cplusplus
static inline jc_jacobian jc_jacobian_init(jc_kind kind)
{
    jc_jacobian j = jc_jacobian();
    j.struct_size = sizeof j, j.kind = kind, j.scale = 1.0;
    return j;
}
#define JC_JACOBIAN_INIT(KIND) jc_jacobian_init(KIND)
#else
#define JC_JACOBIAN_INIT(KIND)                                                                                         \
    {                                                                                                                  \
        .struct_size = sizeof(jc_jacobian), .kind = (KIND), .scale = 1.0                                               \
    }
#endif

/* ---- graph ------------------------------------------------------------------------------------------------- */

typedef struct jc_graph jc_graph;

typedef struct jc_graph_options {
    size_t struct_size;
    const jc_allocator *allocator; /* copied; NULL: malloc and free */
    jc_progress progress;          /* of jc_graph_load */
    int reads_files;               /* of jc_graph_load, 1: files are read into memory; 0: they are mapped */
} jc_graph_options;

jc_status jc_graph_create(const jc_graph_options *options, jc_graph **graph);
void jc_graph_destroy(jc_graph *graph); /* NULL is allowed */

/* A variable of `size` scalars. name: copied, unique, non-empty UTF-8 without control characters and commas. */
jc_status jc_graph_add_variable(jc_graph *graph, const char *name, int64_t size, int64_t *variable);

/* n variables named <prefix>0, <prefix>1, ... counted from 0; only as the first variables of a graph. sizes: I32 or
 * I64, [n], copied. */
jc_status jc_graph_add_variables(jc_graph *graph, const char *prefix, const jc_array *sizes);

/* An edge of <- wrt with its Jacobian, size(of) x size(wrt). Edges are numbered from 0 in the order they are added.
 * labels: copied. Errors: JC_E_INPUT when shapes do not fit or an index is out of range, naming edge and field. */
jc_status jc_graph_add_edge(jc_graph *graph, int64_t of, int64_t wrt, const jc_jacobian *jacobian,
                            const char *const *labels, int64_t n_labels);

/* count edges of one kind and shape: of, wrt are I32 or I64 arrays [count] of variable numbers. */
jc_status jc_graph_add_edges(jc_graph *graph, int64_t count, const jc_array *of, const jc_array *wrt,
                             const jc_jacobian *jacobian, const char *const *labels, int64_t n_labels);

/* Ends building: finds cycles (JC_E_INPUT, the cycle named), orders the variables. The graph is immutable after. */
jc_status jc_graph_finish(jc_graph *graph);

/* Reads a document (docs/file-format.md). JC_E_INPUT names file and place. The files stay mapped until the graph is
 * destroyed. Where one of them is made shorter meanwhile, the system sends SIGBUS to the thread that touches what is
 * gone, and the process ends unless the program handles it (the library touches no signals). Replace a file by
 * renaming another over it, or have the files read into memory (jc_graph_options.reads_files). */
jc_status jc_graph_load(const char *path, const jc_graph_options *options, jc_graph **graph);

/* Reads a document from its JSON text [bytes], borrowed during the call. name: stands for the file in messages (NULL:
 * "document"). folder: where the files are that the document names (NULL: the working folder). */
jc_status jc_graph_load_text(const char *text, size_t bytes, const char *name, const char *folder,
                             const jc_graph_options *options, jc_graph **graph);

int64_t jc_graph_variable_count(const jc_graph *graph);
int64_t jc_graph_edge_count(const jc_graph *graph);
int64_t jc_graph_variable_size(const jc_graph *graph, int64_t variable);
/* The ends of an edge; both -1 where there is no such edge. */
void jc_graph_edge(const jc_graph *graph, int64_t edge, int64_t *of, int64_t *wrt);
/* Writes the name, cut to capacity-1 bytes and ended by NUL; returns its whole length in bytes. */
size_t jc_graph_variable_name(const jc_graph *graph, int64_t variable, char *name, size_t capacity);
int64_t jc_graph_find_variable(const jc_graph *graph, const char *name); /* -1: none */

/* ---- query, plan ------------------------------------------------------------------------------------------- */

typedef enum jc_order { JC_ORDER_AUTO, JC_ORDER_REVERSE, JC_ORDER_FORWARD, JC_ORDER_ELIMINATION } jc_order;

typedef enum jc_seed {
    JC_SEED_NONE,   /* totals: of / wrt */
    JC_SEED_ROWS,   /* vjp: S (width x size(of)) times d of/d wrt; one target */
    JC_SEED_COLUMNS /* jvp: d of/d wrt times S (size(wrt) x width); one source */
} jc_seed;

/* What a path must satisfy to count; docs/commands.md has the words. Where a rule speaks of variables that a path
 * passes through, its two ends are not counted. AVOID        passes through none of the variables THROUGH      passes
 * through at least one of the variables FIRST, LAST  passes through some of the variables, and the first (last) of them
 * is variables[0] AVOID_LABEL  uses no edge with one of the labels USES         uses exactly `count` edges with one of
 * the labels (an edge with several of them once) MATCH        the labels of its edges, from source to target, form a
 * word of the expression: labels one after the other, "." for any one edge, | * + ? {n} {n,} {n,m} and parentheses; an
 * edge with several labels stands for any one of them, one without only for "." A path counts once, in however many
 * ways the expression matches it. */
typedef enum jc_rule_kind {
    JC_RULE_AVOID,
    JC_RULE_THROUGH,
    JC_RULE_FIRST,
    JC_RULE_LAST,
    JC_RULE_AVOID_LABEL,
    JC_RULE_USES,
    JC_RULE_MATCH
} jc_rule_kind;

typedef struct jc_rule {
    jc_rule_kind kind;
    const int64_t *variables; /* [n_variables] AVOID, THROUGH, FIRST, LAST */
    int64_t n_variables;
    const char *const *labels; /* [n_labels] AVOID_LABEL, USES */
    int64_t n_labels;
    int64_t count;          /* USES */
    const char *expression; /* MATCH */
} jc_rule;

/* A vertex that is eliminated: a variable, in one of the states in which paths meet it under path rules (numbered from
 * 0; 0 without rules). variable -1 - e: the inner vector V^T x of the low_rank Jacobian of edge e, which is eliminated
 * as if it were a variable. */
typedef struct jc_vertex {
    int64_t variable, state;
} jc_vertex;

/* What is asked. of, wrt, edges and rules (with all they point to) are borrowed during the call. n_wrt = 0: for each
 * target every source variable (without incoming edge) that reaches it. per_sample B > 1: only the B diagonal blocks of
 * each total. edges: only the paths that use no other edges count; a path's own edges give its product. The Jacobians
 * stay those of the graph. rules: only the paths that satisfy every one of them count; the path without edges does
 * where no rule needs a variable or label on it and the expressions accept the empty word. Cost: linear in the graph
 * times the states of the rules that are reached on it; over 10,000 of them: JC_E_USAGE. A struct_size from before
 * `edges`
 * (`rules`) was there asks for all edges (paths). */
typedef struct jc_query {
    size_t struct_size;
    const int64_t *of;
    int64_t n_of;
    const int64_t *wrt;
    int64_t n_wrt;
    jc_order order;
    jc_seed seed;
    int64_t seed_width;
    int64_t per_sample;
    const int64_t *edges; /* [n_edges] edge numbers in any order; NULL: all edges */
    int64_t n_edges;
    int no_empty_path;    /* 1: d v/d v is zero, since the path without edges does not count */
    const jc_rule *rules; /* [n_rules] */
    int64_t n_rules;
    double search_seconds; /* for a search of elimination orders, counted in steps, so that it finds the same every
                            * time; 0: some hundredths of a second */
    int64_t search_seed;   /* of its random choices */
    int limits_tape;       /* 1: an operator's adjoints may be formed only where its `edges` are at most tape_limit */
    int64_t tape_limit;
    const jc_vertex *eliminate; /* [n_eliminate] JC_ORDER_ELIMINATION: this order, all vertices that lie between sources
                                 * and targets; NULL: one is looked for */
    int64_t n_eliminate;
} jc_query;

#ifdef __cplusplus
static inline jc_query jc_query_init()
{
    jc_query q = jc_query();
    q.struct_size = sizeof q;
    return q;
}
#define JC_QUERY_INIT jc_query_init()
#else
#define JC_QUERY_INIT                                                                                                  \
    {                                                                                                                  \
        .struct_size = sizeof(jc_query)                                                                                \
    }
#endif

typedef struct jc_plan jc_plan;

/* Plans the products; nothing is computed. Linear in the graph.
 * The plan borrows the graph until it is destroyed. */
jc_status jc_plan_create(const jc_graph *graph, const jc_query *query, jc_plan **plan);
void jc_plan_destroy(jc_plan *plan);

/* What would be done. Costs as docs/numerics.md counts them; they saturate at INT64_MAX. */
typedef struct jc_plan_info {
    size_t struct_size;
    jc_order order;
    int64_t levels, values, steps;
    int64_t multiply_adds;                                /* of the chosen order */
    int64_t reverse_cost, forward_cost, elimination_cost; /* multiply-adds of each order; -1: not known */
    int64_t nodes, edges;                                 /* of the part of the graph that is used, under path rules
                                                             one for each state in which paths meet it */
    int structure_only;                                   /* a used edge has no numbers */
    size_t plan_bytes;                                    /* memory that the plan itself holds */
} jc_plan_info;

jc_status jc_plan_get_info(const jc_plan *plan, jc_plan_info *info);

/* The variables in the order in which the sweep eliminates them (neither targets nor sources): at most capacity are
 * written; *count is how many there are. Under path rules a variable is named once for each state in which paths meet
 * it, a target or source too where paths pass through it. */
jc_status jc_plan_eliminated(const jc_plan *plan, int64_t *variables, int64_t capacity, int64_t *count);

/* The same as vertices, of which jc_query.eliminate makes the same order again. Inner vectors of low_rank Jacobians are
 * among them where they are eliminated on their own (jc_plan_eliminated leaves these out). */
jc_status jc_plan_vertices(const jc_plan *plan, jc_vertex *vertices, int64_t capacity, int64_t *count);

/* ---- program, run ------------------------------------------------------------------------------------------ */

typedef enum jc_precision {
    JC_PRECISION_AUTO,
    JC_PRECISION_F64,
    JC_PRECISION_F32,
    JC_PRECISION_TF32,
    JC_PRECISION_BF16
} jc_precision;

typedef struct jc_program jc_program;
typedef struct jc_run jc_run;

typedef struct jc_program_options {
    size_t struct_size;
    const char *backend;    /* "auto", "cuda", "cpu", "reference"; NULL: auto */
    jc_precision precision; /* AUTO: f64 if a used tensor is F64 or none is floating, else f32 */
    int threads;            /* 0: the processors this process may use */
    int64_t memory_limit;   /* bytes; 0: none */
    int keep_adjoints;      /* 1: no adjoint's storage is used again (what jc_check needs) */
    jc_progress progress;   /* of each execution on the host, of blocks of rows anywhere */
} jc_program_options;

#ifdef __cplusplus
static inline jc_program_options jc_program_options_init()
{
    jc_program_options o = jc_program_options();
    o.struct_size = sizeof o;
    return o;
}
#define JC_PROGRAM_OPTIONS_INIT jc_program_options_init()
#else
#define JC_PROGRAM_OPTIONS_INIT                                                                                        \
    {                                                                                                                  \
        .struct_size = sizeof(jc_program_options)                                                                      \
    }
#endif

/* Lowers a plan for a backend: routines, storage, exact bytes. Borrows the plan until it is destroyed. JC_E_LIMIT
 * when it needs more than memory_limit. */
jc_status jc_program_create(const jc_plan *plan, const jc_program_options *options, jc_program **program);
void jc_program_destroy(jc_program *program);

typedef struct jc_program_info {
    size_t struct_size;
    const char *backend; /* static text */
    jc_precision precision;
    int threads;
    int64_t peak_bytes;       /* exactly what a run of it allocates for computing */
    int64_t bytes;            /* read and written by one execution: Jacobians and vectors of every product */
    double seconds_predicted; /* of one execution */
    double start_seconds;     /* before the first: starting a device and copying to it; 0 on the host */
    const char *device;       /* where it computes: "cpu (2 threads)", or the device's name; the program's */
    const char *reason;       /* why on this backend: "asked for", or what "auto" compared or had to do without; the
                               * program's */
} jc_program_info;

jc_status jc_program_get_info(const jc_program *program, jc_program_info *info);

/* One line of what would run: `count` products of m x k by k x n by one routine in one level. */
typedef struct jc_batch {
    int64_t level;
    jc_kind kind;
    int64_t count, m, n, k;
    const char *routine; /* static text */
} jc_batch;

/* Calls emit for every batch in the order of execution; stops at the first status that is not JC_OK and returns it. */
jc_status jc_program_batches(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch), void *ctx);
const char *jc_kind_name(jc_kind kind); /* "dense"; static text */

/* Backends built in, by index from 0; NULL past the last. */
const char *jc_backend_name(int index);
/* JC_OK, or JC_E_UNAVAILABLE with the reason in jc_last_error(). */
jc_status jc_backend_available(const char *name);

/* Allocates what the program needs. Jacobians are those of the graph until bound otherwise. Borrows the program. */
jc_status jc_run_create(const jc_program *program, jc_run **run);
void jc_run_destroy(jc_run *run);

/* New numbers for the floating field (`values`, `u`, `v` or `x`) of an edge's Jacobian; for an edge of a group: of all
 * its edges. Same dtype, shape, strides and offsets as in the graph. Borrowed until bound again or the run is
 * destroyed. */
jc_status jc_run_bind_jacobian(jc_run *run, int64_t edge, const char *field, jc_dtype dtype, const void *data);

/* The seed: width x size(of) (rows) or size(wrt) x width (columns), of any floating type. Borrowed likewise. */
jc_status jc_run_bind_seed(jc_run *run, jc_dtype dtype, const void *data);

/* Forms all products. May be called again and again; allocates nothing. */
jc_status jc_run_execute(jc_run *run);

/* One result: element (i,j) of block b is data[b*block_stride + i*row_stride + j*col_stride] of dtype. Zero and
 * identity results have data NULL. */
typedef enum jc_result_kind { JC_RESULT_MATRIX, JC_RESULT_ZERO, JC_RESULT_IDENTITY } jc_result_kind;

typedef struct jc_result {
    int64_t of, wrt;    /* variables */
    int per_sample;     /* 1: of a query per sample, its shape is [blocks, rows, cols] */
    int64_t blocks;     /* per-sample totals: B blocks of rows x cols; otherwise 1 */
    int64_t rows, cols; /* size(of) x size(wrt), or with a seed width x size(wrt), size(of) x width */
    jc_result_kind kind;
    jc_dtype dtype;
    const void *data;
    int64_t block_stride, row_stride, col_stride; /* in elements */
} jc_result;

int64_t jc_run_result_count(const jc_run *run);
/* data: in host memory, borrowed until the next execute or the run's end; on a device it is copied here. */
jc_status jc_run_result(jc_run *run, int64_t index, jc_result *result);

/* ---- all in one call --------------------------------------------------------------------------------------- */

typedef struct jc_results jc_results;

typedef struct jc_evaluate_options {
    size_t struct_size;
    jc_program_options program; /* its memory_limit cuts the seed into blocks where needed */
    jc_array seed;              /* for a query with a seed; 2-D, of any floating type, borrowed during the call */
} jc_evaluate_options;

/* Plan, program, run, in as many blocks of seed rows (columns) as the memory limit asks for. JC_E_LIMIT with both
 * numbers when one row does not fit. Results are owned by `results`, contiguous row-major, in the working type. */
jc_status jc_evaluate(const jc_graph *graph, const jc_query *query, const jc_evaluate_options *options,
                      jc_results **results);
void jc_results_destroy(jc_results *results);

/* D[of,wrt] = the sum of the Jacobians of all edges of <- wrt: one result, size(of) x size(wrt). Zero where there is no
 * such edge, and so for of = wrt. order: of the products with the identity; AUTO will do. Errors as jc_evaluate's.
 * Cost: a sweep over these edges alone, and a look at the edges of one of the two variables. Exact but for the rounding
 * of sums and of factors (low_rank, weight). */
jc_status jc_evaluate_partial(const jc_graph *graph, int64_t of, int64_t wrt, jc_order order,
                              const jc_evaluate_options *options, jc_results **results);

typedef struct jc_results_info {
    size_t struct_size;
    const char *backend; /* static text */
    jc_order order;
    jc_precision precision;
    int threads;
    int64_t blocks; /* passes over the graph: 1 unless the memory limit asked for more */
    int64_t multiply_adds, bytes, peak_bytes;
    double plan_s, upload_s, run_s, download_s;
    int64_t n_non_finite;      /* used edges whose numbers have NaN or Inf; looked for when a result has one */
    const int64_t *non_finite; /* their numbers; owned by the results */
    const char *device;        /* where it was computed; owned by the results */
    const char *reason;        /* why there; owned by the results */
} jc_results_info;

jc_status jc_results_get_info(const jc_results *results, jc_results_info *info);
int64_t jc_results_count(const jc_results *results);
jc_status jc_results_get(const jc_results *results, int64_t index, jc_result *result);

/*   frobenius = sqrt(sum of A[i,j]^2),    largest = max |A x| / |x|,    smallest = the last of the min(rows, cols)
 * singular values of A */
typedef struct jc_norms {
    size_t struct_size;
    double frobenius, largest, smallest;
} jc_norms;

/* Of one result, a jc_run's or jc_results', not per sample. Scaled, so that nothing overflows on the way; singular
 * values by LAPACK from a copy in double. A NaN makes all of them NaN; otherwise an Inf makes frobenius and largest Inf
 * and, where there are several singular values, smallest NaN. A smallest below max(rows, cols) u largest (u the
 * roundoff of the result's type) may be zero. allocator: for that copy; NULL: malloc and free. JC_E_UNAVAILABLE in
 * builds without LAPACK, unless rows or cols is 1. Cost: rows cols min(rows, cols), rows cols where one of them is 1.
 */
jc_status jc_result_norms(const jc_allocator *allocator, const jc_result *result, jc_norms *norms);

/* ---- paths ------------------------------------------------------------------------------------------------- */

typedef struct jc_paths jc_paths;

/* The paths that a query of one target and one source (without seed and samples) sums over: each chain of edges is one,
 * so edges between the same two variables make paths of their own; for of = wrt the path without edges is the only one.
 * Borrows the graph until destroyed; belongs to one thread at a time. Errors: as jc_plan_create's. Cost: one sweep over
 * the graph (times the states of its rules); about 100 bytes for each edge on a path. */
jc_status jc_paths_create(const jc_graph *graph, const jc_query *query, jc_paths **paths);
void jc_paths_destroy(jc_paths *paths); /* NULL is allowed */

/*   n(wrt) = 1,  n(v) = sum over the edges v <- u of n(u)
 * *count: n(of), exact at any size, in decimal digits; owned by `paths`. Cost: an addition for each edge that meets
 * another one at a variable; a number is held until it was read for the last time. The digits take a time quadratic in
 * their number. */
jc_status jc_paths_count(jc_paths *paths, const char **count);

/* The next path: its edge numbers from the source on, [*n_edges], borrowed until the next call; 0 after the last one.
 * Paths come in lexicographic order of their edge numbers. Cost: the edges in which it differs from the path before. */
int jc_paths_next(jc_paths *paths, const int64_t **edges, int64_t *n_edges);

/* ---- the paths of largest norm ----------------------------------------------------------------------------- */

typedef struct jc_top jc_top;

enum { JC_MOST_TOP_PATHS = 100000 };

typedef struct jc_top_options {
    size_t struct_size;
    int spectral;         /* 1: the largest singular value; 0: the Frobenius norm */
    int64_t search_limit; /* partial paths that are looked at; 0: what takes a second or two. The k paths are completed
                           * over it. Work is counted, not timed, so that results are the same every time */
    int64_t memory_limit; /* bytes for partial paths; 0: 256 MiB. Over it those with the smallest bounds are let go */
    jc_progress progress; /* "partial paths" */
} jc_top_options;

/* One path, its product formed in double by the loops of the reference. */
typedef struct jc_top_path {
    const int64_t *edges; /* [n_edges] numbers from the source on; owned by the jc_top */
    int64_t n_edges;
    double norm;  /* of the product; NaN where it has one */
    double value; /* the product, where both ends are scalars */
} jc_top_path;

typedef struct jc_top_info {
    size_t struct_size;
    int64_t paths;       /* listed: k, or all that there are where these are fewer */
    int scalar;          /* both ends are scalars */
    int exact;           /* 1: no path that is not listed has a larger norm than the last one, but for rounding */
    int all_seen;        /* 1: every path was looked at to its end */
    double unseen_bound; /* no path that was not looked at to its end has a larger norm; 0 where all were */
    int64_t looked_at;   /* partial paths */
} jc_top_info;

/* The k (up to JC_MOST_TOP_PATHS) paths of a query (as for jc_paths_create) with the products of largest norm, the
 * largest first; among equal ones in the order of their edge numbers from the source. NaN counts as the largest norm,
 * then Inf. Found by a best-first search with bounds on what partial paths can become, which are exact for scalar
 * variables (docs/numerics.md): it ends by itself where nothing left can be larger, or at its limit; `exact` says what
 * is known. Errors: as jc_paths_create's; JC_E_INPUT where an edge on a path has no numbers, JC_E_USAGE where they are
 * in device memory. */
jc_status jc_paths_top(const jc_graph *graph, const jc_query *query, int64_t k, const jc_top_options *options,
                       jc_top **top);
void jc_top_destroy(jc_top *top); /* NULL is allowed */
jc_status jc_top_get_info(const jc_top *top, jc_top_info *info);
jc_status jc_top_get_path(const jc_top *top, int64_t index, jc_top_path *path);

/* ---- a total by uses of a label ---------------------------------------------------------------------------- */

typedef struct jc_uses jc_uses;

/* The paths that use equally many edges with one of the labels (an edge with several of them once). */
typedef struct jc_uses_part {
    int64_t uses;
    const char *count; /* how many they are, in decimal digits; owned by the jc_uses */
    jc_result sum; /* of their products; JC_F64, owned by the jc_uses; without data where numbers were not asked for */
} jc_uses_part;

/* Splits the total of a query (as for jc_paths_create) by uses:
 *   dT/dS = sum over n of (the total over the paths that use exactly n edges with one of the labels)
 * Parts without a path are left out. One sweep of the plain loops in double for all parts, from the end of fewer
 * scalars, which holds a matrix for each variable and number of uses that is still read; and one of exact counts.
 * numbers 0: counts alone. JC_E_USAGE: no edge has such a label; other errors as jc_paths_top's. */
jc_status jc_paths_by_uses(const jc_graph *graph, const jc_query *query, const char *const *labels, int64_t n_labels,
                           int numbers, jc_uses **split);
void jc_uses_destroy(jc_uses *split); /* NULL is allowed */
int64_t jc_uses_count(const jc_uses *split);
jc_status jc_uses_get(const jc_uses *split, int64_t index, jc_uses_part *part); /* in the order of uses */

/* ---- checking ---------------------------------------------------------------------------------------------- */

typedef enum jc_verdict { JC_PASSED, JC_FAILED, JC_UNDECIDED } jc_verdict;

/* Distance of one total from the reference in double, its forward bound, and the entry where error/bound is largest. */
typedef struct jc_check_total {
    int64_t of, wrt;
    double error, bound; /* at the worst entry */
    int64_t row, col;    /* the worst entry */
    jc_verdict verdict;  /* UNDECIDED: the bound is no smaller than the result and says nothing */
} jc_check_total;

typedef struct jc_check_report jc_check_report;

typedef struct jc_check_summary {
    size_t struct_size;
    const char *backend; /* static text; "file" for jc_check_against */
    jc_precision precision;
    jc_verdict verdict;
    int64_t variable, row, col; /* where the residual is largest relative to its bound; variable -1: nothing to judge */
    double ratio;               /* residual over bound there: <= 1 passes */
    int64_t totals;
    int64_t n_non_finite;      /* used edges whose numbers have NaN or Inf */
    const int64_t *non_finite; /* their numbers; owned by the report */
    const char *reason;        /* why on this backend; owned by the report, NULL for jc_check_against */
    int64_t state, n_states;   /* under path rules one variable may have several equations, one for each state in which
                                * paths meet it: `state` of 0 .. n_states - 1, in which the residual is; n_states 0:
                                * nothing to judge */
} jc_check_summary;

/* Evaluates the query (without seed) on the chosen backend and judges every variable by its own equation:
 *   |A_u - sum_e A_w(e) D_e| <= gamma sum_e |A_w(e)| |D_e|   componentwise (docs/numerics.md). */
jc_status jc_check(const jc_graph *graph, const jc_query *query, const jc_program_options *options,
                   jc_check_report **report);

/* Judges given totals: n matrices values[i] (of a floating type, row-major) of d of[i] / d wrt[i], said to be computed
 * in `precision`, against adjoints computed here in double. */
jc_status jc_check_against(const jc_graph *graph, int64_t n, const int64_t *of, const int64_t *wrt,
                           const jc_array *values, jc_precision precision, jc_check_report **report);

/* The same for restricted totals: the sums over the paths that satisfy every one of the rules (see jc_query). */
jc_status jc_check_against_rules(const jc_graph *graph, const jc_rule *rules, int64_t n_rules, int64_t n,
                                 const int64_t *of, const int64_t *wrt, const jc_array *values, jc_precision precision,
                                 jc_check_report **report);

jc_status jc_check_get_summary(const jc_check_report *report, jc_check_summary *summary);
jc_status jc_check_get_total(const jc_check_report *report, int64_t index, jc_check_total *total);
void jc_check_destroy(jc_check_report *report);

/* ---- splits ------------------------------------------------------------------------------------------------ */

/* The total of one target T and one source S, cut at a set Z of variables: every path at the first (or the last) of Z
 * that it passes through, its ends not counted. With "local" for the paths that have no variable of Z strictly inside,
 *   first   dT/dS = [dT/dS]local + sum over z in Z, not T or S, of (dT/dz) [dz/dS]local
 *   last    dT/dS = [dT/dS]local + sum over z in Z, not T or S, of [dT/dz]local (dz/dS)
 * On an unrolled recurrent network the first is back-propagation through time with Z the states, and exact e-prop
 * (learning signal x eligibility trace) with Z the spikes; the last is real-time recurrent learning. */
typedef struct jc_split jc_split;

/* query: one target, one source, no seed, not per sample; its rules hold for the paths of every term. at [n_at]: Z,
 * borrowed during the call; T and S may be in it and are not cut at. last: 0 or 1. options: as of jc_evaluate, NULL
 * allowed; its progress is told of "terms". The split borrows the graph until destroyed.
 * One sweep forms all left factors; then each term is a sweep over the paths of its right factor, with the rows of the
 * left one as seed (with rules: a total of its own). The total comes from a sweep over the whole graph. Where a used
 * edge has no numbers there are the terms and their cost only. Errors: as jc_evaluate's; JC_E_USAGE where a variable of
 * Z is not there or named twice. */
jc_status jc_split_create(const jc_graph *graph, const jc_query *query, const int64_t *at, int64_t n_at, int last,
                          const jc_evaluate_options *options, jc_split **split);
void jc_split_destroy(jc_split *split); /* NULL is allowed */

typedef struct jc_split_info {
    size_t struct_size;
    int64_t n_terms;
    int64_t multiply_adds; /* of all terms; saturates at INT64_MAX */
    int structure_only;    /* 1: a used edge has no numbers: the rest is not known */
    double norm;           /* Frobenius norm of the total */
    double difference;  /* largest |sum of the terms - total| of an entry, over the largest |total| (where that is zero:
                         * over  the largest sum of |terms|) */
    double bound;       /* largest bound of an entry, over the same; docs/numerics.md */
    jc_verdict verdict; /* PASSED: the terms add up to the total to the rounding of adding them, or every entry keeps
                         * its own bound; UNDECIDED: not finite, or bounds as large as the total */
    const char *backend; /* static text */
    jc_precision precision;
    const char *device; /* where the total was computed, and why there; owned by the split */
    const char *reason;
    int64_t n_non_finite;      /* used edges whose numbers have NaN or Inf; looked for when the total has one */
    const int64_t *non_finite; /* their numbers; owned by the split */
} jc_split_info;

jc_status jc_split_get_info(const jc_split *split, jc_split_info *info);

/* A term: the local one first, where it has a path, then those that have one in the order of Z. */
typedef struct jc_split_term {
    int64_t variable;   /* z; -1: the local term */
    double norm, share; /* Frobenius norm; over the total's: NaN for 0 / 0 and where there are no numbers */
    jc_result result;   /* size(T) x size(S), of T with respect to S; contiguous, owned by the split */
} jc_split_term;

jc_status jc_split_get_term(const jc_split *split, int64_t index, jc_split_term *term);

/* The total that the terms add up to. JC_E_USAGE where there are no numbers. */
jc_status jc_split_get_total(const jc_split *split, jc_result *total);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
