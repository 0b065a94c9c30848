// query.cpp — what codes say of a query: preparation, own-code and neighbor-code estimates.
// See README.md, "Query" and "Error model".
#include "core/quantize/query.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/base/bfloat16.hpp"
#include "core/quantize/lanes.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

using simd::kCodeBlock;
using simd::kScanWidth;

// Digits reach from -kDigitMax to kDigitMax.
constexpr float kDigitMax = 127.0f;
// Fine digits divide a digit's step into this many, and reach from -127 to 127.
constexpr float kFineSteps = 2 * kDigitMax;
constexpr float kTableMax = 255.0f * (1u << simd::kSubsetFraction);

// Keeps 1 / digit_scale finite; a query below it has only zero digits.
constexpr float kSmallestDigitScale = 0x1p-100f;
// The estimate of <x, q> errs itself: the orthogonal part of q is taken to be at least this share.
constexpr double kSmallestOrthogonal = 1e-3;

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

PreparedQuery prepare_query(const CodeShape &shape, const float *q, uint8_t *memory) noexcept {
  int8_t *const digits = reinterpret_cast<int8_t *>(memory);
  int8_t *const fine_digits = digits + padded_dims(shape.dims);
  uint8_t *const table = memory + 2 * padded_dims(shape.dims);
  const float largest = largest_magnitude(q, shape.dims);
  const float digit_scale = std::max(largest / kDigitMax, kSmallestDigitScale);
  const float inverse = 1.0f / digit_scale;
  const double scale = digit_scale;

  const QuerySums sums = encode_digits(q, shape.dims, inverse, digits, fine_digits);
  const PrefixSums prefix = prefix_sums(q, shape.neighbor_dims, inverse);
  const float range = std::max(prefix.widest, 1.0f);  // of t; below one digit only for q = 0
  fill_table(q, shape.neighbor_dims, inverse, kTableMax / range, table);

  PreparedQuery query;
  query.shape = shape;
  query.kernels = &simd::kernels();
  query.norm_squared = to_finite(sums.squared * scale * scale);
  query.digit_scale = digit_scale;
  query.digit_sum = sums.digits;
  query.fine_sum = sums.fine_digits;
  query.table_scale = to_finite(range / 255.0 * scale);
  // The smallest subset sums add up to the sum of all negative values, (sum - magnitude) / 2.
  query.table_bias = to_finite((prefix.total - static_cast<double>(prefix.magnitude)) / 2 * scale);
  query.prefix_sum = to_finite(prefix.total * scale);
  const double weight = shape.geometry == Geometry::kL2 ? 2.0 : 1.0;
  const double top = (1u << shape.neighbor_bits) - 1;
  query.neighbor_gain = to_finite(weight * range / 255.0 * scale);
  query.neighbor_shift = to_finite(-weight * top * prefix.magnitude / 2 * scale);
  query.digits = digits;
  query.fine_digits = fine_digits;
  query.table = table;
  return query;
}

namespace {

// <u, digits> of a stored code.
int32_t digit_product(const PreparedQuery &query, const uint8_t *planes,
                      const int8_t *digits) noexcept {
  const simd::Kernels &kernels = *query.kernels;
  const uint32_t bits = query.shape.code_bits;
  const size_t dims = padded_dims(query.shape.dims);
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

// Variance of the estimate of <x, q>. The code errs by the tangent of its angle to x times the part
// of q that is orthogonal to x, spread over dims - 1 directions; the query's digits err by a
// uniform rounding.
double product_variance(const PreparedQuery &query, const CodeFactors &factors,
                        double product) noexcept {
  const double norm = factors.norm_squared;
  const double cosine_squared = static_cast<double>(factors.cosine) * factors.cosine;
  const double tan_squared = std::max(1.0 / cosine_squared - 1.0, 0.0);
  const double query_norm = query.norm_squared;
  const double parallel = product * product / norm;
  const double orthogonal = std::max(query_norm - parallel, kSmallestOrthogonal * query_norm);
  const double spread = std::max(query.shape.dims, 2u) - 1u;
  const double step = static_cast<double>(query.digit_scale) / kFineSteps;
  const double rounding = step * step / 12.0;
  return norm * (tan_squared * orthogonal / spread + rounding);
}

}  // namespace

OwnEstimate estimate_own(const PreparedQuery &query, const uint8_t *planes,
                         const CodeFactors &factors) noexcept {
  const bool l2 = query.shape.geometry == Geometry::kL2;
  const double query_norm = query.norm_squared;
  const double cosine_squared = static_cast<double>(factors.cosine) * factors.cosine;
  if (!(cosine_squared > 0.0 && factors.norm_squared > 0.0f)) {  // the zero vector
    const float distance = l2 ? query.norm_squared : 0.0f;
    return {distance, distance, 0.0f};
  }
  const double half = 0.5 * ((1u << query.shape.code_bits) - 1);
  const double coarse = digit_product(query, planes, query.digits) - half * query.digit_sum;
  const double fine = digit_product(query, planes, query.fine_digits) - half * query.fine_sum;
  const double levels = coarse + fine / kFineSteps;
  const double decoded = static_cast<double>(factors.delta) * query.digit_scale * levels;
  const double product = decoded / cosine_squared;
  const double error = std::sqrt(product_variance(query, factors, product));
  if (!l2) {
    return {to_finite(-decoded), to_finite(-product), to_finite(error)};
  }
  const double norm = factors.norm_squared;
  return {to_finite(query_norm + norm * cosine_squared - 2.0 * decoded),
          to_finite(query_norm + norm - 2.0 * product), to_finite(2.0 * error)};
}

void estimate_neighbors(const PreparedQuery &query, float anchor, const uint8_t *tiles,
                        const uint16_t *scales, const uint16_t *offsets, float *out) noexcept {
  const size_t dims = query.shape.neighbor_dims;
  uint32_t sums[kScanWidth];
  query.kernels->scan32(tiles, query.table, dims, sums);
  if (query.shape.neighbor_bits == 2) {
    uint32_t low[kScanWidth];
    query.kernels->scan32(tiles + dims / 8 * kScanWidth, query.table, dims, low);
    for (size_t i = 0; i < kScanWidth; ++i) {
      sums[i] = 2 * sums[i] + low[i];
    }
  }
  const float gain = query.neighbor_gain;
  const float shift = query.neighbor_shift;
  for (size_t i = 0; i < kScanWidth; ++i) {
    // Signed conversion is one instruction everywhere; the sums are far below 2^31.
    const float product = gain * static_cast<float>(static_cast<int32_t>(sums[i])) + shift;
    const float estimate = anchor + from_bfloat16(offsets[i]) - from_bfloat16(scales[i]) * product;
    out[i] = clamped(estimate, -kFloatMax, kFloatMax);
  }
}

}  // namespace vann::quantize
