// codebooks.cpp — a k-means per subvector, subvectors in parallel.
#include "core/codebook/codebooks.hpp"

#include <algorithm>
#include <vector>

#include "core/codebook/kmeans.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::codebook {
namespace {

using quantize::Codec;
using quantize::ListShape;

// More rows would move the entries by less than what rounding them to a code costs.
constexpr size_t rows_per_entry(Codec codec) noexcept { return codec == Codec::kPq8 ? 64 : 512; }

size_t subvector_length(const ListShape &shape, size_t i) noexcept {
  return quantize::subvector_begin(shape, i + 1) - quantize::subvector_begin(shape, i);
}

}  // namespace

void train_codebooks(const ListShape &shape, const float *residuals, size_t rows, uint64_t seed,
                     parallel::Team &team, float *codebooks) {
  sign_codebooks(shape, codebooks);
  if (rows == 0) {
    return;
  }
  const size_t entries = quantize::codebook_entries(shape.codec);
  const size_t stride = quantize::longest_subvector(shape);
  const size_t sampled = std::min(rows, entries * rows_per_entry(shape.codec));
  auto train = [&](parallel::Worker &worker, size_t first, size_t last) {
    std::vector<float> points;
    for (size_t i = first; i < last; ++i) {
      const size_t begin = quantize::subvector_begin(shape, i);
      const size_t length = subvector_length(shape, i);
      points.resize(sampled * length);
      for (size_t k = 0; k < sampled; ++k) {
        const float *row = residuals + k * rows / sampled * shape.dims + begin;
        std::copy_n(row, length, points.data() + k * length);
      }
      const KmeansTask task = {points.data(), sampled, length, entries, stride, seed, i};
      train_entries(task, worker, codebooks + i * entries * stride);
    }
  };
  team.run({.items = shape.subvectors, .chunk = 1, .stage_total = shape.subvectors}, train);
}

void sign_codebooks(const ListShape &shape, float *codebooks) noexcept {
  const size_t entries = quantize::codebook_entries(shape.codec);
  const size_t bits = shape.codec == Codec::kPq8 ? 8 : 4;
  const size_t stride = quantize::longest_subvector(shape);
  for (size_t i = 0; i < shape.subvectors; ++i) {
    const size_t length = subvector_length(shape, i);
    for (size_t u = 0; u < entries; ++u) {
      float *const entry = codebooks + (i * entries + u) * stride;
      std::fill_n(entry, stride, 0.0f);
      for (size_t k = 0; k < length; ++k) {
        const size_t bit = length < bits ? k : k * bits / length;
        entry[k] = (u >> bit & 1) != 0 ? 0.5f : -0.5f;
      }
    }
  }
}

}  // namespace vann::codebook
