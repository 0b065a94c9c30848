// rotation.hpp — a seeded random rotation in O(D log D): sign flips and Hadamard transforms.
// Each of four rounds flips signs and transforms the first (even rounds) or last (odd rounds) 2^k
// coordinates, 2^k being the largest power of two that fits; where that is not all of them, each
// odd round ends by mixing the two halves by a Givens rotation of pi/4. Same bits on every CPU. See
// README.md, "Rotation".
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/simd/kernels.hpp"

namespace vann::quantize {

inline constexpr uint32_t kRotationRounds = 4;

// Number of 64-bit words of sign bits for `dims` coordinates.
constexpr size_t rotation_words(uint32_t dims) noexcept {
  return static_cast<size_t>(kRotationRounds) * ((dims + 63) / 64);
}

// A view: owns nothing, trivially destructible (it may live in a backend's frame).
struct Rotation {
  uint32_t dims;          // coordinates in and out, multiple of 16
  const uint64_t *signs;  // [kRotationRounds][(dims + 63) / 64], bit set = flip

  // Rotates x[0..dims) in place; norms are preserved up to rounding. The second form uses the given
  // kernels rather than the CPU's best; the result has the same bits.
  void apply(float *x) const noexcept;
  void apply(float *x, const simd::Kernels &kernels) const noexcept;
};

// Fills `signs` (rotation_words(dims) words) from the seed.
void make_rotation_signs(uint64_t seed, uint32_t dims, uint64_t *signs) noexcept;

}  // namespace vann::quantize
