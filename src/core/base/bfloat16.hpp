// bfloat16.hpp — the upper half of a float: its range, 8 bits of precision (relative error 2^-8).
// Edge factors use it because raw vectors may have any magnitude, which IEEE half would overflow.
#pragma once

#include <bit>
#include <cstdint>

namespace vann {

using bfloat16 = uint16_t;

// Rounds to nearest even. Finite input beyond the largest bfloat16 becomes infinity; NaN is not
// expected.
constexpr bfloat16 to_bfloat16(float value) noexcept {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<bfloat16>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

constexpr float from_bfloat16(bfloat16 value) noexcept {
  return std::bit_cast<float>(static_cast<uint32_t>(value) << 16);
}

}  // namespace vann
