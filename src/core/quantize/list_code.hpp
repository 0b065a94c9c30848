// list_code.hpp — codes of the rows of inverted lists. A row x of a list is coded by its residual
// r = x - c against the list's anchor c, twice: a short scan code, in blocks of 32 rows, and a longer
// refine code for the few rows that the scan keeps. The query enters by tables that do not depend on
// the anchor. With a decoded direction s of r and y = q - c, <r, y> is estimated by scale * <s, y>:
//   squared L2        |x - q|^2 ~ G + offset - 2 scale <s, q>,   G = |q - c|^2,
//                     offset = |r|^2 + 2 scale <s, c>
//   negative product  -<x, q>   ~ G + offset -   scale <s, q>,   G = -<q, c>,
//                     offset = -<r, c> + scale <s, c>
// and the standard deviation of either is error * |q - c|. Scan codes are RaBitQ's bits (Gao and Long
// 2024) or product quantization (Jegou et al. 2011; 4 bits: Andre et al. 2015); refine codes are
// those of vector_code.hpp. See README.md, "List codes".
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/quantize/neighbor_code.hpp"
#include "core/quantize/query_digits.hpp"
#include "core/quantize/vector_code.hpp"
#include "core/simd/kernels.hpp"

namespace vann::quantize {

enum class Codec : uint8_t {
  kRabitq = 0,  // one bit per dimension
  kPq4 = 1,     // 4 bits per subvector
  kPq8 = 2,     // 8 bits per subvector
};

// Frozen with an index or its model. All vectors are rotated, `dims` values each, not centred.
struct ListShape {
  uint32_t dims;  // multiple of 16
  Codec codec;
  uint32_t
      subvectors;  // PQ: subvector i covers [i * dims / subvectors, (i + 1) * dims / subvectors)
  uint32_t
      scan_dims;  // rabitq: coded dimensions, multiple of 64, at most dims; else scan_dims_of()
  uint32_t refine_bits;  // 4..8
  Geometry geometry;

