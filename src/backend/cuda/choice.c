/* Which routine forms a product. Every crossover is a row of one table with the device it was measured on; where that
 * says "estimate" it follows from the figures beside it and waits for a measurement. */
#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/size.h"

const jc_cuda_crossover jc_cuda_crossovers[JC_CUDA_CROSSOVERS] = {
    [JC_CUDA_GEMV_BYTES] = {"a gather and gemv: bytes of one dense Jacobian, one row",
                            "estimate: a gemv of its own is a node (1 us), in which a device reads 4 MB", 4 << 20},
    [JC_CUDA_GEMM_WORK] = {"a gather and gemm: multiply-adds of a dense product of several rows",
                           "estimate: a gemm of its own fills the device from about 256 x 256 x 64 on", 1 << 22},
    [JC_CUDA_CONVERTED_ROWS] = {"a gather and gemm of converted numbers: rows that use what was converted, at least",
                                "estimate: converting reads and writes D once more, a gather once for 32 rows", 64},
    [JC_CUDA_WEIGHT_WORK] = {"a gather and gemm: multiply-adds of a weight product",
                             "estimate: a gather reads an operand again for each row of the other", 1 << 18},
    [JC_CUDA_BATCHED_WORK] = {"a batched call and calls of their own: multiply-adds of one product",
                              "estimate: 512^3; larger products fill the device alone", 1 << 27},
    [JC_CUDA_WIDE_TILE_BYTES] = {"one warp and eight for the tile of a row: bytes that the tile reads",
                                 "estimate: eight warps have 32 KB in flight", 16 << 10},
    [JC_CUDA_PART_BYTES] = {"a sum in one tile and in parts: bytes that a tile reads, at least",
                            "estimate: a part costs a row of the destination more, written and read", 256 << 10},
    [JC_CUDA_WALK_BYTES] = {"a gather in a walk and one of its own: bytes that it reads, cluster of eight blocks",
                            "estimate: 1 us of a node at the 0.8 TB/s that eight multiprocessors read", 768 << 10},
    [JC_CUDA_WALK_BLOCK_BYTES] = {"the same, one block", "estimate: 1 us at the 0.1 TB/s of one multiprocessor",
                                  96 << 10},
    [JC_CUDA_WALK_TILES] = {"the same: tiles of a gather, at most", "estimate: four for each warp of a cluster", 256},
    [JC_CUDA_WALK_PHASES] = {"a walk and launches: gathers one after the other, at least",
                             "estimate: the walk's own start", 4},
};

static bool at_least(const jc_program *program, int64_t n, int crossover)
{
    const jc_cuda_program *impl = program->impl;
    return n >= impl->crossover[crossover];
}

/* Rows that meet the same numbers: blocks of a batch that share them are rows too where inner is 1. */
static int64_t rows_of(const jc_cuda_operand *o, int64_t rows)
{
    return o->block_stride || o->inner > 1 ? rows : jc_cost_mul(rows, o->batch);
}

/* Whether cuBLAS takes the numbers as they lie. It has no gemv of 16-bit ones. */
static bool fits_blas(const jc_program *program, const jc_cuda_operand *o, bool vector)
{
    jc_dtype in = program->precision == JC_PRECISION_BF16 ? JC_BF16 : program->dtype;
    return o->as_given && o->dtype == in && !(vector && in == JC_BF16);
}

/* Converting pays where many rows use what was converted. */
static jc_cuda_route dense_route(const jc_program *program, const jc_cuda_operand *o, int64_t rows)
{
    enum { LEAST_BLOCK = 8 };
    int64_t shared = rows_of(o, rows), all = jc_cost_mul(jc_cost_mul(rows, o->batch), o->inner);
    int64_t work = jc_cost_mul(jc_cost_mul(o->p, o->q), all);
    bool worth = all == 1 ? at_least(program, jc_cuda_operand_bytes(o), JC_CUDA_GEMV_BYTES)
                          : at_least(program, work, JC_CUDA_GEMM_WORK);
    if (worth && (fits_blas(program, o, all == 1) || at_least(program, shared, JC_CUDA_CONVERTED_ROWS)))
        return JC_CUDA_BLAS;
    if (o->inner > 1 || (o->batch > 1 && o->n_out < LEAST_BLOCK)) return JC_CUDA_ANY;
    return rows > 1 ? JC_CUDA_ROWS : JC_CUDA_ROW;
}

