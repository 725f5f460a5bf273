/* Numbers: rounding to fewer bits, conversions between types, the arithmetic of a kernel, small helpers. Included by
 * device.h, whose functions these are made of. */
#ifndef JC_KERNELS_NUMBERS_H
#define JC_KERNELS_NUMBERS_H

#include "kernels/device.h"

namespace jc
{

JC_DEVICE bool f32_is_nan(uint32_t bits)
{
    return (bits & 0x7fffffffu) > 0x7f800000u;
}

/* x to 24 - drop significant bits, nearest even; carries into the exponent, to infinity at the end. NaN stays NaN. */
JC_DEVICE float f32_rounded(float x, int drop)
{
    uint32_t bits = f32_bits(x), last = 1u << drop;
    uint32_t up = bits + (last / 2 - 1) + ((bits >> drop) & 1u);
    return f32_is_nan(bits) ? x : f32_of_bits(up & ~(last - 1));
}

/* x to f32 such that rounding the result to fewer bits is rounding x: towards zero, the last bit set where inexact
 * (Boldo & Melquiond, Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd, 2008). */
JC_DEVICE float f64_to_f32_odd(double x)
{
    float down = f64_to_f32_down(x);
    return (double)down == x || x != x ? down : f32_of_bits(f32_bits(down) | 1u);
}

template <class To> struct to; /* to<To>::from(x): to nearest even */

template <> struct to<double> {
    static JC_DEVICE double from(double x)
    {
        return x;
    }
    static JC_DEVICE double from(float x)
    {
        return x;
    }
    static JC_DEVICE double from(bf16 x)
    {
        return f32_of_bits((uint32_t)x.bits << 16);
    }
    static JC_DEVICE double from(f16 x)
    {
        return f16_to_f32(x);
    }
};

template <> struct to<float> {
    static JC_DEVICE float from(double x)
    {
        return (float)x;
    }
    static JC_DEVICE float from(float x)
    {
        return x;
    }
    static JC_DEVICE float from(bf16 x)
    {
        return f32_of_bits((uint32_t)x.bits << 16);
    }
    static JC_DEVICE float from(f16 x)
    {
        return f16_to_f32(x);
    }
};

template <> struct to<bf16> {
    static JC_DEVICE bf16 from(float x)
    {
        uint32_t bits = f32_bits(f32_rounded(x, 16));
        bf16 y = {(uint16_t)(f32_is_nan(bits) ? (bits >> 16) | 0x40u : bits >> 16)};
        return y;
    }
    static JC_DEVICE bf16 from(double x)
    {
        return from(f64_to_f32_odd(x));
    }
};

template <> struct to<f16> {
    static JC_DEVICE f16 from(float x)
    {
        return f32_to_f16(x);
    }
    static JC_DEVICE f16 from(double x)
    {
        return f32_to_f16(f64_to_f32_odd(x));
    }
};

/* The type in which two are added: f64 where one of them is, else f32. */
template <class A, class B> struct wider {
    typedef float type;
};

template <class A> struct wider<A, double> {
    typedef double type;
};

template <class B> struct wider<double, B> {
    typedef double type;
};

template <> struct wider<double, double> {
    typedef double type;
};

template <class N> struct number_type {
    typedef N type;
};

/* visit(number_type<N>()) for the N that the dtype names. */
template <class Visit> JC_DEVICE void with_number(int dtype, Visit visit)
{
    switch (dtype) {
    case JC_GPU_F64:
        visit(number_type<double>());
        break;
    case JC_GPU_F32:
        visit(number_type<float>());
        break;
    case JC_GPU_BF16:
        visit(number_type<bf16>());
        break;
    default:
        visit(number_type<f16>());
        break;
    }
}

/* The arithmetic of a kernel: the type of sums, and what is done to the operands of dense and weight products. */
struct in_f64 {
    typedef double real;
    static JC_DEVICE double operand(double x, int)
    {
        return x;
    }
};

struct in_f32 {
    typedef float real;
    static JC_DEVICE float operand(float x, int)
    {
        return x;
    }
};

struct in_f32_rounded {
    typedef float real;
    static JC_DEVICE float operand(float x, int drop)
    {
        return f32_rounded(x, drop);
    }
};

/* Bits of an f32 that a mode drops from operands. */
JC_DEVICE int mode_drop(int mode)
{
    return mode == JC_GPU_ROUND_TF32 ? 13 : 16;
}

JC_DEVICE int64_t min_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

JC_DEVICE int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

JC_DEVICE bool fits_32(int64_t a)
{
    return (uint64_t)a <= 0xffffffffu;
}

/* a / b of numbers >= 0: 64-bit division is a subroutine of some hundred instructions. */
JC_DEVICE int64_t quotient(int64_t a, int64_t b)
{
    return fits_32(a) && fits_32(b) ? (int64_t)((uint32_t)a / (uint32_t)b) : a / b;
}

/* Blocks of a grid whose threads go from piece to piece: enough to fill the device four times, so that pieces of
 * different length even out, and no more than there is work. */
inline int persistent_blocks(int64_t wanted, int resident, int64_t *blocks)
{
    int count;
    int error = multiprocessors(&count);
    if (error) return error;
    const int64_t most = (int64_t)count * resident * 4;
    *blocks = wanted < most ? wanted : most;
    return 0;
}

} // namespace jc

#endif
