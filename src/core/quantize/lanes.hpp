// lanes.hpp — four floats at a time, with results that do not depend on the CPU.
// The vector types are the compiler's own (one SSE2 or NEON register); loops whose clamps it would
// turn into branches are written with them. Sums run in eight lanes, element i in lane i % 8, added
// up in one fixed order: no reassociation and, by -ffp-contract=off, no fused multiply-add.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace vann::quantize {

using Float4 [[gnu::vector_size(16)]] = float;
using Int4 [[gnu::vector_size(16)]] = int32_t;

inline constexpr size_t kLanes = 8;
inline constexpr float kFloatMax = std::numeric_limits<float>::max();

inline Float4 load4(const float *x) noexcept {
  Float4 value;
  std::memcpy(&value, x, sizeof value);
  return value;
}

inline Float4 splat(float value) noexcept { return Float4{value, value, value, value}; }

inline Float4 to_float(Int4 value) noexcept { return __builtin_convertvector(value, Float4); }

inline Int4 truncated(Float4 value) noexcept { return __builtin_convertvector(value, Int4); }

// `low` for NaN, so that whatever arithmetic on extreme input produced becomes a finite number.
// The comparisons are written as the min and max instructions behave.
inline Float4 clamped(Float4 value, float low, float high) noexcept {
  const Float4 raised = value > splat(low) ? value : splat(low);
  return raised < splat(high) ? raised : splat(high);
}

constexpr float clamped(float value, float low, float high) noexcept {
  const float raised = value > low ? value : low;
  return raised < high ? raised : high;
}

inline Float4 magnitude(Float4 value) noexcept {
  const Int4 mask = {0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff};
  return std::bit_cast<Float4>(std::bit_cast<Int4>(value) & mask);
}

// Eight running sums.
struct LaneSum {
  Float4 low = {};
  Float4 high = {};

  // Adds four values to lanes 0..3 (half 0) or 4..7 (half 1).
  void add(size_t half, Float4 value) noexcept { (half == 0 ? low : high) += value; }

  float total() const noexcept {
    const Float4 four = low + high;
    return (four[0] + four[2]) + (four[1] + four[3]);
  }
};

// Calls visit(values, half, i) for each four values x[i..i+4); the last ones are padded with zeros.
template <class Visit>
inline void for_each_four(const float *x, size_t n, Visit visit) noexcept {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    visit(load4(x + i), size_t{0}, i);
    visit(load4(x + i + 4), size_t{1}, i + 4);
  }
  if (i < n) {
    float tail[kLanes] = {};
    std::copy(x + i, x + n, tail);
    visit(load4(tail), size_t{0}, i);
    visit(load4(tail + 4), size_t{1}, i + 4);
  }
}

// Nearest finite float of a double; 0 for NaN.
inline float to_finite(double value) noexcept {
  if (!(value == value)) {
    return 0.0f;
  }
  return static_cast<float>(
      std::clamp(value, -static_cast<double>(kFloatMax), static_cast<double>(kFloatMax)));
}

// Largest |x|. Magnitudes are compared as integers, which order like the floats: vectorizes without
// -ffast-math. Infinity and NaN count as the largest finite float.
inline float largest_magnitude(const float *x, size_t n) noexcept {
  int32_t largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const int32_t bits = std::bit_cast<int32_t>(x[i]) & 0x7fffffff;
    largest = bits > largest ? bits : largest;
  }
  return std::bit_cast<float>(std::min(largest, std::bit_cast<int32_t>(kFloatMax)));
}

}  // namespace vann::quantize
