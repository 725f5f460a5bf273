#include "plan/view.h"

static const jc_result_kind result_kinds[] = {
    [JC_OUTPUT_VALUE] = JC_RESULT_MATRIX,
    [JC_OUTPUT_ZERO] = JC_RESULT_ZERO,
    [JC_OUTPUT_IDENTITY] = JC_RESULT_IDENTITY,
};

/* In reverse row i of the output is row i of the value, block b its columns from b cols on; forward the value holds the
 * transpose: row j of it is column j of the output, block b its columns from b rows on. */
jc_result jc_output_view(const jc_plan *plan, const jc_output *output, jc_dtype dtype)
{
    jc_result r = {
        .of = output->of,
        .wrt = output->wrt,
        .per_sample = plan->by_sample,
        .blocks = plan->per_sample,
        .rows = output->rows,
        .cols = output->cols,
        .kind = result_kinds[output->kind],
        .dtype = dtype,
    };
    if (output->kind != JC_OUTPUT_VALUE) return r;
    int64_t width = plan->values[output->value].cols;
    r.row_stride = output->transposed ? 1 : width;
    r.col_stride = output->transposed ? width : 1;
    r.block_stride = output->transposed ? output->rows : output->cols;
    return r;
}

int64_t jc_output_value_rows(const jc_output *output)
{
    return output->transposed ? output->cols : output->rows;
}
