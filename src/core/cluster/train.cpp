// train.cpp — the levels of a training: cells on a sample, lists in the cells, balance, steps across.
#include "core/cluster/train.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/build/pivots.hpp"
#include "core/cluster/balance.hpp"
#include "core/cluster/lloyd.hpp"
#include "core/cluster/order.hpp"
#include "core/cluster/seeds.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::cluster {
namespace {

constexpr uint32_t kOneLevelLists = 256;
constexpr size_t kSampleRowsPerCell = 256;
constexpr uint32_t kBalanceRounds = 3;
constexpr uint32_t kBalanceIterations = 2;
constexpr uint32_t kStepsAcross = 2;

// All rows of `members` in one cell.
Clustering one_cell(PageVector<uint32_t> members) {
  Clustering clustering;
  clustering.cell_rows = {0, static_cast<uint32_t>(members.size())};
  clustering.members = std::move(members);
  return clustering;
}

PageVector<uint32_t> all_rows(size_t rows) {
  PageVector<uint32_t> ids(rows);
  std::iota(ids.begin(), ids.end(), 0u);
  return ids;
}

void balance_lists(Lloyd &lloyd, Clustering &clustering, uint32_t wanted) {
  for (uint32_t round = 0; round < kBalanceRounds; ++round) {
    if (!balance(lloyd, clustering, wanted, Plan::kBalance, kBalanceIterations)) break;
  }
  fill(lloyd, clustering, wanted);
}

// The rows of each of about sqrt(lists) cells, found on a sample: every row in its nearest cell.
Clustering make_cells(Lloyd &lloyd, uint32_t lists, const Params &params) {
  const auto cells = static_cast<uint32_t>(std::lround(std::sqrt(static_cast<double>(lists))));
  const size_t rows = lloyd.view().size();
  PageVector<uint32_t> ids = all_rows(rows);
  build::Random random(params.seed, ~uint64_t{0});
  const std::vector<uint32_t> sample =
      build::stratified_sample(ids, std::min(rows, cells * kSampleRowsPerCell), random);
  Clustering coarse = one_cell({sample.begin(), sample.end()});
  lloyd.seed(coarse, std::span(&cells, 1));
  lloyd.run(coarse, params.iterations);
  balance_lists(lloyd, coarse, cells);

  coarse.members = std::move(ids);
  coarse.cell_rows = {0, static_cast<uint32_t>(rows)};
  lloyd.assign(coarse);
  drop_empty(lloyd.view().dims(), coarse);
  coarse.cell_rows = std::move(coarse.list_rows);
  return coarse;
}

std::vector<uint32_t> rows_of_cells(const Clustering &clustering) {
  std::vector<uint32_t> rows(clustering.cells());
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i] = clustering.cell_rows[i + 1] - clustering.cell_rows[i];
  }
  return rows;
}

// Rows go to the nearest centroid of any cell, and centroids to their means. A list that loses all its
// rows splits another.
void step_across(Lloyd &lloyd, Clustering &clustering, uint32_t wanted) {
  lloyd.assign_across(clustering, lloyd.cell_means(clustering));
  fill(lloyd, clustering, wanted);
  drop_empty(lloyd.view().dims(), clustering);
  lloyd.move_to_means(clustering);
}

// Numbers near centroids alike. Few ones then form one cell, because rows are compared with all.
void finish(Lloyd &lloyd, Clustering &clustering, Progress &progress, Centroids &centroids) {
  centroids.count = clustering.lists();
  centroids.mean_squared = clustering.error() / static_cast<double>(lloyd.view().size());
  centroids.cell_begin = clustering.cell_lists;
  centroids.cells = lloyd.cell_means(clustering);
  centroids.values = std::move(clustering.centroids);
  arrange(centroids, progress);
  if (centroids.count > kFlatLists || centroids.cell_count() == 1) return;
  clustering.centroids.assign(centroids.values.begin(),
                              centroids.values.begin() + static_cast<ptrdiff_t>(centroids.dims));
  clustering.cell_lists = {0, 1};
  clustering.cell_rows = {0, static_cast<uint32_t>(clustering.members.size())};
  centroids.cell_begin = {0, centroids.count};
  centroids.cells = lloyd.cell_means(clustering);
}

// Of an assignment, a pass over the means and one over the blocks of centroids, as often as turns go.
uint64_t estimated_items(size_t rows, uint32_t lists, uint32_t iterations) {
  const uint64_t turns = iterations + kBalanceRounds * (kBalanceIterations + 1) + 2;
  return turns * (rows / 256 + lists + lists / 256);
}

}  // namespace

Centroids train(const build::RowView &rows, const Params &params, parallel::Team &team) {
  Centroids centroids;
  centroids.dims = rows.dims();
  const auto wanted = static_cast<uint32_t>(std::min<size_t>(params.lists, rows.size()));
  if (wanted == 0) return centroids;
  Progress progress(team, params.stage, estimated_items(rows.size(), wanted, params.iterations));
  Lloyd lloyd(rows, params.spherical, params.seed, progress);

  Clustering clustering;
  std::vector<uint32_t> shares{wanted};
  if (wanted <= kOneLevelLists) {
    clustering = one_cell(all_rows(rows.size()));
  } else {
    clustering = make_cells(lloyd, wanted, params);
    shares = apportion(rows_of_cells(clustering), wanted);
  }
  lloyd.seed(clustering, shares);
  lloyd.run(clustering, params.iterations);
  balance_lists(lloyd, clustering, wanted);
  if (clustering.cells() == 1) {
    drop_empty(rows.dims(), clustering);
    lloyd.move_to_means(clustering);
  } else {
    for (uint32_t i = 0; i < kStepsAcross; ++i) step_across(lloyd, clustering, wanted);
  }

  finish(lloyd, clustering, progress, centroids);
  progress.finish();
  return centroids;
}

size_t train_bytes(size_t rows, size_t dims, uint32_t lists, unsigned threads) noexcept {
  return rows * 20 + lists * (3 * 4 * dims + 4 * quantize::padded_dims(dims) + 200) +
         threads * (size_t{1} << 20);
}

}  // namespace vann::cluster
