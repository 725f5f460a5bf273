/* Inside of the stand-in: its state and what its files need of each other. All of it under one lock, which jt_enter
 * takes and jt_leave gives back. */
#ifndef JT_STANDIN_INTERNAL_H
#define JT_STANDIN_INTERNAL_H

#include "standin/standin.h"
#include "support/pool.h"

/* CUDA's codes that occur here. */
enum {
    JT_E_VALUE = 1,
    JT_E_CONFIGURATION = 9,
    JT_E_PITCH = 12,
    JT_E_DIRECTION = 21,
    JT_E_DRIVER = 35,
    JT_E_FUNCTION = 98,
    JT_E_NO_DEVICE = 100,
    JT_E_DEVICE = 101,
    JT_E_HANDLE = 400,
    JT_E_ILLEGAL_STATE = 401,
    JT_E_ADDRESS = 700,
    JT_E_UNSUPPORTED = 900,
    JT_E_INVALIDATED = 901,
    JT_E_MERGE = 902,
    JT_E_UNMATCHED = 903,
    JT_E_UNJOINED = 904,
    JT_E_ISOLATION = 905,
    JT_E_IMPLICIT = 906,
    JT_E_CAPTURED = 907,
    JT_E_THREAD = 908,
    JT_E_CLUSTER = 912
};
/* And cuBLAS's. */
enum { JT_B_NOT_INITIALIZED = 1, JT_B_VALUE = 7, JT_B_EXECUTION = 13, JT_B_INTERNAL = 14, JT_B_NOT_SUPPORTED = 15 };

/* ---- clocks: for each lane (the host, a stream, a chain of a graph) the last operation that comes before --------- */

typedef struct jt_clock {
    uint32_t *at; /* [n], serial numbers */
    int32_t n;
} jt_clock;

void jt_clock_set(jt_clock *clock, int32_t lane, uint32_t serial);
void jt_clock_join(jt_clock *clock, const jt_clock *other);
void jt_clock_free(jt_clock *clock);

/* ---- operations -------------------------------------------------------------------------------------------------- */

typedef enum jt_type {
    JT_OP_HOST, /* an access of the host */
    JT_OP_COPY,
    JT_OP_FILL,
    JT_OP_POISON,
    JT_OP_KERNEL,
    JT_OP_PRODUCT,
    JT_OP_WAIT,
    JT_OP_GRAPH
} jt_type;

typedef struct jt_copy {
    void *dst;
    const void *src;
    size_t dst_pitch, src_pitch, width, height;
    jc_gpu_copy_kind kind;
} jt_copy;

typedef struct jt_fill {
    void *ptr;
    int byte;
    size_t bytes;
} jt_fill;

typedef struct jt_product {
    jc_gpu_product product;
    void *workspace;
    size_t workspace_bytes;
} jt_product;

/* What an operation or a node of a graph does; everything by value. */
typedef struct jt_work {
    jt_type type;
    union {
        jt_copy copy;
        jt_fill fill;
        jc_gpu_launch launch;
        jt_product product;
    } of;
    void *staged; /* owned, or NULL: bytes taken at the call */
} jt_work;

typedef struct jt_stream jt_stream;
typedef struct jt_graph_run jt_graph_run;

typedef struct jt_op {
    jt_work work;
    uint32_t serial;
    jt_clock clock;
    jt_stream *awaited; /* WAIT: until that stream has run so many */
    int64_t awaited_count;
    jt_graph_run *run; /* GRAPH: owned */
    struct jt_op *next;
} jt_op;

/* What remains of an operation, by serial number. 0 is none. */
typedef struct jt_record {
    uint8_t type;
    int8_t kernel;
    int32_t lane, stream, node;
} jt_record;

/* A set of nodes of a capture: those that the next node depends on. */
typedef struct jt_frontier {
    int64_t *nodes; /* [n] */
    int64_t n;
} jt_frontier;

typedef struct jt_capture jt_capture;

struct jt_stream {
    int id, device;
    bool blocking, destroyed;
    int32_t lane;
    jt_clock clock; /* of all that was queued */
    jt_op *head, *tail;
    int64_t queued, done;
    int64_t needed; /* while a wait runs: how many must be done */
    jt_capture *capture;
    jt_frontier frontier;
    jt_stream *next;
};

typedef struct jt_event {
    int id;
    bool recorded, destroyed;
    jt_stream *stream;
    int64_t position;
    jt_clock clock;
    jt_capture *capture; /* of a capture that goes on, or of one that ended (`captured`) */
    bool captured;
    jt_frontier frontier;
    struct jt_event *next;
} jt_event;

