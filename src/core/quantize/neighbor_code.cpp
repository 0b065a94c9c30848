// neighbor_code.cpp — codes of neighbors' residuals, and their place in the tiles of 32.
// The kernels sum in a fixed order: factors have the same bits on every CPU.
#include "core/quantize/neighbor_code.hpp"

#include <cmath>
#include <cstring>

#include "core/base/bfloat16.hpp"
#include "core/quantize/lanes.hpp"
#include "core/simd/kernels.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

using simd::kCodeBlock;
using simd::kScanWidth;
using simd::ResidualSums;

// Width of a step of the 2-bit code in units of the root mean square: the best uniform quantizer of
// four levels for Gaussian coordinates (Max 1960).
constexpr double kTwoBitStep = 0.9957;

// Factors stay below the largest bfloat16 (3.39e38), so that rounding never makes them infinite.
constexpr double kFactorMax = 3e38;

// Sums whose squares lie outside are computed again with scaled values.
constexpr float kSmallSquare = 1e-28f;
constexpr float kLargeSquare = 1e28f;

float rounded_factor(double value) noexcept {
  return clamped(to_finite(value), -static_cast<float>(kFactorMax), static_cast<float>(kFactorMax));
}

// 1 / step of the 2-bit code; 0 for a zero residual.
float inverse_step(const float *c, const float *o, size_t coded_dims, float unit) noexcept {
  const float squared = simd::kernels().residual_squared(c, o, coded_dims, unit);
  const double mean = static_cast<double>(squared) / static_cast<double>(coded_dims);
  return mean > 0.0 ? to_finite(1.0 / (kTwoBitStep * std::sqrt(mean))) : 0.0f;
}

ResidualSums encode_scaled(const float *c, const float *o, size_t dims, size_t coded_dims,
                           uint32_t bits, float unit, uint8_t *code) noexcept {
  const simd::Kernels &kernels = simd::kernels();
  if (bits == 1) {
    return kernels.encode_residual_u1(c, o, dims, coded_dims, unit, 0.0f, code);
  }
  const float inverse = inverse_step(c, o, coded_dims, unit);
  return kernels.encode_residual_u2(c, o, dims, coded_dims, unit, inverse, code);
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
