// codebook.cpp — nearest entries and tables of products. See README.md, "List codes".
#include "core/quantize/codebook.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/quantize/lanes.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

// Products stay finite, also their sums over any number of subvectors.
constexpr float kProductMax = 1e30f;

float total(Float4 four) noexcept { return (four[0] + four[2]) + (four[1] + four[3]); }

// Sum of term(i) over n values, four at a time while they last.
template <class Four, class One>
float sum_terms(size_t n, Four four, One one) noexcept {
  Float4 sums = {};
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    sums += four(i);
  }
  float sum = total(sums);
  for (; i < n; ++i) {
    sum += one(i);
  }
  return sum;
}

float squared_distance(const float *a, const float *b, size_t n) noexcept {
  return sum_terms(
      n,
      [&](size_t i) {
        const Float4 difference = load4(a + i) - load4(b + i);
        return difference * difference;
      },
      [&](size_t i) { return (a[i] - b[i]) * (a[i] - b[i]); });
}

float product(const float *a, const float *b, size_t n) noexcept {
  return sum_terms(
      n, [&](size_t i) { return load4(a + i) * load4(b + i); },
      [&](size_t i) { return a[i] * b[i]; });
}

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

void round_products(const float *products, size_t count, float low, float inverse_step,
                    uint8_t *table) noexcept {
  for (size_t u = 0; u < count; ++u) {
    const float value = (products[u] - low) * inverse_step + 0.5f;
    table[u] = static_cast<uint8_t>(clamped(value, 0.0f, 255.0f));
  }
}

}  // namespace

size_t nearest_entry(const float *entries, size_t count, size_t stride, const float *x,
                     size_t n) noexcept {
  size_t nearest = 0;
  float least = kFloatMax;
  for (size_t u = 0; u < count; ++u) {
    const float distance = squared_distance(entries + u * stride, x, n);
    if (distance < least) {
      least = distance;
      nearest = u;
    }
  }
  return nearest;
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

ProductTable prepare_product_table(const ListModel &model, const float *q, float inverse,
                                   float *products, uint8_t *table) noexcept {
  const ListShape &shape = model.shape;
  const size_t count = codebook_entries(shape.codec);
  const size_t stride = longest_subvector(shape);
  double shift = 0.0;
  float range = 0.0f;
  for (size_t i = 0; i < shape.subvectors; ++i) {
    const Subvector sub = subvector(model, i);
    float *const own = products + i * count;
    for (size_t u = 0; u < count; ++u) {
      const float exact = product(sub.entries + u * stride, q + sub.begin, sub.length) * inverse;
      own[u] = clamped(exact, -kProductMax, kProductMax);
    }
    const auto [low, high] = std::minmax_element(own, own + count);
    shift += *low;
    range = std::max(range, *high - *low);
  }
  const float step = std::max(range / 255.0f, 0x1p-120f);
  if (shape.codec == Codec::kPq4) {
    std::memset(table, 0, size_t{shape.scan_dims} * 4);
  }
  for (size_t i = 0; i < shape.subvectors; ++i) {
    const float *const own = products + i * count;
    const size_t place = shape.codec == Codec::kPq8 ? i * count : nibble_entries(i);
    round_products(own, count, *std::min_element(own, own + count), 1.0f / step, table + place);
  }
  return {step, shift};
}

}  // namespace vann::quantize
