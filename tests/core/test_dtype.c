/* Reading one number of each floating type: all of the 16-bit ones, at odd addresses. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/dtype.h"
#include "support/floats.h"

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && !signbit(a) == !signbit(b);
}

Test(dtype, every_f16_is_read_exactly)
{
    unsigned char at[3];
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        at[1] = (unsigned char)bits, at[2] = (unsigned char)(bits >> 8);
        double value = jc_load_float(JC_F16, at + 1, 0);
        cr_assert(same(value, jt_float_of_f16(bits)), "%04x is %a, expected %a", bits, value, jt_float_of_f16(bits));
    }
    cr_assert_eq(jc_float_of_f16(0x3c00), 1.0f); /* numbers of the standard's own tables */
    cr_assert_eq(jc_float_of_f16(0x0001), 0x1p-24f);
    cr_assert_eq(jc_float_of_f16(0x03ff), 0x1.ff8p-15f);
    cr_assert_eq(jc_float_of_f16(0xfbff), -65504.0f);
}

Test(dtype, every_bf16_is_the_upper_half_of_an_f32)
{
    unsigned char at[5];
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        float wide;
        uint32_t as_wide = bits << 16;
        memcpy(&wide, &as_wide, 4);
        at[3] = (unsigned char)bits, at[4] = (unsigned char)(bits >> 8);
        cr_assert(same(jc_load_float(JC_BF16, at + 1, 1), wide), "%04x", bits);
    }
}

/* What the tests write is what the library reads, for every value, and rounding goes to the nearer neighbour. */
Test(dtype, the_writer_of_the_tests_is_the_reader_s_inverse)
{
    for (int type = 0; type < 4; type++)
        for (unsigned bits = 0; bits < 0x7c00; bits++) {
            jc_dtype dtype = jt_float_type(type);
            double value = jt_float_of_f16(bits), next = jt_float_of_f16(bits + 1), back[2];
            if (dtype == JC_BF16) value = ldexp(value, 10); /* many that BF16 has, and many that it has not */
            unsigned char bytes[32];
            jt_float_put(bytes + 1, 0, dtype, value);
            jt_float_put(bytes + 1, 1, dtype, -value);
            back[0] = jc_load_float(dtype, bytes + 1, 0), back[1] = jc_load_float(dtype, bytes + 1, 1);
            cr_assert(same(back[0], jt_float_round(value, dtype)) && same(back[1], -back[0]), "%a", value);
            if (dtype != JC_BF16) cr_assert_eq(back[0], value);
            if (dtype == JC_BF16) cr_assert_leq(fabs(back[0] - value), 0x1p-8 * value);
            if (dtype != JC_F16 || bits + 1 == 0x7c00) continue;
            cr_assert_eq(jt_float_round(value + (next - value) * 0.25, dtype), value);
            cr_assert_eq(jt_float_round(value + (next - value) * 0.75, dtype), next);
            cr_assert_eq(jt_float_round((value + next) / 2, dtype), bits % 2 ? next : value);
        }
}
