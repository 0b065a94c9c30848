// seeds.cpp — k-means++ on a sample, and Webster's apportionment.
#include "core/cluster/seeds.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <queue>
#include <utility>

#include "core/build/pivots.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::cluster {
namespace {

constexpr size_t kSampleRowsPerSeed = 16;
constexpr size_t kLeastSample = 64;
// Below this share of a row's norm a distance is rounding, unless the codes differ.
constexpr float kRoundingShare = 1e-5f;

double unit_interval(build::Random &random) noexcept {
  return static_cast<double>(random.next() >> 11) * 0x1p-53;
}

// Squared distance, positive exactly when the codes differ; NaN counts as zero, so that such a row is
// never drawn.
float seed_distance(const build::RowView &view, uint32_t a, uint32_t b) noexcept {
  const float distance = view.distance(a, b);
  const float noise = kRoundingShare * quantize::decoded_norm_squared(view.code(a).factors);
  if (distance > noise) return distance;
  if (!(distance <= noise) || same_code(view, a, b)) return 0.0f;
  return std::max(distance, 0.01f * noise);
}

// The place of a draw from weights that sum to `total` > 0; always one of positive weight.
size_t draw(std::span<const float> weights, double total, build::Random &random) noexcept {
  double left = unit_interval(random) * total;
  size_t last = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] > 0.0f)) continue;
    last = i;
    left -= static_cast<double>(weights[i]);
    if (left < 0.0) break;
  }
  return last;
}

}  // namespace

bool same_code(const build::RowView &view, uint32_t a, uint32_t b) noexcept {
  return view.code(a).factors.delta == view.code(b).factors.delta &&
         std::memcmp(view.values(a), view.values(b), view.stride()) == 0;
}

uint32_t find_other(const build::RowView &view, std::span<const uint32_t> ids) noexcept {
  for (const uint32_t id : ids) {
    if (!same_code(view, ids.front(), id)) return id;
  }
  return ids.front();
}

std::vector<uint32_t> choose_seeds(const build::RowView &view, std::span<const uint32_t> ids,
                                   size_t count, build::Random &random, parallel::Worker &worker) {
  const size_t wanted_rows = std::max(kLeastSample, count * kSampleRowsPerSeed);
  const std::vector<uint32_t> sample =
      build::stratified_sample(ids, std::min(ids.size(), wanted_rows), random);
  std::vector<uint32_t> seeds{sample[random.below(sample.size())]};
  std::vector<float> nearest(sample.size(), std::numeric_limits<float>::infinity());
  while (seeds.size() < count) {
    worker.checkpoint();
    double total = 0.0;
    for (size_t i = 0; i < sample.size(); ++i) {
      nearest[i] = std::min(nearest[i], seed_distance(view, sample[i], seeds.back()));
      total += static_cast<double>(nearest[i]);
    }
    if (!(total > 0.0)) break;
    seeds.push_back(sample[draw(nearest, total, random)]);
  }
  if (seeds.size() == 1 && count > 1) {
    const uint32_t first = ids.front();
    const uint32_t other = same_code(view, first, seeds[0]) ? find_other(view, ids) : first;
    if (!same_code(view, other, seeds[0])) seeds.push_back(other);
  }
  return seeds;
}

std::vector<uint32_t> apportion(std::span<const uint32_t> weights, uint32_t seats) {
  std::vector<uint32_t> shares(weights.size());
  // The largest quotient first, of equal ones the lowest number.
  using Entry = std::pair<double, uint32_t>;
  const auto later = [](const Entry &a, const Entry &b) {
    return a.first != b.first ? a.first < b.first : a.second > b.second;
  };
  std::priority_queue<Entry, std::vector<Entry>, decltype(later)> queue(later);
  const auto quotient = [&](uint32_t i) {
    return static_cast<double>(weights[i]) / (2.0 * shares[i] + 1.0);
  };
  for (uint32_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    shares[i] = 1;
    queue.push({quotient(i), i});
  }
  for (size_t given = queue.size(); given < seats && !queue.empty(); ++given) {
    const uint32_t i = queue.top().second;
    queue.pop();
    ++shares[i];
    queue.push({quotient(i), i});
  }
  return shares;
}

}  // namespace vann::cluster
