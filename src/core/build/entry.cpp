// entry.cpp — the mean of a sample, and one distance per row.
#include "core/build/entry.hpp"

#include <algorithm>
#include <numeric>

#include "core/build/pivots.hpp"
#include "core/build/random.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::build {
namespace {

constexpr size_t kMeanSample = 16384;
constexpr size_t kRowsPerChunk = 1024;

}  // namespace

MeanRow mean_row(const RowView &view) {
  std::vector<uint32_t> ids(view.size());
  std::iota(ids.begin(), ids.end(), 0u);
  Random random(0, 0);
  const auto sample = stratified_sample(ids, std::min(ids.size(), kMeanSample), random);
  std::vector<float> mean(view.dims());
  for (const uint32_t row : sample) {
    add_decoded(view.values(row), view.code(row).factors.delta, view.dims(), mean.data());
  }
  for (float &value : mean) value /= static_cast<float>(sample.size());
  MeanRow result{std::vector<int8_t>(view.stride()), {}};
  result.code = quantize::encode_bytes(mean.data(), view.dims(), result.values.data());
  return result;
}

Candidate nearest_to(const RowView &view, const MeanRow &mean, Stage stage, parallel::Team &team) {
  const VectorSet mean_set{1, view.dims(), mean.values.data(), &mean.code, {}};
  const uint32_t first = 0;
  CodeGroup centre;
  centre.gather(RowView(mean_set, nullptr, 1), {&first, 1});
  centre.pack();

  std::vector<PivotScratch> scratch(team.threads());
  std::vector<Candidate> nearest(team.threads(), kNoCandidate);
  const parallel::Loop loop{static_cast<int>(stage), view.size(), kRowsPerChunk, 0, view.size()};
  team.run(loop, [&](parallel::Worker &worker, size_t begin, size_t end) {
    PivotScratch &own = scratch[worker.index()];
    std::vector<uint32_t> ids(end - begin);
    std::iota(ids.begin(), ids.end(), static_cast<uint32_t>(begin));
    own.rows.gather(view, ids);
    own.tile.multiply(own.rows, 0, ids.size(), centre);
    Candidate &best = nearest[worker.index()];
    for (size_t i = 0; i < ids.size(); ++i) {
      const float distance = own.tile.row(i)[0];
      if (distance == distance) best = std::min(best, make_candidate(distance, ids[i]));
    }
  });
  return *std::min_element(nearest.begin(), nearest.end());
}

uint32_t find_entry(const RowView &view, parallel::Team &team) {
  const Candidate nearest = nearest_to(view, mean_row(view), Stage::kConnect, team);
  return nearest == kNoCandidate ? 0 : row_of(nearest);
}

}  // namespace vann::build
