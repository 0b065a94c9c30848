// moving.cpp — regions divided so that both halves have about as many rows.
#include "bench/data/moving.hpp"

#include <algorithm>

namespace vann::bench {

MovingRows::MovingRows(const Dataset &data, const Attributes &attributes, size_t rows)
    : attributes_(attributes), begin_(data.held) {
  divide_regions();
  const size_t end = attributes.region.size();
  std::array<size_t, 2> available{};
  for (size_t row = begin_; row < end; ++row) ++available[first_half_[region(row)] ? 0 : 1];
  const size_t wanted = std::min({rows, available[0], 2 * available[1]});
  for (size_t row = begin_; row < end; ++row) {
    if (first_half_[region(row)] && n_original_ < wanted) {
      ++n_original_;
      original_end_ = row + 1;
    } else if (!first_half_[region(row)] && n_arriving_ < wanted / 2) {
      ++n_arriving_;
      arriving_end_ = row + 1;
    }
  }
}

// The largest first, each to the half that has fewer rows.
void MovingRows::divide_regions() {
  std::array<std::pair<size_t, size_t>, kRegions> counts{};  // rows, region
  for (size_t i = 0; i < kRegions; ++i) counts[i].second = i;
  for (size_t row = begin_; row < attributes_.region.size(); ++row) ++counts[region(row)].first;
  std::sort(counts.rbegin(), counts.rend());
  std::array<size_t, 2> rows{};
  for (const auto &[count, number] : counts) {
    const bool first = rows[0] <= rows[1];
    first_half_[number] = first;
    rows[first ? 0 : 1] += count;
  }
}

std::string MovingRows::condition(bool first_half, size_t end) const {
  std::string regions;
  for (size_t i = 0; i < kRegions; ++i) {
    if (first_half_[i] == first_half) regions += (regions.empty() ? "" : ", ") + std::to_string(i);
  }
  return "id < " + std::to_string(end) + " AND region IN (" + regions + ")";
}

}  // namespace vann::bench
