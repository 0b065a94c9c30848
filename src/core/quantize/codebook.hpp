// codebook.hpp — the codebooks of product quantization (Jegou et al. 2011): the nearest entries of a
// residual, and the query's products with all entries. Sums run in a fixed order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/quantize/list_code.hpp"

namespace vann::quantize {

// matrix * x, of dims values: what product codes are taken of. Returns `out`, which x does not overlap. The
// model has a matrix.
const float *turn(const ListModel &model, const float *x, float *out) noexcept;

// The entry nearest to x[0..n), the lowest of equals. entries: [count][stride], `count` a
// multiple of four.
size_t nearest_entry(const float *entries, size_t count, size_t stride, const float *x,
                     size_t n) noexcept;

// Codes a residual: for kPq4 nibble i % 2 of byte i / 2, for kPq8 byte i holds subvector i's entry.
// Writes scan_code_bytes() bytes and the entries themselves to decoded[0..dims).
void encode_subvectors(const ListModel &model, const float *residual, uint8_t *code,
                       float *decoded) noexcept;

// What a table of rounded products says: <s, t> ~ step * sum + shift, s the entries that a code
// names, t = inverse * q.
struct ProductTable {
  double step;
  double shift;
};

// Fills `table` in scan32's order (kPq4) or as [subvectors][256] (kPq8); `products` has room for
// subvectors * codebook_entries floats.
ProductTable prepare_product_table(const ListModel &model, const float *q, float inverse,
                                   float *products, uint8_t *table) noexcept;

}  // namespace vann::quantize
