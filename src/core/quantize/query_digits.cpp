// query_digits.cpp — digits of a query and its table of subset sums.
#include "core/quantize/query_digits.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/quantize/lanes.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

using simd::kCodeBlock;

constexpr float kTableMax = 255.0f * (1u << simd::kSubsetFraction);

// Keeps 1 / digit_scale finite; a query below it has only zero digits.
constexpr float kSmallestDigitScale = 0x1p-100f;

// Added to a float of magnitude below 2^22, rounds it to the nearest integer, which then stands in
// the low bits of the sum: compilers reach no vector rounding of SSE2 without -ffast-math.
constexpr float kRounder = 0x1.8p23f;

inline Int4 rounded(Float4 value) noexcept {
  return std::bit_cast<Int4>(value + splat(kRounder)) - std::bit_cast<Int4>(splat(kRounder));
}

struct QuerySums {
  float squared;  // <t, t> of the scaled query t = q * inverse
  int32_t digits;
  int32_t fine_digits;
};

int32_t total(Int4 sums) noexcept { return sums[0] + sums[1] + sums[2] + sums[3]; }

void narrow(const int32_t *wide, size_t n, int8_t *digits) noexcept {
  for (size_t i = 0; i < n; ++i) {
    digits[i] = static_cast<int8_t>(wide[i]);
  }
}

// Digits of the query and of what they leave, padded with zeros.
QuerySums encode_digits(const float *q, size_t dims, float inverse, int8_t *digits,
                        int8_t *fine_digits) noexcept {
  LaneSum squares;
  Int4 sums = {};
  Int4 fine_sums = {};
  std::memset(digits, 0, padded_dims(dims));
  std::memset(fine_digits, 0, padded_dims(dims));
  for (size_t first = 0; first < dims; first += kCodeBlock) {
    const size_t n = std::min(kCodeBlock, dims - first);
    int32_t wide[kCodeBlock];
    int32_t fine[kCodeBlock];
    for_each_four(q + first, n, [&](Float4 four, size_t half, size_t i) {
      const Float4 t = clamped(four * splat(inverse), -kDigitMax, kDigitMax);
      const Int4 digit = rounded(t);
      const Int4 rest = rounded((t - to_float(digit)) * splat(kFineSteps));
      std::memcpy(wide + i, &digit, sizeof digit);
      std::memcpy(fine + i, &rest, sizeof rest);
      sums += digit;
      fine_sums += rest;
      squares.add(half, t * t);
    });
    narrow(wide, n, digits + first);
    narrow(fine, n, fine_digits + first);
  }
  return {squares.total(), total(sums), total(fine_sums)};
}

struct PrefixSums {
  float total;      // sum of t
  float magnitude;  // sum of |t|
  float widest;     // largest sum of |t| over four consecutive dimensions
};

// n is a multiple of 64.
PrefixSums prefix_sums(const float *q, size_t n, float inverse) noexcept {
  LaneSum totals;
  LaneSum magnitudes;
  float widest = 0.0f;
  for_each_four(q, n, [&](Float4 four, size_t half, size_t) {
    const Float4 t = clamped(four * splat(inverse), -kDigitMax, kDigitMax);
    const Float4 size = magnitude(t);
    totals.add(half, t);
    magnitudes.add(half, size);
    const float group = (size[0] + size[2]) + (size[1] + size[3]);
    widest = group > widest ? group : widest;
  });
  return {totals.total(), magnitudes.total(), widest};
}

// `gain` takes the scaled query t to fixed-point table units; n is a multiple of 64.
void fill_table(const float *q, size_t n, float inverse, float gain, uint8_t *table) noexcept {
  const simd::Kernels &kernels = simd::kernels();
  for (size_t first = 0; first < n; first += kCodeBlock) {
    int32_t wide[kCodeBlock];
    for (size_t i = 0; i < kCodeBlock; i += 4) {
      const Float4 t = clamped(load4(q + first + i) * splat(inverse), -kDigitMax, kDigitMax);
      const Int4 value = rounded(t * splat(gain));
      std::memcpy(wide + i, &value, sizeof value);
    }
    int16_t values[kCodeBlock];
    for (size_t i = 0; i < kCodeBlock; ++i) {
      values[i] = static_cast<int16_t>(wide[i]);
    }
    kernels.subset_sums(values, kCodeBlock, table + first * 4);
  }
}

}  // namespace

QueryDigits prepare_digits(const float *q, size_t dims, uint8_t *memory) noexcept {
  int8_t *const digits = reinterpret_cast<int8_t *>(memory);
  int8_t *const fine_digits = digits + padded_dims(dims);
  const float largest = largest_magnitude(q, dims);
  const float digit_scale = std::max(largest / kDigitMax, kSmallestDigitScale);
  const QuerySums sums = encode_digits(q, dims, 1.0f / digit_scale, digits, fine_digits);
  const double scale = digit_scale;
  return {to_finite(sums.squared * scale * scale),
          digit_scale,
          sums.digits,
          sums.fine_digits,
          digits,
          fine_digits};
}

SubsetTable prepare_subset_table(const float *q, size_t n, float digit_scale,
                                 uint8_t *table) noexcept {
  const float inverse = 1.0f / digit_scale;
  const PrefixSums prefix = prefix_sums(q, n, inverse);
  const float range = std::max(prefix.widest, 1.0f);  // below one digit only for q = 0
  fill_table(q, n, inverse, kTableMax / range, table);
  return {prefix.total, prefix.magnitude, range};
}

}  // namespace vann::quantize