typedef struct jt_node {
    jt_work work;
    jt_frontier after; /* depends on */
    int64_t *before;   /* [n_before] nodes that depend on it */
    int64_t n_before;
    int32_t chain;
} jt_node;

/* Nodes in an order that the dependencies allow; shared by graphs, execs and launches. */
typedef struct jt_body {
    int64_t references, n_nodes, capacity;
    int32_t n_chains;
    jt_node *nodes;
} jt_body;

/* One launch of a graph. */
struct jt_graph_run {
    jt_body *body;
    jt_op *ops;               /* [n_nodes]; their work is the body's */
    int64_t *missing, *ready; /* [n_nodes] */
    int64_t n_ready, n_done;
};

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* A place of memory: the last write, and the reads since. `read` with the top bit: a set of reads. The lower 29 bits of
 * write_at and read_at: where in the launch, while it runs; the upper 3 of read_at: how far apart its readers are. */
typedef struct jt_cell {
    uint32_t write, read, write_at, read_at;
} jt_cell;

typedef enum jt_home { JT_ON_DEVICE, JT_PINNED, JT_SHARED } jt_home;

typedef struct jt_block {
    unsigned char *base;
    size_t bytes;
    jt_home home;
    bool live, open;
    int device;
    int64_t id;
    jt_cell *cells; /* one for each 1 << shift bytes */
    unsigned shift;
    size_t cell_bytes; /* mapped */
} jt_block;

jt_block *jt_block_at(const void *ptr);           /* the one whose pages hold it, released or not; or NULL */
jt_home jt_home_of(const void *ptr, bool *known); /* known: device or pinned */
bool jt_is_device(const void *ptr);
bool jt_is_pinned(const void *ptr);
void jt_place_text(const jt_block *block, const void *ptr, size_t bytes, char text[128]);
void jt_block_open(jt_block *block); /* may be read and written, until jt_memory_close */
void jt_memory_close(void);          /* device memory is protected: the program runs */
void jt_memory_close_small(void);    /* between two operations */
void jt_memory_reset(void);
int64_t jt_memory_leaks(void);
void jt_memory_note_touch(void); /* a finding where the host touched device memory */

void jt_cells_create(jt_block *block, unsigned shift);
void jt_cells_destroy(jt_block *block);
void jt_shadow_reset(void);
void jt_shadow_begin(void); /* of an operation */

/* An access by an operation (context NULL: as one thread). Whether it lies in one live block; jt_reach opens it too. */
bool jt_touch(const jt_op *op, jt_kernel_context *context, const void *ptr, size_t bytes, bool write);
bool jt_reach(const jt_op *op, jt_kernel_context *context, const void *ptr, size_t bytes, bool write);
jt_op jt_host_op(void); /* the host, now; its clock is borrowed */

/* ---- streams and graphs ------------------------------------------------------------------------------------------ */

uint32_t jt_serial(jt_type type, int kernel, int32_t lane, int stream, int64_t node);
jt_stream *jt_stream_of(jc_gpu_stream stream); /* NULL: not one, or destroyed (a finding) */
jt_event *jt_event_of(jc_gpu_event event);
int jt_submit(jc_gpu_stream stream, jt_work *work); /* queues or captures; takes `staged` */
jt_op *jt_queue(jt_stream *s, jt_op *op);           /* op: copied to the heap */
void jt_queue_wait(jt_stream *s, jt_stream *on, int64_t count, const jt_clock *clock);
void jt_before_queueing(jt_stream *s);        /* the legacy stream and blocking ones wait for each other */
int jt_wait_for(jt_stream *s, int64_t count); /* runs; the asynchronous error, if one surfaces */
int jt_wait_for_all(void);
void jt_streams_reset(void);
int64_t jt_stream_leaks(void);
void jt_release_orders_host(void);
void jt_legacy_create(void);

void jt_execute(jt_op *op);
void jt_work_free(jt_work *work);
void jt_product_execute(const jt_op *op);

int jt_capture_add(jt_stream *s, jt_work *work);
int jt_capture_wait(jt_stream *s, jt_event *event);
int jt_capture_record(jt_stream *s, jt_event *event);
bool jt_capture_here(void); /* this thread captures */
void jt_capture_break(jt_capture *capture);
void jt_capture_break_here(void);
bool jt_capture_of_blocking(jt_capture **capture);
void jt_capture_detach(jt_stream *s);
void jt_frontier_free(jt_frontier *frontier);
bool jt_graph_step(jt_op *op); /* runs one node; whether the graph is done */
void jt_graph_run_free(jt_graph_run *run);
void jt_graphs_reset(void);
int64_t jt_graph_leaks(void);
void jt_blas_reset(void);
int64_t jt_blas_leaks(void);

