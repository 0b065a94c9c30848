// neighbor_code.hpp — 1-bit or 2-bit RaBitQ codes of a neighbor's residual against its parent's
// decoded code (SymphonyQG, Gou et al. 2025, with the parent's decoded code as the centre).
//
// For parent c (decoded), neighbor o, r = o - c over the first `dims` rotated dimensions that are
// coded, and levels s = u - (2^B - 1) / 2 of digits u in [0, 2^B - 1]:
//   <r, y> is estimated by scale * <s, y>, scale = |r|^2 / <r, s>, |r| over ALL dimensions, so that
//   dimensions beyond the coded prefix are accounted for in expectation.
// Squared L2:      |o - q|^2  ~ |c - q|^2 + offset_l2 - 2 scale (<u, q> - (2^B - 1) / 2 * sum(q))
//                  offset_l2 = |r|^2 + 2 scale <s, c>
// Negative product: -<o, q>   ~ -<c, q>   + offset_ip -   scale (<u, q> - (2^B - 1) / 2 * sum(q))
//                  offset_ip = -<r, c> + scale <s, c>
#pragma once

#include <cstddef>
#include <cstdint>

namespace vann::quantize {

enum class Geometry : uint8_t {
  kL2 = 0,            // squared Euclidean distance (also cosine, on normalized vectors)
  kInnerProduct = 1,  // negative inner product
};

struct NeighborFactors {
  float residual_squared;  // |r|^2, all dimensions
  float scale;             // see above; 0 for a zero residual
  float offset;            // offset_l2 or offset_ip by the index's geometry
};

// Bytes of one neighbor's code: `bits` planes of dims / 8 bytes, high plane first.
constexpr size_t neighbor_code_bytes(size_t coded_dims, uint32_t bits) noexcept {
  return coded_dims / 8 * bits;
}

// Encodes neighbor `o` against parent `c`, both decoded, dims values each. `coded_dims` is a
// multiple of 64 and <= dims. `bits` is 1 or 2. Writes neighbor_code_bytes() bytes to `code`.
// Factors are finite also when rounded to bfloat16; `scale` is so rounded already, and `offset`
// computed with it, so that the two cancel where the query is the parent.
NeighborFactors encode_neighbor(const float *c, const float *o, size_t dims, size_t coded_dims,
                                uint32_t bits, Geometry geometry, uint8_t *code) noexcept;

// Where the code of neighbor `slot` lies among the tiles of its block of 32: plane p, 64-dimension
// group g, at ((p * coded_dims / 64 + g) * 32 + slot) * 8, 8 bytes. Copies between the two forms.
void store_tile(uint8_t *tiles, size_t slot, const uint8_t *code, size_t coded_dims,
                uint32_t bits) noexcept;
void load_tile(const uint8_t *tiles, size_t slot, uint8_t *code, size_t coded_dims,
               uint32_t bits) noexcept;

}  // namespace vann::quantize
