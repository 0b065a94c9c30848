// query.cpp — what codes say of a query: preparation, own-code and neighbor-code estimates.
// See README.md, "Query" and "Error model".
#include "core/quantize/query.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/bfloat16.hpp"
#include "core/quantize/lanes.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

using simd::kScanWidth;

// The estimate of <x, q> errs itself: the orthogonal part of q is taken to be at least this share.
constexpr double kSmallestOrthogonal = 1e-3;

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

PreparedQuery prepare_query(const CodeShape &shape, const float *q, uint8_t *memory) noexcept {
  uint8_t *const table = memory + digit_bytes(shape.dims);
  PreparedQuery query;
  static_cast<QueryDigits &>(query) = prepare_digits(q, shape.dims, memory);
  const SubsetTable prefix = prepare_subset_table(q, shape.neighbor_dims, query.digit_scale, table);
  const double scale = query.digit_scale;
  query.shape = shape;
  query.kernels = &simd::kernels();
  query.table_scale = to_finite(prefix.range / 255.0 * scale);
  // The smallest subset sums add up to the sum of all negative values, (sum - magnitude) / 2.
  query.table_bias = to_finite((prefix.total - static_cast<double>(prefix.magnitude)) / 2 * scale);
  query.prefix_sum = to_finite(prefix.total * scale);
  const double weight = shape.geometry == Geometry::kL2 ? 2.0 : 1.0;
  const double top = (1u << shape.neighbor_bits) - 1;
  query.neighbor_gain = to_finite(weight * prefix.range / 255.0 * scale);
  query.neighbor_shift = to_finite(-weight * top * prefix.magnitude / 2 * scale);
  query.table = table;
  return query;
}

OwnEstimate estimate_own(const PreparedQuery &query, const uint8_t *planes,
                         const CodeFactors &factors) noexcept {
  const bool l2 = query.shape.geometry == Geometry::kL2;
  const double query_norm = query.norm_squared;
  const double cosine_squared = static_cast<double>(factors.cosine) * factors.cosine;
  if (!(cosine_squared > 0.0 && factors.norm_squared > 0.0f)) {  // the zero vector
    const float distance = l2 ? query.norm_squared : 0.0f;
    return {distance, distance, 0.0f};
  }
  const double levels =
      level_product(*query.kernels, query, planes, query.shape.dims, query.shape.code_bits);
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