/* ---- calls ------------------------------------------------------------------------------------------------------- */

int jt_enter(jt_call call);           /* takes the lock; 0, or the code with which the call fails at once */
int jt_leave(jt_call call, int code); /* gives it back; the code */
void jt_lock(void);
void jt_unlock(void);
void jt_fault_reset(void);
int jt_fault_operation(void); /* code with which the operation that runs now fails, or 0 */
void jt_forbidden_in_run(const char *what);
int *jt_thread_device(void);

__attribute__((format(printf, 2, 3))) void jt_note(jt_kind kind, const char *format, ...);
void jt_op_text(uint32_t serial, char text[128]);
const char *jt_error_text(int code);
const char *jt_blas_error_text(int code);

void *jt_take(void *ptr, size_t bytes); /* realloc that ends the test when memory is short; zero bytes: 1 */
void *jt_take_zero(size_t count, size_t bytes);

typedef struct jt_state {
    bool begun;
    uint64_t generation;
    jt_standin_config config;
    jt_order order;
    jt_rng rng;
    jt_kernels kernels;
    bool have_kernels;

    jt_finding *findings;
    int64_t n_findings, found[JT_KIND_COUNT], in_operation[JT_KIND_COUNT];

    jt_record *records;
    uint32_t n_records, records_capacity;
    int32_t n_lanes;
    jt_clock host;

    jt_stream *streams; /* the legacy stream first */
    jt_event *events;
    int n_streams, n_events, cursor;
    int64_t n_operations;
    int async_error, lost;
    uint32_t running; /* the operation that runs, 0: none */

    jt_standin_memory memory;
    size_t used_bytes[16]; /* of each device */
    bool kernels_loaded, blas_loaded;
} jt_state;

extern jt_state jt_device;

/* The functions of the table, by file. */
int jt_memory_info(size_t *free_bytes, size_t *total_bytes);
int jt_allocate(void **d_ptr, size_t bytes);
int jt_release(void *d_ptr);
int jt_allocate_pinned(void **ptr, size_t bytes);
int jt_release_pinned(void *ptr);
int jt_copy_1d(void *dst, const void *src, size_t bytes, jc_gpu_copy_kind kind, jc_gpu_stream stream);
int jt_copy_2d(void *dst, size_t dst_pitch, const void *src, size_t src_pitch, size_t width, size_t height,
               jc_gpu_copy_kind kind, jc_gpu_stream stream);
int jt_fill_bytes(void *d_ptr, int byte, size_t bytes, jc_gpu_stream stream);
int jt_launch(const jc_gpu_launch *launch, jc_gpu_stream stream);
int jt_stand_in_kernels_load(void);
int jt_stream_create(jc_gpu_stream *stream);
int jt_stream_destroy(jc_gpu_stream stream);
int jt_stream_synchronize(jc_gpu_stream stream);
int jt_stream_wait(jc_gpu_stream stream, jc_gpu_event event);
int jt_event_create(jc_gpu_event *event);
int jt_event_destroy(jc_gpu_event event);
int jt_event_record(jc_gpu_event event, jc_gpu_stream stream);
int jt_event_synchronize(jc_gpu_event event);
int jt_capture_state(jc_gpu_stream stream, bool *capturing);
int jt_capture_begin(jc_gpu_stream stream);
int jt_capture_end(jc_gpu_stream stream, jc_gpu_graph *graph);
int jt_graph_destroy(jc_gpu_graph graph);
int jt_exec_create(jc_gpu_exec *exec, jc_gpu_graph graph);
int jt_exec_update(jc_gpu_exec exec, jc_gpu_graph graph, bool *updated);
int jt_exec_launch(jc_gpu_exec exec, jc_gpu_stream stream);
int jt_exec_destroy(jc_gpu_exec exec);
int jt_last_error(void);
int jt_blas_load(void);
int jt_blas_version(int *version);
int jt_blas_create(jc_gpu_blas *handle);
int jt_blas_destroy(jc_gpu_blas handle);
int jt_blas_save(jc_gpu_blas handle, jc_gpu_blas_state *state);
int jt_blas_restore(jc_gpu_blas handle, const jc_gpu_blas_state *state);
int jt_blas_configure(jc_gpu_blas handle, jc_gpu_stream stream, void *d_workspace, size_t bytes);
int jt_blas_product(jc_gpu_blas handle, const jc_gpu_product *product);

#endif
