// list_code.cpp — codes of lists' rows and their factors. Sums that end up in codes or factors run in
// a fixed order. See README.md, "List codes".
#include "core/quantize/list_code.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/bfloat16.hpp"
#include "core/quantize/codebook.hpp"
#include "core/quantize/lanes.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

using simd::kScanWidth;

// Rounding to bfloat16 never makes a factor infinite.
constexpr double kFactorMax = 3e38;

// Least share of |r|^2 that the squared error of a scan code counts as: bfloat16 rounds the scale.
constexpr double kLeastScanError = 0x1p-16;

// Mean squared error of a level, in levels, at most: a twelfth by rounding, and as much by clipping.
constexpr double kMostLevelError = 1.0 / 6;

// Cosines of product codes below count as this: dividing by less would let the error explode.
constexpr double kLeastCosine = 0.1;

float finite_factor(double value) noexcept {
  return to_finite(std::clamp(value, -kFactorMax, kFactorMax));
}

uint16_t short_factor(double value) noexcept { return to_bfloat16(finite_factor(value)); }

double weight(Geometry geometry) noexcept { return geometry == Geometry::kL2 ? 2.0 : 1.0; }

// Directions over which the rotation spreads an error that is orthogonal to its residual.
double directions(const ListShape &shape) noexcept { return std::max(shape.dims, 2u) - 1u; }

// Standard deviation of an estimate per unit of |q - c|, where the decoded residual errs by a vector
// of this square; and back.
double spread_error(const ListShape &shape, double squared) noexcept {
  return weight(shape.geometry) * std::sqrt(std::max(squared, 0.0) / directions(shape));
}
double squared_error(const ListShape &shape, double error) noexcept {
  const double deviation = error / weight(shape.geometry);
  return deviation * deviation * directions(shape);
}

// Sums of products in four lanes of double, in a fixed order.
double exact_dot(const float *a, const float *b, size_t n) noexcept {
  double sums[4] = {};
  for (size_t i = 0; i < n; i += 4) {  // dims are multiples of 16
    for (size_t k = 0; k < 4; ++k) {
      sums[k] += static_cast<double>(a[i + k]) * b[i + k];
    }
  }
  return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

void subtract(const float *x, const float *anchor, size_t n, float *residual) noexcept {
  for (size_t i = 0; i < n; ++i) {
    residual[i] = x[i] - anchor[i];
  }
}

// `squared` is |r|^2, `level_anchor` scale * <s, c>, with the scale that is stored.
double offset_of(Geometry geometry, double squared, double level_anchor,
                 double residual_anchor) noexcept {
  return geometry == Geometry::kL2 ? squared + 2.0 * level_anchor : level_anchor - residual_anchor;
}

// One bit per dimension; the levels are -1/2 and 1/2 and reach over the coded dimensions alone, so
// that what the others leave unseen is part of the error.
ScanFactors encode_bits(const ListModel &model, const float *anchor, const float *x,
                        uint8_t *code) noexcept {
  const ListShape &shape = model.shape;
  const NeighborFactors own =
      encode_neighbor(anchor, x, shape.dims, shape.scan_dims, 1, shape.geometry, code);
  const double squared = own.residual_squared;
  const double scale = own.scale;
  const double error =
      std::max(scale * scale * 0.25 * shape.scan_dims - squared, kLeastScanError * squared);
  return {to_bfloat16(own.scale), to_bfloat16(own.offset),
          short_factor(model.error_scale * spread_error(shape, error))};
}

ScanFactors encode_product(const ListModel &model, const float *anchor, const float *x,
                           float *scratch, uint8_t *code) noexcept {
  const ListShape &shape = model.shape;
  float *const residual = scratch;
  float *const decoded = scratch + shape.dims;
  const float *turned_anchor = anchor;
  subtract(x, anchor, shape.dims, residual);
  const double residual_anchor = exact_dot(residual, anchor, shape.dims);
  const double squared = exact_dot(residual, residual, shape.dims);
  if (!(squared > 0.0)) {
    std::memset(code, 0, scan_code_bytes(shape));
    return {0, 0, 0};
  }
  const float *turned = residual;
  if (model.matrix != nullptr) {
    turned_anchor = turn(model, anchor, scratch + 2 * shape.dims);
    turned = turn(model, residual, scratch + 3 * shape.dims);
  }
  encode_subvectors(model, turned, code, decoded);
  const double product = exact_dot(turned, decoded, shape.dims);
  const double decoded_squared = exact_dot(decoded, decoded, shape.dims);
  const double least = kLeastCosine * std::sqrt(squared * decoded_squared);
  const double divisor = std::max(product, least);
  const uint16_t stored = short_factor(divisor > 0.0 ? squared / divisor : 0.0);
  const double scale = from_bfloat16(stored);
  const double error = std::max(scale * scale * decoded_squared - 2.0 * scale * product + squared,
                                kLeastScanError * squared);
  const double offset =
      offset_of(shape.geometry, squared, scale * exact_dot(decoded, turned_anchor, shape.dims),
                residual_anchor);
  return {stored, short_factor(offset),
          short_factor(model.error_scale * spread_error(shape, error))};
}

void decode_levels(const ListShape &shape, const uint8_t *planes, float *levels) noexcept {
  decode_planes(planes, {0.0f, 1.0f, 1.0f}, shape.dims, shape.refine_bits, levels);
}

}  // namespace

