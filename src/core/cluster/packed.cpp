// packed.cpp — encodes blocks of centroids and keeps the nearest of them.
#include "core/cluster/packed.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/quantize/lanes.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::cluster {
namespace {

using quantize::Float4;
using quantize::Int4;
using quantize::load4;
using quantize::splat;

constexpr size_t kGroup = 16;  // columns come in multiples of it

// Never NaN unless `than` is.
Float4 least(Float4 value, Float4 than) noexcept { return value < than ? value : than; }

bool any_at_most(Float4 values, Float4 limit) noexcept {
  const Int4 hits = values <= limit;
  std::array<uint64_t, 2> words;
  std::memcpy(&words, &hits, sizeof words);
  return (words[0] | words[1]) != 0;
}

// The wanted-th smallest of four lanes, each the least of columns of its own: so many columns are at
// or below it. Infinite when more are wanted.
float close_limit(Float4 lanes, size_t wanted) noexcept {
  std::array<float, 4> values;
  if (wanted > values.size()) return std::numeric_limits<float>::infinity();
  std::memcpy(values.data(), &lanes, sizeof lanes);
  if (wanted == 1) return std::min({values[0], values[1], values[2], values[3]});
  std::sort(values.begin(), values.end());
  return values[wanted - 1];
}

// Offers columns to an ascending list. The first pass finds the least of every 16 columns and a limit
// close to what the list will end at; the second looks only where that limit is met. NaN is never taken.
void offer_row(const float *distances, size_t columns, uint32_t first_number,
               std::span<build::Candidate> best) noexcept {
  std::array<Float4, kBlockColumns / kGroup> minima;
  Float4 lanes = splat(std::numeric_limits<float>::infinity());
  for (size_t i = 0; i < columns; i += kGroup) {
    Float4 nearest = splat(std::numeric_limits<float>::infinity());
    for (size_t j = i; j < i + kGroup; j += 4) nearest = least(load4(distances + j), nearest);
    minima[i / kGroup] = nearest;
    lanes = least(nearest, lanes);
  }
  // Candidates below zero count as zero.
  float limit =
      std::max(0.0f, std::min(close_limit(lanes, best.size()), build::distance_of(best.back())));
  for (size_t i = 0; i < columns; i += kGroup) {
    if (!any_at_most(minima[i / kGroup], splat(limit))) continue;
    for (size_t column = i; column < i + kGroup; ++column) {
      if (!(distances[column] <= limit)) continue;
      const auto number = first_number + static_cast<uint32_t>(column);
      build::insert_candidate(best, build::make_candidate(distances[column], number));
      limit = std::min(limit, build::distance_of(best.back()));
    }
  }
}

}  // namespace

void PackedCentroids::resize(std::span<const uint32_t> begin) {
  begin_.assign(begin.begin(), begin.end());
  groups_.resize(begin_.size() - 1);
  numbers_.resize(begin_.back());
  std::iota(numbers_.begin(), numbers_.end(), 0u);
}

void PackedCentroids::pack(size_t block, const float *values, size_t dims) {
  const size_t first = begin_[block];
  const size_t count = begin_[block + 1] - first;
  const size_t stride = quantize::padded_dims(dims);
  AlignedBuffer<int8_t> bytes;
  std::vector<quantize::ByteCode> codes(count);
  bytes.reserve(count * stride);
  for (size_t i = 0; i < count; ++i) {
    codes[i] = quantize::encode_bytes(values + (first + i) * dims, dims, bytes.data() + i * stride);
  }
  const build::VectorSet set{count, dims, bytes.data(), codes.data(), {}};
  groups_[block].gather(build::RowView(set, nullptr, count), std::span(numbers_).first(count));
  groups_[block].pack();
}

void PackedCentroids::offer(size_t block, size_t wanted, MeasureScratch &scratch,
                            build::Candidate *best) const {
  const build::CodeGroup &group = groups_[block];
  const size_t rows = scratch.rows.size();
  scratch.tile.multiply(scratch.rows, 0, rows, group);
  for (size_t i = 0; i < rows; ++i) {
    offer_row(scratch.tile.row(i), group.columns(), begin_[block], {best + i * wanted, wanted});
  }
}

std::vector<uint32_t> cut_blocks(std::span<const uint32_t> begin,
                                 std::vector<uint32_t> &first_block) {
  std::vector<uint32_t> bounds{begin[0]};
  first_block.assign(1, 0);
  for (size_t i = 0; i + 1 < begin.size(); ++i) {
    const size_t count = begin[i + 1] - begin[i];
    const size_t blocks = (count + kBlockColumns - 1) / kBlockColumns;
    for (size_t j = 1; j <= blocks; ++j) {
      bounds.push_back(begin[i] + static_cast<uint32_t>(count * j / blocks));
    }
    first_block.push_back(static_cast<uint32_t>(bounds.size() - 1));
  }
  return bounds;
}

}  // namespace vann::cluster
