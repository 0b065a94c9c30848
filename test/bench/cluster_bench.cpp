// cluster_bench.cpp — centroids of inverted lists: train/dims/lists over 131,072 rows, and
// assign/dims/lists of 65,536 rows, on one thread. items_per_second counts rows; `error` is the mean squared
// distance of a row to its centroid, `longest` the longest list in mean lengths.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/cluster/assigner.hpp"
#include "core/cluster/train.hpp"

namespace vann::cluster {
namespace {

constexpr size_t kRows = 131072;

class QuietMonitor : public parallel::Monitor {
 public:
  bool cancelled() noexcept override { return false; }
  void progress(int, uint64_t, uint64_t) noexcept override {}
};

// A mixture of 400 parts of different spreads in a latent space of 24 dimensions, plus noise.
struct Mixture {
  explicit Mixture(size_t dims) : values(kRows * quantize::padded_dims(dims)), codes(kRows) {
    constexpr size_t kLatent = 24, kParts = 400;
    std::mt19937_64 random(5);
    std::normal_distribution<float> normal;
    std::vector<float> basis(kLatent * dims), centres(kParts * kLatent), spreads(kParts), x(dims);
    const float scale = 1.0f / std::sqrt(static_cast<float>(dims));
    for (float &value : basis) value = scale * normal(random);
    for (float &value : centres) value = normal(random);
    for (float &value : spreads) value = 0.2f + 0.6f * std::abs(normal(random));
    for (size_t row = 0; row < kRows; ++row) {
      const size_t part = random() % kParts;
      for (float &value : x) value = 0.3f * scale * normal(random);
      for (size_t j = 0; j < kLatent; ++j) {
        const float latent = centres[part * kLatent + j] + spreads[part] * normal(random);
        for (size_t i = 0; i < dims; ++i) x[i] += latent * basis[j * dims + i];
      }
      codes[row] =
          quantize::encode_bytes(x.data(), dims, values.data() + row * quantize::padded_dims(dims));
    }
    set = {kRows, dims, values.data(), codes.data(), {}};
  }

  std::vector<int8_t> values;
  std::vector<quantize::ByteCode> codes;
  build::VectorSet set;
};

const Mixture &mixture(size_t dims) {
  static const Mixture narrow(128);
  if (dims == 128) return narrow;
  static const Mixture wide(768);
  return wide;
}

Centroids trained(const build::RowView &rows, uint32_t lists) {
  QuietMonitor monitor;
  parallel::Team team(1, monitor);
  Params params;
  params.lists = lists;
  return train(rows, params, team);
}

void train_rows(benchmark::State &state) {
  const build::RowView rows(mixture(static_cast<size_t>(state.range(0))).set, nullptr, kRows);
  Centroids centroids;
  for (auto _ : state) centroids = trained(rows, static_cast<uint32_t>(state.range(1)));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kRows));

  const Assigner assigner(centroids);
  Assigner::Scratch scratch;
  std::vector<Match> matches(kRows);
  assigner.nearest(rows, 0, 1, matches, scratch);
  std::vector<double> lengths(centroids.count);
  double error = 0;
  for (const Match &match : matches) {
    error += static_cast<double>(match.squared_distance) / kRows;
    lengths[match.list] += static_cast<double>(centroids.count) / kRows;
  }
  state.counters["error"] = error;
  state.counters["longest"] = *std::max_element(lengths.begin(), lengths.end());
}

void assign_rows(benchmark::State &state) {
  constexpr size_t kAssigned = 65536;
  const build::RowView rows(mixture(static_cast<size_t>(state.range(0))).set, nullptr, kRows);
  const Assigner assigner(trained(rows, static_cast<uint32_t>(state.range(1))));
  Assigner::Scratch scratch;
  std::vector<Match> matches(kAssigned);
  for (auto _ : state) assigner.nearest(rows, 0, 1, matches, scratch);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kAssigned));
}

BENCHMARK(train_rows)
    ->Name("train")
    ->Args({128, 256})
    ->Args({128, 2048})
    ->Args({768, 2048})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(assign_rows)
    ->Name("assign")
    ->Args({128, 2048})
    ->Args({128, 8192})
    ->Args({768, 2048})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vann::cluster
