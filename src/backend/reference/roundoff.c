#include "backend/reference/roundoff.h"

#include <math.h>

#include "core/dtype.h"
#include "core/size.h"

jc_roundoff jc_roundoff_of(jc_precision precision)
{
    switch (precision) {
    case JC_PRECISION_F32:
        return (jc_roundoff){0x1p-24, 0, 0x1p-149};
    case JC_PRECISION_TF32:
        return (jc_roundoff){0x1p-24, 0x1p-11, 0x1p-149};
    case JC_PRECISION_BF16:
        return (jc_roundoff){0x1p-24, 0x1p-8, 0x1p-149};
    default:
        return (jc_roundoff){0x1p-53, 0, 0x1p-1074};
    }
}

double jc_gamma(double n, double u)
{
    return n * u < 1 ? n * u / (1 - n * u) : INFINITY;
}

/* (1 + gamma_n(sum)) (1 + gamma_2p(operand)) - 1: each product rounds two operands, low_rank has two products in a
 * step. */
double jc_roundoff_bound(const jc_roundoff *roundoff, double n, double products)
{
    double sums = jc_gamma(n, roundoff->sum), operands = jc_gamma(4 * products, roundoff->operand);
    return sums + operands + sums * operands;
}

int64_t jc_step_roundings(const jc_group *group, bool identity, bool transpose)
{
    jc_kind kind = group->shape.kind;
    if (identity && kind != JC_LOW_RANK && kind != JC_OPERATOR) return 1;
    return jc_group_terms(group, transpose ? JC_TANGENT : JC_ADJOINT);
}

/* The largest |v| (|u|) of the factor that is multiplied last. */
double jc_step_growth(const jc_jac *jac, bool transpose)
{
    const jc_shape *shape = &jac->group->shape;
    double most = 1;
    if (shape->kind != JC_LOW_RANK) return most;
    int last = jc_shape_direction(shape, transpose ? JC_TANGENT : JC_ADJOINT) == JC_ADJOINT ? 1 : 0;
    for (int64_t i = 0; i < jac->group->field[last].elements; i++)
        most = fmax(most, fabs(jc_load_float(jac->dtype[last], jac->data[last], i)));
    return most;
}