ScanFactors encode_scan(const ListModel &model, const float *anchor, const float *x, float *scratch,
                        uint8_t *code) noexcept {
  return model.shape.codec == Codec::kRabitq ? encode_bits(model, anchor, x, code)
                                             : encode_product(model, anchor, x, scratch, code);
}

RefineFactors encode_refine(const ListShape &shape, const float *anchor, const float *x,
                            float *scratch, uint8_t *planes) noexcept {
  const size_t dims = shape.dims;
  float *const residual = scratch;
  float *const levels = scratch + dims;
  int8_t *const values = reinterpret_cast<int8_t *>(scratch + 2 * dims);
  subtract(x, anchor, dims, residual);
  const ByteCode bytes = encode_bytes(residual, dims, values);
  const CodeFactors own = encode_planes(values, bytes, dims, shape.refine_bits, planes);
  const double cosine_squared = static_cast<double>(own.cosine) * own.cosine;
  if (!(cosine_squared > 0.0)) {
    std::memset(planes, 0, refine_code_bytes(shape));
    return {0.0f, 0.0f, 0.0f};
  }
  decode_levels(shape, planes, levels);
  const double squared = own.norm_squared;
  RefineFactors factors;
  factors.scale = finite_factor(own.delta / cosine_squared);
  factors.offset = finite_factor(offset_of(shape.geometry, squared,
                                           factors.scale * exact_dot(levels, anchor, dims),
                                           exact_dot(residual, anchor, dims)));
  factors.error = finite_factor(spread_error(shape, squared * (1.0 / cosine_squared - 1.0)));
  return factors;
}

// scale * s is r and an error orthogonal to it: what that leaves of scale^2 <s, s> is |r|^2, and
// |r|^2 / (scale <s, s>) the least-squares scale. The factors hold that error, but of a row that was decoded
// before also what it had lost then, which took nothing from scale * s: rounding and clipping tell how much
// the code itself can have lost.
void decode_refine(const ListShape &shape, const float *anchor, const uint8_t *planes,
                   const RefineFactors &factors, float *out) noexcept {
  decode_levels(shape, planes, out);
  const double scale = factors.scale;
  const double scaled_squared = scale * scale * exact_dot(out, out, shape.dims);
  const double error =
      std::min(squared_error(shape, factors.error), kMostLevelError * scale * scale * shape.dims);
  const double share = scaled_squared > 0.0 ? 1.0 - error / scaled_squared : 0.0;
  const double delta = scale * std::clamp(share, 0.0, 1.0);
  double along = 0.0;  // what the row lacks of the anchor
  if (shape.geometry == Geometry::kInnerProduct) {
    const double level_anchor = exact_dot(out, anchor, shape.dims);
    const double anchor_squared = exact_dot(anchor, anchor, shape.dims);
    const double lacking = scale * level_anchor - factors.offset - delta * level_anchor;
    along = anchor_squared > 0.0 ? lacking / anchor_squared : 0.0;
  }
  const float multiple = to_finite(delta);
  const float anchors = to_finite(1.0 + along);
  for (size_t i = 0; i < shape.dims; ++i) {
    out[i] = anchors * anchor[i] + multiple * out[i];
  }
}

ScanFactors with_error(ScanFactors factors, float old_error) noexcept {
  factors.error = short_factor(std::hypot(from_bfloat16(factors.error), old_error));
  return factors;
}

RefineFactors with_error(RefineFactors factors, float old_error) noexcept {
  factors.error = finite_factor(std::hypot(factors.error, old_error));
  return factors;
}

ScanFactors with_error(const ListShape &shape, ScanFactors factors, float old_error) noexcept {
  if (shape.geometry == Geometry::kL2) {
    factors.offset = short_factor(from_bfloat16(factors.offset) + squared_error(shape, old_error));
  }
  return with_error(factors, old_error);
}

RefineFactors with_error(const ListShape &shape, RefineFactors factors, float old_error) noexcept {
  if (shape.geometry == Geometry::kL2) {
    factors.offset = finite_factor(factors.offset + squared_error(shape, old_error));
  }
  return with_error(factors, old_error);
}

void store_code(const ListShape &shape, uint8_t *tiles, size_t slot, const uint8_t *code) noexcept {
  if (shape.codec != Codec::kPq8) {
    store_tile(tiles, slot, code, shape.scan_dims, 1);
    return;
  }
  for (size_t i = 0; i < shape.subvectors; ++i) {
    tiles[i * kScanWidth + slot] = code[i];
  }
}

void load_code(const ListShape &shape, const uint8_t *tiles, size_t slot, uint8_t *code) noexcept {
  if (shape.codec != Codec::kPq8) {
    load_tile(tiles, slot, code, shape.scan_dims, 1);
    return;
  }
  for (size_t i = 0; i < shape.subvectors; ++i) {
    code[i] = tiles[i * kScanWidth + slot];
  }
}

}  // namespace vann::quantize
