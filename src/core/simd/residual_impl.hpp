// residual_impl.hpp — the encoding of residuals, written once and instantiated by every
// kernels_<isa>.cpp with a policy class of its own (as kernels_impl.hpp's are).
//
// A policy R (in an unnamed namespace) provides:
//   Floats, Ints    the compiler's vectors of R::kWidth floats or int32s; 4 or 8
//   signs(x)        bit i is the sign of lane i of x
//   max, min(x, y)  x > y ? x : y and x < y ? x : y: y where either is NaN
//   load_i8(p)      kWidth values as floats (for decode_i8)
// Sums run in eight lanes, dimension i in lane i % 8, in one register or in two, added up in one
// fixed order; multiplications and additions are not fused. So they have the same bits everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/simd/kernels.hpp"

namespace vann::simd {

inline constexpr size_t kSumLanes = 8;

template <class R>
typename R::Floats load_floats(const float *x) noexcept {
  typename R::Floats value;
  __builtin_memcpy(&value, x, sizeof value);
  return value;
}

template <class R>
struct LaneSum {
  typename R::Floats part[kSumLanes / R::kWidth] = {};

  float total() const noexcept {
    if constexpr (R::kWidth == kSumLanes) {
      return total_of(__builtin_shufflevector(part[0], part[0], 0, 1, 2, 3) +
                      __builtin_shufflevector(part[0], part[0], 4, 5, 6, 7));
    } else {
      return total_of(part[0] + part[1]);
    }
  }

 private:
  template <class Float4>
  static float total_of(Float4 four) noexcept {
    return (four[0] + four[2]) + (four[1] + four[3]);
  }
};

template <class R>
struct ResidualLanes {
  LaneSum<R> squared;
  LaneSum<R> level_residual;
  LaneSum<R> level_parent;
  LaneSum<R> residual_parent;
};

// unit * parent, and unit * neighbor less that, of kWidth dimensions.
template <class R>
struct ScaledPair {
  typename R::Floats parent;
  typename R::Floats residual;

  ScaledPair(const float *c, const float *o, float unit) noexcept
      : parent(load_floats<R>(c) * unit), residual(load_floats<R>(o) * unit - parent) {}
};

template <class R>
float residual_squared(const float *c, const float *o, size_t n, float unit) noexcept {
  LaneSum<R> squares;
  for (size_t i = 0; i < n; i += kSumLanes) {
#pragma GCC unroll 2
    for (size_t k = 0; k < kSumLanes / R::kWidth; ++k) {
      const ScaledPair<R> x(c + i + k * R::kWidth, o + i + k * R::kWidth, unit);
      squares.part[k] += x.residual * x.residual;
    }
  }
  return squares.total();
}

// Digits of kWidth dimensions; the clamp makes 0 of NaN.
template <class R, uint32_t bits>
typename R::Ints residual_digits(typename R::Floats r, float inverse) noexcept {
  using Floats = typename R::Floats;
  if constexpr (bits == 1) {
    return (r >= Floats{}) & 1;
  } else {
    const Floats raised = R::max(r * inverse + 2.0f, Floats{});
    return __builtin_convertvector(R::min(raised, Floats{} + 3.5f), typename R::Ints);
  }
}

// Eight dimensions: one byte of each plane, high plane first, planes `plane_bytes` apart.
template <class R, uint32_t bits>
void encode_eight(const float *c, const float *o, float unit, float inverse, uint8_t *code,
                  size_t plane_bytes, ResidualLanes<R> *lanes) noexcept {
  constexpr float kHalf = 0.5f * ((1u << bits) - 1);
  uint32_t planes[bits] = {};
#pragma GCC unroll 2
  for (size_t k = 0; k < kSumLanes / R::kWidth; ++k) {
    const ScaledPair<R> x(c + k * R::kWidth, o + k * R::kWidth, unit);
    const auto digits = residual_digits<R, bits>(x.residual, inverse);
    const auto s = __builtin_convertvector(digits, typename R::Floats) - kHalf;
    lanes->squared.part[k] += x.residual * x.residual;
    lanes->level_residual.part[k] += s * x.residual;
    lanes->level_parent.part[k] += s * x.parent;
    lanes->residual_parent.part[k] += x.residual * x.parent;
    for (uint32_t plane = 0; plane < bits; ++plane) {
      planes[plane] |= R::signs(digits << (32 - bits + plane)) << (k * R::kWidth);
    }
  }
  for (uint32_t plane = 0; plane < bits; ++plane) {
    code[plane * plane_bytes] = static_cast<uint8_t>(planes[plane]);
  }
}

// Dimensions beyond the coded prefix; the last eight are filled up with zeros.
template <class R>
void add_uncoded(const float *c, const float *o, size_t n, float unit,
                 ResidualSums *sums) noexcept {
  LaneSum<R> squared;
  LaneSum<R> residual_parent;
  for (size_t i = 0; i < n; i += kSumLanes) {
    float last_c[kSumLanes] = {}, last_o[kSumLanes] = {};
    const bool whole = i + kSumLanes <= n;
    if (!whole) {
      __builtin_memcpy(last_c, c + i, (n - i) * sizeof(*c));
      __builtin_memcpy(last_o, o + i, (n - i) * sizeof(*o));
    }
    const float *eight_c = whole ? c + i : last_c, *eight_o = whole ? o + i : last_o;
#pragma GCC unroll 2
    for (size_t k = 0; k < kSumLanes / R::kWidth; ++k) {
      const ScaledPair<R> x(eight_c + k * R::kWidth, eight_o + k * R::kWidth, unit);
      squared.part[k] += x.residual * x.residual;
      residual_parent.part[k] += x.residual * x.parent;
    }
  }
  sums->squared += squared.total();
  sums->residual_parent += residual_parent.total();
}

template <class R, uint32_t bits>
ResidualSums encode_residual(const float *c, const float *o, size_t dims, size_t coded_dims,
                             float unit, float inverse, uint8_t *code) noexcept {
  ResidualLanes<R> lanes;
  for (size_t i = 0; i < coded_dims; i += kSumLanes) {
    encode_eight<R, bits>(c + i, o + i, unit, inverse, code + i / 8, coded_dims / 8, &lanes);
  }
  ResidualSums sums = {lanes.squared.total(), lanes.level_residual.total(),
                       lanes.level_parent.total(), lanes.residual_parent.total()};
  if (coded_dims < dims) {
    add_uncoded<R>(c + coded_dims, o + coded_dims, dims - coded_dims, unit, &sums);
  }
  return sums;
}

template <class R>
void decode_part(const int8_t *values, float delta, float *out) noexcept {
  const typename R::Floats decoded = (R::load_i8(values) + 0.5f) * delta;
  __builtin_memcpy(out, &decoded, sizeof decoded);
}

// The last register overlaps the one before it.
template <class R>
void decode_i8(const int8_t *values, float delta, size_t n, float *out) noexcept {
  constexpr size_t kWidth = R::kWidth;
  if (n < kWidth) {
    for (size_t i = 0; i < n; ++i) out[i] = delta * (static_cast<float>(values[i]) + 0.5f);
    return;
  }
#pragma GCC unroll 4
  for (size_t i = 0; i + kWidth <= n; i += kWidth) decode_part<R>(values + i, delta, out + i);
  decode_part<R>(values + n - kWidth, delta, out + n - kWidth);
}

}  // namespace vann::simd
