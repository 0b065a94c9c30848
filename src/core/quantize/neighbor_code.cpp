// neighbor_code.cpp — codes of neighbors' residuals, and their place in the tiles of 32.
// Sums are taken in lanes.hpp's fixed order: factors have the same bits on every CPU.
#include "core/quantize/neighbor_code.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/bfloat16.hpp"
#include "core/quantize/lanes.hpp"
#include "core/quantize/planes.hpp"
#include "core/simd/kernels.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

using simd::kCodeBlock;
using simd::kScanWidth;

// Width of a step of the 2-bit code in units of the root mean square: the best uniform quantizer of
// four levels for Gaussian coordinates (Max 1960).
constexpr double kTwoBitStep = 0.9957;

// Factors stay below the largest bfloat16 (3.39e38), so that rounding never makes them infinite.
constexpr double kFactorMax = 3e38;

// Sums whose squares lie outside are computed again with scaled values.
constexpr float kSmallSquare = 1e-28f;
constexpr float kLargeSquare = 1e28f;

// Sums over residual r = unit * (o - c), levels s and parent p = unit * c. <r, r> and <r, p> cover
// all dimensions, <s, r> and <s, p> the coded ones.
struct ResidualSums {
  float squared;          // <r, r>
  float level_residual;   // <s, r>
  float level_parent;     // <s, p>
  float residual_parent;  // <r, p>
};

struct ResidualLanes {
  LaneSum squared;
  LaneSum level_residual;
  LaneSum level_parent;
  LaneSum residual_parent;

  ResidualSums totals() const noexcept {
    return {squared.total(), level_residual.total(), level_parent.total(), residual_parent.total()};
  }
};

float rounded_factor(double value) noexcept {
  return clamped(to_finite(value), -static_cast<float>(kFactorMax), static_cast<float>(kFactorMax));
}

// Digits of four dimensions; `inverse` is 1 / step, of which the 1-bit code has no need.
template <uint32_t bits>
inline Int4 digits_of(Float4 r, float inverse) noexcept {
  if constexpr (bits == 1) {
    return (r >= splat(0.0f)) & Int4{1, 1, 1, 1};
  } else {
    return truncated(clamped(r * splat(inverse) + splat(2.0f), 0.0f, 3.5f));
  }
}

// One block of 64 coded dimensions.
template <uint32_t bits>
void encode_block(const float *c, const float *o, float unit, float inverse, DigitBlock &digits,
                  ResidualLanes *lanes) noexcept {
  constexpr float kHalf = 0.5f * ((1u << bits) - 1);
  int32_t wide[kCodeBlock];
  for (size_t i = 0; i < kCodeBlock; i += 4) {
    const size_t half = i / 4 % 2;
    const Float4 p = load4(c + i) * splat(unit);
    const Float4 r = load4(o + i) * splat(unit) - p;
    const Int4 digit = digits_of<bits>(r, inverse);
    const Float4 s = to_float(digit) - splat(kHalf);
    std::memcpy(wide + i, &digit, sizeof digit);
    lanes->squared.add(half, r * r);
    lanes->level_residual.add(half, s * r);
    lanes->level_parent.add(half, s * p);
    lanes->residual_parent.add(half, r * p);
  }
  for (size_t i = 0; i < kCodeBlock; ++i) {
    digits[i] = static_cast<uint8_t>(wide[i]);
  }
}

// Dimensions beyond the coded prefix.
void add_uncoded(const float *c, const float *o, size_t n, float unit,
                 ResidualSums *sums) noexcept {
  LaneSum squared;
  LaneSum residual_parent;
  for_each_four(c, n, [&](Float4 parent, size_t half, size_t i) {
    float tail[4] = {};
    std::copy(o + std::min(i, n), o + std::min(i + 4, n), tail);
    const Float4 p = parent * splat(unit);
    const Float4 r = load4(tail) * splat(unit) - p;
    squared.add(half, r * r);
    residual_parent.add(half, r * p);
  });
  sums->squared += squared.total();
  sums->residual_parent += residual_parent.total();
}

template <uint32_t bits>
ResidualSums encode_residual(const float *c, const float *o, size_t dims, size_t coded_dims,
                             float unit, float inverse, uint8_t *code) noexcept {
  ResidualLanes lanes;
  for (size_t i = 0; i < coded_dims; i += kCodeBlock) {
    DigitBlock digits;
    encode_block<bits>(c + i, o + i, unit, inverse, digits, &lanes);
    for (uint32_t plane = 0; plane < bits; ++plane) {
      pack_bits(digits, bits - 1 - plane, code + (plane * coded_dims + i) / 8);
    }
  }
  ResidualSums sums = lanes.totals();
  if (coded_dims < dims) {
    add_uncoded(c + coded_dims, o + coded_dims, dims - coded_dims, unit, &sums);
  }
  return sums;
}

