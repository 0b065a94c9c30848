// candidate.cpp — scans rows of distances for the few that enter a short list. A row has hundreds
// of columns and a list about ten places, so the cost is that of rejecting: four compares and one
// branch for 16 columns, against a limit that is known to be close before the scan starts.
#include "core/build/candidate.hpp"

#include <array>
#include <cstring>

#include "core/base/no_postgres.hpp"

namespace vann::build {
namespace {

constexpr size_t kLanes = 16;

// Four at a time is what every CPU of the baseline has; wider code would need dispatch for a loop
// that is a tenth of the stage.
using Float4 [[gnu::vector_size(16)]] = float;
using Int4 [[gnu::vector_size(16)]] = int32_t;

struct Block {
  Float4 part[kLanes / 4];
};

Block load(const float *from) noexcept {
  Block block;
  std::memcpy(&block, from, sizeof block);
  return block;
}

Float4 splat(float value) noexcept { return Float4{value, value, value, value}; }

bool any_at_most(const Block &block, Float4 limit) noexcept {
  const Int4 hits = (block.part[0] <= limit) | (block.part[1] <= limit) | (block.part[2] <= limit) |
                    (block.part[3] <= limit);
  std::array<uint64_t, 2> words;
  std::memcpy(&words, &hits, sizeof words);
  return (words[0] | words[1]) != 0;
}

// A distance that at least `count` of the columns do not exceed: the count-th smallest of the 16
// minima of every 16th column. Infinite when count > 16 or the columns are too few.
float close_limit(const float *distances, size_t columns, size_t count) noexcept {
  const float infinity = std::numeric_limits<float>::infinity();
  if (count > kLanes) return infinity;
  Block minima;
  for (Float4 &part : minima.part) part = splat(infinity);
  for (size_t i = 0; i < columns; i += kLanes) {
    const Block block = load(distances + i);
    for (size_t j = 0; j < kLanes / 4; ++j) {
      // In this order NaN is never chosen.
      minima.part[j] = block.part[j] < minima.part[j] ? block.part[j] : minima.part[j];
    }
  }
  std::array<float, kLanes> values;
  std::memcpy(values.data(), &minima, sizeof minima);
  Int4 not_above[kLanes / 4] = {};  // per lane, minus the number of minima it is not below
  for (const float value : values) {
    for (size_t j = 0; j < kLanes / 4; ++j) not_above[j] += splat(value) <= minima.part[j];
  }
  float limit = infinity;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    const bool covers = -not_above[lane / 4][lane % 4] >= static_cast<int32_t>(count);
    if (covers && values[lane] < limit) limit = values[lane];
  }
  return std::max(limit, 0.0f);  // candidates below zero count as zero
}

}  // namespace

void NearestList::offer_all(const float *distances, size_t columns, const uint32_t *ids) noexcept {
  float limit = std::min(distance_of(bound()), close_limit(distances, columns, list_.size()));
  for (size_t i = 0; i < columns; i += kLanes) {
    if (!any_at_most(load(distances + i), splat(limit))) continue;
    for (size_t column = i; column < i + kLanes; ++column) {
      if (distances[column] <= limit) offer(make_candidate(distances[column], ids[column]));
    }
    limit = std::min(limit, distance_of(bound()));
  }
}

}  // namespace vann::build
