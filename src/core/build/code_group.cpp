// code_group.cpp — gathers byte codes and turns integer products into squared L2 distances.
#include "core/build/code_group.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/base/no_postgres.hpp"

namespace vann::build {
namespace {

constexpr size_t kColumnBlock = 16;

float half_offset(const quantize::ByteCode &code, size_t dims) noexcept {
  return 0.5f * static_cast<float>(code.sum) + 0.125f * static_cast<float>(dims);
}

// What the row on the left contributes to a distance.
struct LeftTerms {
  float norm;
  float two_delta;
  float half;
};

// |a|^2 + |b|^2 - 2 <a, b>. Doubling delta is exact, so swapping a and b gives the same bits.
inline float squared_distance(const LeftTerms &a, int32_t dot, float norm, float delta,
                              float half) noexcept {
  const float levels = static_cast<float>(dot) + (a.half + half);
  return (a.norm + norm) - (a.two_delta * delta) * levels;
}

}  // namespace

float RowView::distance(uint32_t a, uint32_t b) const noexcept {
  const quantize::ByteCode &left = code(a);
  const quantize::ByteCode &right = code(b);
  const LeftTerms terms{quantize::decoded_norm_squared(left.factors), 2.0f * left.factors.delta,
                        half_offset(left, dims())};
  return squared_distance(terms, simd::kernels().dot_i8(values(a), values(b), stride_),
                          quantize::decoded_norm_squared(right.factors), right.factors.delta,
                          half_offset(right, dims()));
}

void CodeGroup::gather(const RowView &view, std::span<const uint32_t> ids) {
  size_ = ids.size();
  stride_ = view.stride();
  const size_t columns = (size_ + kColumnBlock - 1) / kColumnBlock * kColumnBlock;
  norm_.assign(columns, std::numeric_limits<float>::quiet_NaN());
  delta_.assign(columns, 0.0f);
  half_.assign(columns, 0.0f);
  int8_t *values = values_.reserve(size_ * stride_);
  // The rows lie anywhere in memory: the fetches are started well before the copies.
  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < size_; ++i) {
    if (i + kAhead < size_) {
      const int8_t *next = view.values(ids[i + kAhead]);
      for (size_t byte = 0; byte < stride_; byte += 64) __builtin_prefetch(next + byte);
      __builtin_prefetch(&view.code(ids[i + kAhead]));
    }
    const quantize::ByteCode &code = view.code(ids[i]);
    norm_[i] = quantize::decoded_norm_squared(code.factors);
    delta_[i] = code.factors.delta;
    half_[i] = half_offset(code, view.dims());
    std::memcpy(values + i * stride_, view.values(ids[i]), stride_);
  }
}

void CodeGroup::pack() {
  int8_t *packed = packed_.reserve(simd::packed_i8_bytes(size_, stride_));
  simd::kernels().pack_i8(values_.data(), stride_, size_, stride_, packed);
}

void DistanceTile::multiply(const CodeGroup &a, size_t first, size_t count, const CodeGroup &b) {
  a_ = &a;
  b_ = &b;
  first_ = first;
  int32_t *products = products_.reserve(count * b.columns());
  distances_.reserve(b.columns());
  simd::kernels().products_i8(a.values_.data() + first * a.stride_, a.stride_, count,
                              b.packed_.data(), b.size_, b.stride_, products, b.columns());
}

float *DistanceTile::row(size_t i, size_t from) {
  const size_t columns = b_->columns();
  const int32_t *products = products_.data() + i * columns;
  const LeftTerms left{a_->norm_[first_ + i], 2.0f * a_->delta_[first_ + i], a_->half_[first_ + i]};
  const float *norm = b_->norm_.data();
  const float *delta = b_->delta_.data();
  const float *half = b_->half_.data();
  float *distances = distances_.reserve(columns);
  for (size_t j = from; j < columns; ++j) {
    distances[j] = squared_distance(left, products[j], norm[j], delta[j], half[j]);
  }
  return distances;
}

}  // namespace vann::build
