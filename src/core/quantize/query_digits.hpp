// query_digits.hpp — what prepared queries share: two int8 digits per dimension, which meet the
// planes of stored codes, and the table of subset sums, which meets 1-bit codes. See README.md,
// "Query".
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/quantize/vector_code.hpp"
#include "core/simd/kernels.hpp"

namespace vann::quantize {

// Digits reach from -kDigitMax to kDigitMax; fine digits divide a digit's step into kFineSteps.
inline constexpr float kDigitMax = 127.0f;
inline constexpr float kFineSteps = 2 * kDigitMax;

// The arrays belong to the caller.
struct QueryDigits {
  float norm_squared;  // |q|^2
  float digit_scale;   // q ~ digit_scale * (digits + fine_digits / 254)
  int32_t digit_sum;   // sum of digits
  int32_t fine_sum;    // sum of fine digits
  const int8_t *digits;
  const int8_t *fine_digits;
};

constexpr size_t digit_bytes(size_t dims) noexcept { return 2 * padded_dims(dims); }

// Writes digit_bytes(dims) bytes to `memory`: digits, then fine digits, both padded with zeros.
QueryDigits prepare_digits(const float *q, size_t dims, uint8_t *memory) noexcept;

// Sums of t = q / digit_scale over the dimensions that the table covers.
struct SubsetTable {
  float total;      // sum of t
  float magnitude;  // sum of |t|
  float range;      // of t: a step of the table is range / 255
};

// Fills `table`, 4 n bytes in scan32's order; n is a multiple of 64. With digits u of 0 and 1,
// <u, t> ~ range / 255 * sum + (total - magnitude) / 2.
SubsetTable prepare_subset_table(const float *q, size_t n, float digit_scale,
                                 uint8_t *table) noexcept;

// <u, digits> of a stored code; `dims` is padded.
inline int32_t digit_product(const simd::Kernels &kernels, const uint8_t *planes, size_t dims,
                             uint32_t bits, const int8_t *digits) noexcept {
  int32_t product = 0;
  if ((bits & 8) != 0) {
    product += kernels.dot_u8_i8(planes, digits, dims);
  }
  if ((bits & 4) != 0) {
    product += kernels.dot_u4_i8(planes, digits, dims) * (1 << (bits & 3));
    planes += dims / 2;
  }
  if ((bits & 2) != 0) {
    product += kernels.dot_u2_i8(planes, digits, dims) * (1 << (bits & 1));
    planes += dims / 4;
  }
  if ((bits & 1) != 0) {
    product += kernels.dot_u1_i8(planes, digits, dims);
  }
  return product;
}

// <s, q> / digit_scale of a stored code's levels s.
inline double level_product(const simd::Kernels &kernels, const QueryDigits &query,
                            const uint8_t *planes, size_t dims, uint32_t bits) noexcept {
  const size_t padded = padded_dims(dims);
  const double half = 0.5 * ((1u << bits) - 1);
  const double coarse =
      digit_product(kernels, planes, padded, bits, query.digits) - half * query.digit_sum;
  const double fine =
      digit_product(kernels, planes, padded, bits, query.fine_digits) - half * query.fine_sum;
  return coarse + fine / kFineSteps;
}

}  // namespace vann::quantize