  bool operator==(const ListShape &) const = default;
};

// A nibble counts as four dimensions of scan32, whose blocks hold sixteen; surplus nibbles are zero
// and add nothing.
constexpr uint32_t scan_dims_of(Codec codec, uint32_t subvectors) noexcept {
  return codec == Codec::kPq4 ? (subvectors + 15) / 16 * 64 : subvectors;
}

constexpr size_t scan_code_bytes(const ListShape &shape) noexcept {
  return shape.codec == Codec::kPq8 ? shape.subvectors : shape.scan_dims / 8;
}
constexpr size_t refine_code_bytes(const ListShape &shape) noexcept {
  return code_bytes(shape.dims, shape.refine_bits);
}

// ---- Codebooks of PQ ---------------------------------------------------------------------------

constexpr size_t codebook_entries(Codec codec) noexcept { return codec == Codec::kPq8 ? 256 : 16; }
constexpr size_t longest_subvector(const ListShape &shape) noexcept {
  return (shape.dims + shape.subvectors - 1) / shape.subvectors;
}
constexpr size_t subvector_begin(const ListShape &shape, size_t i) noexcept {
  return i * shape.dims / shape.subvectors;
}
constexpr size_t codebook_floats(const ListShape &shape) noexcept {
  return shape.codec == Codec::kRabitq
             ? 0
             : shape.subvectors * codebook_entries(shape.codec) * longest_subvector(shape);
}

inline constexpr float kMostErrorScale = 16.0f;

// A view. codebooks: [subvectors][codebook_entries][longest_subvector], null for rabitq; values
// beyond a shorter subvector are not read.
struct ListModel {
  ListShape shape;
  const float *codebooks;
  // A learned rotation [dims][dims] (codebook/opq.hpp) of residuals before subvectors are cut, or null.
  const float *matrix = nullptr;
  // By how much errors of scan codes are larger than if they were spread evenly over all directions:
  // codebook/scan_error.hpp. 1 to kMostErrorScale.
  float error_scale = 1.0f;
};

// ---- Encoding ----------------------------------------------------------------------------------

struct ScanFactors {
  uint16_t scale, offset, error;  // bfloat16
};
struct RefineFactors {
  float scale, offset, error;
};

// Floats of scratch that any encode or decode function needs.
constexpr size_t encode_scratch_floats(const ListShape &shape) noexcept {
  return 4 * size_t{shape.dims} + padded_dims(shape.dims) / sizeof(float);
}

// Codes row x against the anchor. Factors are finite for any input; where x is the anchor they and
// the code are zero. Writes scan_code_bytes() to `code`, refine_code_bytes() to `planes`.
ScanFactors encode_scan(const ListModel &model, const float *anchor, const float *x, float *scratch,
                        uint8_t *code) noexcept;
RefineFactors encode_refine(const ListShape &shape, const float *anchor, const float *x,
                            float *scratch, uint8_t *planes) noexcept;

// The row that a refine code says, out[0..dims): the anchor and the least-squares multiple of the
// levels. With inner products it has the row's own product with the anchor, which the offset holds.
void decode_refine(const ListShape &shape, const float *anchor, const uint8_t *planes,
                   const RefineFactors &factors, float *out) noexcept;

// Factors of a row that was encoded again from its decoded refine code, whose own error goes on as an
// independent one. Those with a shape also put the mean of squared distances right, which a decoded
// row, being shorter than the row, makes too small.
ScanFactors with_error(ScanFactors factors, float old_error) noexcept;
RefineFactors with_error(RefineFactors factors, float old_error) noexcept;
ScanFactors with_error(const ListShape &shape, ScanFactors factors, float old_error) noexcept;
RefineFactors with_error(const ListShape &shape, RefineFactors factors, float old_error) noexcept;

// ---- Blocks of 32 rows -------------------------------------------------------------------------

constexpr size_t block_code_bytes(const ListShape &shape) noexcept {
  return simd::kScanWidth * scan_code_bytes(shape);
}

// The code of row `slot` among its block's: tiles as in neighbor_code.hpp for codes of 4 bits, byte i
// of the row at [i][slot] of [subvectors][32] for those of 8.
void store_code(const ListShape &shape, uint8_t *tiles, size_t slot, const uint8_t *code) noexcept;
void load_code(const ListShape &shape, const uint8_t *tiles, size_t slot, uint8_t *code) noexcept;

// ---- Query -------------------------------------------------------------------------------------

// Trivially destructible; arrays live in memory that the caller provides.
struct ListQuery : QueryDigits {
  ListShape shape;
  // weight * <s, q> ~ gain * sum + shift, weight 2 for L2, up to an error of deviation `rounding`.
  float gain;
  float shift;
  float rounding;
  const simd::Kernels *kernels;
  const uint8_t *table;  // scan32's, or [subvectors][256] for kPq8
};

// Bytes of a query's arrays: digits, table, and for product codes the query as their rotation turns it and
// products before they are rounded to the table.
constexpr size_t list_query_bytes(const ListShape &shape) noexcept {
  const size_t table =
      shape.codec == Codec::kPq8 ? size_t{shape.subvectors} * 256 : size_t{shape.scan_dims} * 4;
  const size_t products =
      shape.codec == Codec::kRabitq
          ? 0
          : (shape.dims + shape.subvectors * codebook_entries(shape.codec)) * sizeof(float);
  return digit_bytes(shape.dims) + table + products;
}

// `memory`: list_query_bytes(shape) bytes, aligned to 64, as long-lived as the query.
ListQuery prepare_list_query(const ListModel &model, const float *q, uint8_t *memory) noexcept;

struct AnchorDistance {
  float base;    // G: |q - c|^2, or -<q, c>
  float length;  // |q - c|
};

struct BlockEstimates {
  float estimates[simd::kScanWidth];  // squared L2 or negative product
  float errors[simd::kScanWidth];     // their standard deviations
};

// Estimates the 32 rows of a block and returns the mask of those that may lie below `limit`: bit i is
// estimate - deviations * error < limit.
uint32_t scan_block(const ListQuery &query, AnchorDistance anchor, const uint8_t *tiles,
                    const uint16_t *scales, const uint16_t *offsets, const uint16_t *errors,
                    float deviations, float limit, BlockEstimates *out) noexcept;

struct RowEstimate {
  float distance;
  float error;  // standard deviation of `distance`
};
RowEstimate refine_row(const ListQuery &query, AnchorDistance anchor, const uint8_t *planes,
                       const RefineFactors &factors) noexcept;

}  // namespace vann::quantize
