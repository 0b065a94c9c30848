// query.hpp — a query prepared for codes: two int8 digits for elements' own codes and a lookup table
// for blocks of 32 neighbor codes. Prepared once per scan; one table serves every hop, because
// neighbor estimates depend on the query only through <u, q> (see neighbor_code.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/quantize/neighbor_code.hpp"
#include "core/quantize/query_digits.hpp"
#include "core/quantize/vector_code.hpp"
#include "core/simd/kernels.hpp"

namespace vann::quantize {

// Codes' shape, frozen when an index is built.
struct CodeShape {
  uint32_t dims;           // rotated dimensions that own codes cover
  uint32_t code_bits;      // own code, bits per dimension, 4..8
  uint32_t neighbor_dims;  // rotated dimensions that neighbor codes cover, multiple of 64, <= dims
  uint32_t neighbor_bits;  // 1 or 2
  Geometry geometry;

  bool operator==(const CodeShape &) const = default;
};

// Bytes that PreparedQuery's arrays need: int8 digits, fine digits, then the table.
constexpr size_t query_bytes(const CodeShape &shape) noexcept {
  return digit_bytes(shape.dims) + size_t{shape.neighbor_dims} * 4;
}

// Trivially destructible; arrays live in memory that the caller provides.
struct PreparedQuery : QueryDigits {
  CodeShape shape;
  float table_scale;  // <u, q> of one plane ~ table_scale * sum + table_bias
  float table_bias;
  float prefix_sum;  // sum of q over neighbor_dims
  // Neighbor estimate = anchor + offset - scale * (neighbor_gain * sums + neighbor_shift).
  float neighbor_gain;
  float neighbor_shift;
  const simd::Kernels *kernels;
  const uint8_t *table;
};

// q: rotated (and, for kL2, centred) query, shape.dims values. `memory`: query_bytes(shape) bytes,
// aligned to 64.
PreparedQuery prepare_query(const CodeShape &shape, const float *q, uint8_t *memory) noexcept;

// What one own code says of the query.
struct OwnEstimate {
  float anchor;  // L2: |q - c|^2 of the decoded code c; inner product: -<c, q>. Base of neighbors.
  float distance;  // unbiased estimate for the encoded vector: squared L2, or -<x, q>
  float error;     // standard deviation of `distance`
};
OwnEstimate estimate_own(const PreparedQuery &query, const uint8_t *planes,
                         const CodeFactors &factors) noexcept;

// Estimated distances (squared L2 or negative inner product) of one block of 32 neighbors.
//   scales, offsets [32] bfloat16 bit patterns; tiles as in neighbor_code.hpp
void estimate_neighbors(const PreparedQuery &query, float anchor, const uint8_t *tiles,
                        const uint16_t *scales, const uint16_t *offsets, float *out) noexcept;

}  // namespace vann::quantize