// 1 / step of the 2-bit code; 0 for a zero residual.
float inverse_step(const float *c, const float *o, size_t coded_dims, float unit) noexcept {
  LaneSum squares;
  for (size_t i = 0; i < coded_dims; i += 4) {
    const Float4 r = load4(o + i) * splat(unit) - load4(c + i) * splat(unit);
    squares.add(i / 4 % 2, r * r);
  }
  const double mean = static_cast<double>(squares.total()) / static_cast<double>(coded_dims);
  return mean > 0.0 ? to_finite(1.0 / (kTwoBitStep * std::sqrt(mean))) : 0.0f;
}

ResidualSums encode_scaled(const float *c, const float *o, size_t dims, size_t coded_dims,
                           uint32_t bits, float unit, uint8_t *code) noexcept {
  if (bits == 1) {
    return encode_residual<1>(c, o, dims, coded_dims, unit, 0.0f, code);
  }
  const float inverse = inverse_step(c, o, coded_dims, unit);
  return encode_residual<2>(c, o, dims, coded_dims, unit, inverse, code);
}

// A power of two that brings the largest residual to about 1; 0 for a zero residual.
float residual_unit(const float *c, const float *o, size_t dims) noexcept {
  float largest = 0.0f;
  for (size_t i = 0; i < dims; ++i) {
    const float half = std::fabs(0.5f * o[i] - 0.5f * c[i]);
    largest = half > largest ? half : largest;
  }
  return largest > 0x1p-126f ? 0.5f / std::ldexp(1.0f, std::ilogb(largest)) : 0.0f;
}

NeighborFactors make_factors(const ResidualSums &sums, float unit, Geometry geometry) noexcept {
  const double squared = sums.squared;
  const double inverse = 1.0 / static_cast<double>(unit);
  const double level_residual = sums.level_residual;
  const double exact = level_residual > 0.0 ? squared / level_residual * inverse : 0.0;
  NeighborFactors factors;
  factors.scale = from_bfloat16(to_bfloat16(rounded_factor(exact)));
  factors.residual_squared = rounded_factor(squared * inverse * inverse);
  // <s, c> enters with the scale that readers will multiply <s, q> by: the two cancel where q is c.
  const double level_parent = static_cast<double>(factors.scale) * sums.level_parent * inverse;
  const double offset =
      geometry == Geometry::kL2
          ? squared * inverse * inverse + 2.0 * level_parent
          : level_parent - static_cast<double>(sums.residual_parent) * inverse * inverse;
  factors.offset = rounded_factor(offset);
  return factors;
}

}  // namespace

NeighborFactors encode_neighbor(const float *c, const float *o, size_t dims, size_t coded_dims,
                                uint32_t bits, Geometry geometry, uint8_t *code) noexcept {
  float unit = 1.0f;
  ResidualSums sums = encode_scaled(c, o, dims, coded_dims, bits, unit, code);
  if (!(sums.squared > kSmallSquare && sums.squared < kLargeSquare)) {
    unit = residual_unit(c, o, dims);
    if (unit == 0.0f) {
      std::memset(code, 0, neighbor_code_bytes(coded_dims, bits));
      return {0.0f, 0.0f, 0.0f};
    }
    sums = encode_scaled(c, o, dims, coded_dims, bits, unit, code);
  }
  return make_factors(sums, unit, geometry);
}

void store_tile(uint8_t *tiles, size_t slot, const uint8_t *code, size_t coded_dims,
                uint32_t bits) noexcept {
  for (size_t group = 0; group < coded_dims / kCodeBlock * bits; ++group) {
    std::memcpy(tiles + (group * kScanWidth + slot) * 8, code + group * 8, 8);
  }
}

void load_tile(const uint8_t *tiles, size_t slot, uint8_t *code, size_t coded_dims,
               uint32_t bits) noexcept {
  for (size_t group = 0; group < coded_dims / kCodeBlock * bits; ++group) {
    std::memcpy(code + group * 8, tiles + (group * kScanWidth + slot) * 8, 8);
  }
}

}  // namespace vann::quantize