static jc_cuda_route weight_route(const jc_program *program, const jc_cuda_operand *o, int64_t rows)
{
    int64_t work = jc_cost_mul(jc_cost_mul(o->p, o->ld), jc_cost_mul(rows, o->batch));
    if (o->inner > 1 || !at_least(program, work, JC_CUDA_WEIGHT_WORK)) return JC_CUDA_ANY;
    return fits_blas(program, o, false) || at_least(program, work, JC_CUDA_GEMM_WORK) ? JC_CUDA_BLAS : JC_CUDA_ANY;
}

jc_cuda_route jc_cuda_route_of(const jc_program *program, const jc_cuda_operand *o, int64_t rows, bool expand)
{
    if (o->kind == JC_OPERATOR) return JC_CUDA_OPERATOR;
    if (expand || o->line) return JC_CUDA_ANY;
    if (o->kind == JC_DENSE) return dense_route(program, o, rows);
    if (o->kind == JC_WEIGHT) return weight_route(program, o, rows);
    return JC_CUDA_ANY;
}

int64_t jc_cuda_sum_length(const jc_cuda_operand *o)
{
    bool adjoint = o->direction == JC_ADJOINT;
    switch (o->kind) {
    case JC_DENSE:
        return o->n_in;
    case JC_LOW_RANK:
        return o->m;
    case JC_WEIGHT:
    case JC_TRACE:
        return adjoint ? o->m : o->ld;
    case JC_TILE:
        return adjoint ? o->m : 1;
    case JC_CSR:
        return jc_max(1, o->m / o->n_out);
    case JC_SELECT:
        return adjoint ? jc_max(1, o->p / o->q) : 1;
    default:
        return 1;
    }
}

/* Neighbouring entries read neighbouring numbers where the sum runs over the rows of D: then a thread each is best. */
static bool sums_down(const jc_cuda_operand *o)
{
    enum { LEAST_COLUMNS = 32 };
    bool down = o->direction == JC_ADJOINT &&
                (o->kind == JC_DENSE || o->kind == JC_WEIGHT || o->kind == JC_TRACE || o->kind == JC_TILE);
    return down && o->n_out * o->inner >= LEAST_COLUMNS;
}

int jc_cuda_lanes_of(const jc_cuda_operand *o)
{
    int64_t length = jc_cuda_sum_length(o);
    if (sums_down(o)) return 1;
    return length >= 64 ? 32 : length >= 8 ? 8 : 1;
}

/* ---- predicted time ---------------------------------------------------------------------------------------------- */

/* Of the sort of device this is for where it does not say: bytes a second, multiply-adds a second and multiprocessor,
 * seconds of a node of a replayed graph, of a phase of a walk, of a call with two copies and a wait; then of a context
 * with everything loaded, and bytes a second over the bus. */
static const double bytes_per_s = 3e12, f32_madds = 1.5e11, f64_madds = 0.8e11, tensor_madds = 2e12;
static const double node_s = 1.3e-6, phase_s = 0.4e-6, walk_bytes_per_s = 8e11, callback_s = 5e-5;
static const double context_s = 0.35, bus_bytes_per_s = 1.2e10;

double jc_cuda_op_seconds(const jc_cuda_program *impl, jc_dtype dtype, const jc_cuda_op *op)
{
    double bytes_s = impl->properties.bytes_per_s > 0 ? impl->properties.bytes_per_s : bytes_per_s;
    double each = impl->mode && op->kind == JC_CUDA_OP_PRODUCT ? tensor_madds : dtype == JC_F64 ? f64_madds : f32_madds;
    double read_s = op->bytes / (0.8 * bytes_s), work_s = op->madds / (each * impl->properties.multiprocessors);
    if (op->kind == JC_CUDA_OP_WALK) return node_s + (double)op->count * phase_s + op->bytes / walk_bytes_per_s;
    return (op->kind == JC_CUDA_OP_CALLBACK ? callback_s : node_s) + (read_s > work_s ? read_s : work_s);
}

double jc_cuda_start_seconds(const jc_cuda_program *impl)
{
    return context_s + (double)(impl->memory.bytes - impl->memory.sources) / bus_bytes_per_s;
}
