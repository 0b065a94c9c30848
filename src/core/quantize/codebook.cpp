// codebook.cpp — nearest entries and tables of products. See README.md, "List codes".
#include "core/quantize/codebook.hpp"

#include <algorithm>
#include <cstring>

#include "core/quantize/lanes.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

// Products stay finite, also their sums over any number of subvectors.
constexpr float kProductMax = 1e30f;

// The sums over the lanes of each of four vectors.
Float4 add_up(const Float4 (&x)[4]) noexcept {
  const Float4 low = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5) +
                     __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7);
  const Float4 high = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5) +
                      __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
  return __builtin_shufflevector(low, high, 0, 1, 4, 5) +
         __builtin_shufflevector(low, high, 2, 3, 6, 7);
}

// Sums of term(entry, x) over n values for four adjacent entries.
template <class Term>
Float4 four_sums(const float *entries, size_t stride, const float *x, size_t n,
                 Term term) noexcept {
  Float4 parts[4] = {};
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const Float4 own = load4(x + i);
    for (size_t k = 0; k < 4; ++k) {
      parts[k] += term(load4(entries + k * stride + i), own);
    }
  }
  Float4 sums = add_up(parts);
  for (; i < n; ++i) {
    const Float4 column = {entries[i], entries[stride + i], entries[2 * stride + i],
                           entries[3 * stride + i]};
    sums += term(column, splat(x[i]));
  }
  return sums;
}

inline Float4 smaller(Float4 a, Float4 b) noexcept { return a < b ? a : b; }
inline Float4 larger(Float4 a, Float4 b) noexcept { return a > b ? a : b; }

float least_lane(Float4 x) noexcept { return std::min({x[0], x[1], x[2], x[3]}); }
float largest_lane(Float4 x) noexcept { return std::max({x[0], x[1], x[2], x[3]}); }

struct Subvector {
  size_t begin;
  size_t length;
  const float *entries;
};

Subvector subvector(const ListModel &model, size_t i) noexcept {
  const ListShape &shape = model.shape;
  const size_t begin = subvector_begin(shape, i);
  return {begin, subvector_begin(shape, i + 1) - begin,
          model.codebooks + i * codebook_entries(shape.codec) * longest_subvector(shape)};
}

// Where the sixteen entries of subvector i stand in scan32's table.
size_t nibble_entries(size_t i) noexcept {
  const size_t byte = i % 16 / 2;
  return i / 16 * 256 + byte / 4 * 128 + i % 2 * 64 + byte % 4 * 16;
}

// The range that a subvector's products cover, once they are above their least.
struct Range {
  float least;
  float width;
};

// Products of t = inverse * q with all entries, less the least of them.
Range raise_products(const Subvector &sub, size_t count, size_t stride, const float *q,
                     float inverse, float *products) noexcept {
  Float4 low = splat(kProductMax);
  Float4 high = splat(-kProductMax);
  for (size_t u = 0; u < count; u += 4) {
    const Float4 exact = four_sums(sub.entries + u * stride, stride, q + sub.begin, sub.length,
                                   [&](Float4 e, Float4 x) { return e * (x * splat(inverse)); });
    const Float4 product = clamped(exact, -kProductMax, kProductMax);
    low = smaller(product, low);
    high = larger(product, high);
    std::memcpy(products + u, &product, sizeof product);
  }
  const float least = least_lane(low);
  for (size_t u = 0; u < count; ++u) {
    products[u] -= least;
  }
  return {least, largest_lane(high) - least};
}

void round_products(const float *products, size_t count, float inverse_step,
                    uint8_t *table) noexcept {
  for (size_t u = 0; u < count; u += 4) {
    const Float4 value = load4(products + u) * splat(inverse_step) + splat(0.5f);
    const Int4 entries = truncated(clamped(value, 0.0f, 255.0f));
    for (size_t k = 0; k < 4; ++k) {
      table[u + k] = static_cast<uint8_t>(entries[k]);
    }
  }
}

}  // namespace

size_t nearest_entry(const float *entries, size_t count, size_t stride, const float *x,
                     size_t n) noexcept {
  Float4 least = splat(kFloatMax);
  Int4 nearest = {};
  Int4 index = {0, 1, 2, 3};
  for (size_t u = 0; u < count; u += 4, index += 4) {
    const Float4 distances = four_sums(entries + u * stride, stride, x, n,
                                       [](Float4 a, Float4 b) { return (a - b) * (a - b); });
    const Int4 closer = distances < least;
    least = closer ? distances : least;
    nearest = closer ? index : nearest;
  }
  size_t best = 0;
  for (size_t k = 1; k < 4; ++k) {
    if (least[k] < least[best] || (least[k] == least[best] && nearest[k] < nearest[best])) {
      best = k;
    }
  }
  return static_cast<size_t>(nearest[best]);
}

void encode_subvectors(const ListModel &model, const float *residual, uint8_t *code,
                       float *decoded) noexcept {
  const ListShape &shape = model.shape;
  const size_t count = codebook_entries(shape.codec);
  const size_t stride = longest_subvector(shape);
  std::memset(code, 0, scan_code_bytes(shape));
  for (size_t i = 0; i < shape.subvectors; ++i) {
    const Subvector sub = subvector(model, i);
    const size_t u = nearest_entry(sub.entries, count, stride, residual + sub.begin, sub.length);
    std::memcpy(decoded + sub.begin, sub.entries + u * stride, sub.length * sizeof(float));
    if (shape.codec == Codec::kPq8) {
      code[i] = static_cast<uint8_t>(u);
    } else {
      code[i / 2] = static_cast<uint8_t>(code[i / 2] | u << (i % 2 * 4));
    }
  }
}

const float *turn(const ListModel &model, const float *x, float *out) noexcept {
  const simd::Kernels &kernels = simd::kernels();
  const size_t dims = model.shape.dims;
  for (size_t j = 0; j < dims; ++j) {
    out[j] = kernels.dot_f32(model.matrix + j * dims, x, dims);
  }
  return out;
}

ProductTable prepare_product_table(const ListModel &model, const float *q, float inverse,
                                   float *products, uint8_t *table) noexcept {
  const ListShape &shape = model.shape;
  const size_t count = codebook_entries(shape.codec);
  const size_t stride = longest_subvector(shape);
  double shift = 0.0;
  float range = 0.0f;
  for (size_t i = 0; i < shape.subvectors; ++i) {
    const Subvector sub = subvector(model, i);
    const Range own = raise_products(sub, count, stride, q, inverse, products + i * count);
    shift += own.least;
    range = std::max(range, own.width);
  }
  const float step = std::max(range / 255.0f, 0x1p-120f);
  if (shape.codec == Codec::kPq4) {
    std::memset(table, 0, size_t{shape.scan_dims} * 4);
  }
  for (size_t i = 0; i < shape.subvectors; ++i) {
    const size_t place = shape.codec == Codec::kPq8 ? i * count : nibble_entries(i);
    round_products(products + i * count, count, 1.0f / step, table + place);
  }
  return {step, shift};
}

}  // namespace vann::quantize
