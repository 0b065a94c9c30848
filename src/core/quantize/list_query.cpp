// list_query.cpp — what the codes of lists' rows say of a query. See README.md, "List codes".
#include <algorithm>
#include <cmath>

#include "core/quantize/codebook.hpp"
#include "core/quantize/lanes.hpp"
#include "core/quantize/list_code.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

using simd::kScanWidth;

// Root mean square of a refine code's levels in units of half their range, at most: clipping
// ranges are 2.7 rms and more.
constexpr double kLevelDeviation = 1.0 / 2.7;

// Variance of what rounding to a whole step leaves.
constexpr double kRoundingVariance = 1.0 / 12.0;

// weight * <s, q> ~ gain * sum + shift, in units of the query's digits.
struct TableTerms {
  double gain;
  double shift;
  double rounding;
};

TableTerms prepare_bits(const ListShape &shape, const float *q, float digit_scale,
                        uint8_t *table) noexcept {
  const SubsetTable sums = prepare_subset_table(q, shape.scan_dims, digit_scale, table);
  const double step = sums.range / 255.0;
  const double groups = shape.scan_dims / 4;
  return {step, -0.5 * static_cast<double>(sums.magnitude),
          step * std::sqrt(groups * kRoundingVariance)};
}

TableTerms prepare_products(const ListModel &model, const float *q, float digit_scale,
                            float *products, uint8_t *table) noexcept {
  if (model.matrix != nullptr) {
    q = turn(model, q, products + model.shape.subvectors * codebook_entries(model.shape.codec));
  }
  const ProductTable sums = prepare_product_table(model, q, 1.0f / digit_scale, products, table);
  return {sums.step, sums.shift, sums.step * std::sqrt(model.shape.subvectors * kRoundingVariance)};
}

}  // namespace

ListQuery prepare_list_query(const ListModel &model, const float *q, uint8_t *memory) noexcept {
  const ListShape &shape = model.shape;
  const bool bits = shape.codec == Codec::kRabitq;
  // Floats come first: the memory is aligned, and digits and tables need no alignment.
  float *const products = reinterpret_cast<float *>(memory);
  if (!bits) {
    memory += (shape.dims + shape.subvectors * codebook_entries(shape.codec)) * sizeof(float);
  }
  uint8_t *const table = memory + digit_bytes(shape.dims);
  ListQuery query;
  static_cast<QueryDigits &>(query) = prepare_digits(q, shape.dims, memory);
  const TableTerms terms = bits ? prepare_bits(shape, q, query.digit_scale, table)
                                : prepare_products(model, q, query.digit_scale, products, table);
  const double unit = (shape.geometry == Geometry::kL2 ? 2.0 : 1.0) * query.digit_scale;
  query.shape = shape;
  query.gain = to_finite(terms.gain * unit);
  query.shift = to_finite(terms.shift * unit);
  query.rounding = to_finite(terms.rounding * unit);
  query.kernels = &simd::kernels();
  query.table = table;
  return query;
}

uint32_t scan_block(const ListQuery &query, AnchorDistance anchor, const uint8_t *tiles,
                    const uint16_t *scales, const uint16_t *offsets, const uint16_t *errors,
                    float deviations, float limit, BlockEstimates *out) noexcept {
  uint32_t sums[kScanWidth];
  if (query.shape.codec == Codec::kPq8) {
    query.kernels->lookup32(tiles, query.table, query.shape.subvectors, sums);
  } else {
    query.kernels->scan32(tiles, query.table, query.shape.scan_dims, sums);
  }
  const simd::BoundTerms terms = {anchor.base,    anchor.length, query.gain, query.shift,
                                  query.rounding, deviations,    limit};
  return query.kernels->bound32(sums, scales, offsets, errors, terms, out->estimates, out->errors);
}

RowEstimate refine_row(const ListQuery &query, AnchorDistance anchor, const uint8_t *planes,
                       const RefineFactors &factors) noexcept {
  const ListShape &shape = query.shape;
  const double levels = level_product(*query.kernels, query, planes, shape.dims, shape.refine_bits);
  const double unit =
      (shape.geometry == Geometry::kL2 ? 2.0 : 1.0) * static_cast<double>(factors.scale);
  const double distance =
      static_cast<double>(anchor.base) + factors.offset - unit * query.digit_scale * levels;
  const double half_range = 0.5 * (1u << shape.refine_bits);
  const double step = static_cast<double>(query.digit_scale) / kFineSteps;
  const double rounding =
      unit * kLevelDeviation * half_range * step * std::sqrt(shape.dims * kRoundingVariance);
  const double code = static_cast<double>(factors.error) * anchor.length;
  return {to_finite(distance), to_finite(std::sqrt(code * code + rounding * rounding))};
}

}  // namespace vann::quantize
