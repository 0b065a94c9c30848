// lloyd.cpp — assignment, regrouping by list, and means.
#include "core/cluster/lloyd.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/build/pivots.hpp"
#include "core/cluster/seeds.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::cluster {
namespace {

using build::Candidate;

constexpr uint32_t kTaskRows = 256;
constexpr size_t kBatchRows = 1024;  // together in front of all centroids
constexpr size_t kMeanChunk = 8;
// Floats sum this many rows; their sums are summed in double precision.
constexpr size_t kFloatRows = 256;
// Iterations end when they lower the error by less than this share.
constexpr double kLeastGain = 1e-3;

double squared_distance(const double *a, const float *b, size_t dims) noexcept {
  double sum = 0;
  for (size_t i = 0; i < dims; ++i) {
    const double difference = a[i] - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

}  // namespace

uint32_t Clustering::used_lists() const noexcept {
  uint32_t used = 0;
  for (size_t list = 0; list < lists(); ++list) used += rows_of_list(list) > 0;
  return used;
}

double Clustering::error() const noexcept {
  return std::accumulate(list_error.begin(), list_error.end(), 0.0);
}

// ---- Seeds -----------------------------------------------------------------------------------

void Lloyd::seed(Clustering &clustering, std::span<const uint32_t> shares) {
  const size_t dims = view_.dims();
  std::vector<std::vector<uint32_t>> seeds(clustering.cells());
  const uint64_t stream = seedings_++ << 32;  // one for each cell and seeding
  progress_.run(seeds.size(), 1, [&](parallel::Worker &worker, size_t begin, size_t end) {
    for (size_t cell = begin; cell < end; ++cell) {
      const uint32_t first = clustering.cell_rows[cell];
      const uint32_t rows = clustering.cell_rows[cell + 1] - first;
      if (rows == 0) continue;
      build::Random random(seed_, stream + cell);
      seeds[cell] = choose_seeds(view_, std::span(clustering.members).subspan(first, rows),
                                 shares[cell], random, worker);
    }
  });
  clustering.cell_lists.assign(1, 0);
  for (const auto &of_cell : seeds) {
    clustering.cell_lists.push_back(clustering.lists() + static_cast<uint32_t>(of_cell.size()));
  }
  clustering.centroids.resize(clustering.lists() * dims);
  float *centroid = clustering.centroids.data();
  for (const auto &of_cell : seeds) {
    for (const uint32_t row : of_cell) {
      quantize::decode_bytes(view_.values(row), view_.code(row).factors, dims, centroid);
      centroid += dims;
    }
  }
}

// ---- Assignment ------------------------------------------------------------------------------

void Lloyd::pack(const Clustering &clustering) {
  packed_.resize(cut_blocks(clustering.cell_lists, first_block_));
  progress_.run(packed_.blocks(), 1, [&](parallel::Worker &, size_t begin, size_t end) {
    for (size_t block = begin; block < end; ++block) {
      packed_.pack(block, clustering.centroids.data(), view_.dims());
    }
  });
}

std::vector<Lloyd::Task> Lloyd::tasks_for(const Clustering &clustering) const {
  std::vector<Task> tasks;
  for (uint32_t cell = 0; cell < clustering.cells(); ++cell) {
    const uint32_t cell_end = clustering.cell_rows[cell + 1];
    for (uint32_t begin = clustering.cell_rows[cell]; begin < cell_end; begin += kTaskRows) {
      tasks.push_back({cell, begin, std::min(begin + kTaskRows, cell_end)});
    }
  }
  return tasks;
}

void Lloyd::assign(Clustering &clustering) {
  pack(clustering);
  nearest_.assign(clustering.members.size(), build::kNoCandidate);
  const std::vector<Task> tasks = tasks_for(clustering);
  progress_.run(tasks.size(), 4, [&](parallel::Worker &worker, size_t begin, size_t end) {
    MeasureScratch &scratch = scratch_[worker.index()].assigner.measure;
    for (size_t i = begin; i < end; ++i) {
      const Task &task = tasks[i];
      for (size_t tile = task.begin; tile < task.end; tile += kTileRows) {
        worker.checkpoint();
        const size_t count = std::min(kTileRows, task.end - tile);
        scratch.rows.gather(view_, std::span(clustering.members).subspan(tile, count));
        for (size_t block = first_block_[task.cell]; block < first_block_[task.cell + 1]; ++block) {
          packed_.offer(block, 1, scratch, nearest_.data() + tile);
        }
      }
    }
  });
  const std::vector<uint32_t> cell_rows = clustering.cell_rows;
  regroup(clustering, cell_rows, clustering.cell_lists);
}

void Lloyd::assign_across(Clustering &clustering, std::span<const float> cells) {
  const Assigner assigner(clustering.centroids.data(), view_.dims(), clustering.cell_lists,
                          cells.data());
  nearest_.resize(clustering.members.size());
  // The members must be rows in their order for the assigner to take ranges of them.
  std::iota(clustering.members.begin(), clustering.members.end(), 0u);
  const size_t rows = nearest_.size();
  const size_t batches = (rows + kBatchRows - 1) / kBatchRows;
  progress_.run(batches, 1, [&](parallel::Worker &worker, size_t first, size_t last) {
    ThreadScratch &scratch = scratch_[worker.index()];
    const size_t begin = first * kBatchRows;
    scratch.matches.resize(std::min(last * kBatchRows, rows) - begin);
    assigner.nearest(view_, begin, 1, scratch.matches, scratch.assigner);
    for (size_t i = 0; i < scratch.matches.size(); ++i) {
      const Match &match = scratch.matches[i];
      nearest_[begin + i] = build::make_candidate(match.squared_distance, match.list);
    }
  });
  const uint32_t all_rows[] = {0, static_cast<uint32_t>(nearest_.size())};
  const uint32_t all_lists[] = {0, clustering.lists()};
  regroup(clustering, all_rows, all_lists);
  for (size_t cell = 0; cell < clustering.cells(); ++cell) {
    clustering.cell_rows[cell + 1] = clustering.list_rows[clustering.cell_lists[cell + 1]];
  }
}

// Sorts the members of each range of rows by their list, one of the range of lists, keeping order.
void Lloyd::regroup(Clustering &clustering, std::span<const uint32_t> cell_rows,
                    std::span<const uint32_t> cell_lists) {
  regrouped_.resize(clustering.members.size());
  clustering.list_rows.assign(clustering.lists() + 1, 0);
  clustering.list_error.assign(clustering.lists(), 0.0);
  progress_.run(cell_rows.size() - 1, 1, [&](parallel::Worker &worker, size_t first, size_t last) {
    for (size_t cell = first; cell < last; ++cell) {
      const uint32_t lists_begin = cell_lists[cell];
      std::vector<uint32_t> next(cell_lists[cell + 1] - lists_begin + 1);
      for (size_t i = cell_rows[cell]; i < cell_rows[cell + 1]; ++i) {
        // A row whose distances are not numbers goes to the first list.
        if (nearest_[i] == build::kNoCandidate) nearest_[i] = lists_begin;
        const uint32_t list = build::row_of(nearest_[i]);
        ++next[list - lists_begin + 1];
        clustering.list_error[list] += static_cast<double>(build::distance_of(nearest_[i]));
        if (i % 65536 == 0) worker.checkpoint();
      }
      next[0] = cell_rows[cell];
      std::partial_sum(next.begin(), next.end(), next.begin());
      std::copy(next.begin() + 1, next.end(), clustering.list_rows.begin() + lists_begin + 1);
      for (size_t i = cell_rows[cell]; i < cell_rows[cell + 1]; ++i) {
        regrouped_[next[build::row_of(nearest_[i]) - lists_begin]++] = clustering.members[i];
        if (i % 65536 == 0) worker.checkpoint();
      }
    }
  });
  clustering.members.swap(regrouped_);
}

// ---- Means -----------------------------------------------------------------------------------

// The mean of rows, scaled to unit length if spherical; the unscaled one stays in the scratch sum.
void Lloyd::mean_of(std::span<const uint32_t> ids, float *mean, parallel::Worker &worker) {
  ThreadScratch &scratch = scratch_[worker.index()];
  const size_t dims = view_.dims();
  scratch.sum.assign(dims, 0.0);
  for (size_t begin = 0; begin < ids.size(); begin += kFloatRows) {
    worker.checkpoint();
    scratch.partial.assign(dims, 0.0f);
    for (const uint32_t id : ids.subspan(begin, std::min(kFloatRows, ids.size() - begin))) {
      build::add_decoded(view_.values(id), view_.code(id).factors.delta, dims,
                         scratch.partial.data());
    }
    for (size_t i = 0; i < dims; ++i) scratch.sum[i] += static_cast<double>(scratch.partial[i]);
  }
  double norm = 0;
  for (double &x : scratch.sum) {
    x /= static_cast<double>(ids.size());
    norm += x * x;
  }
  // A mean of zero has no direction: the old centroid stays.
  if (spherical_ && !(norm > 1e-20)) return;
  const double scale = spherical_ ? 1.0 / std::sqrt(norm) : 1.0;
  for (size_t i = 0; i < dims; ++i) mean[i] = static_cast<float>(scratch.sum[i] * scale);
}

// With m the mean of n rows, sum |x - c'|^2 = sum |x - c|^2 - n (|m - c|^2 - |m - c'|^2).
void Lloyd::move_list(Clustering &clustering, size_t list, parallel::Worker &worker) {
  const size_t rows = clustering.rows_of_list(list);
  if (rows == 0) return;
  ThreadScratch &scratch = scratch_[worker.index()];
  const size_t dims = view_.dims();
  float *centroid = clustering.centroids.data() + list * dims;
  scratch.mean.assign(centroid, centroid + dims);
  mean_of(std::span(clustering.members).subspan(clustering.list_rows[list], rows), centroid,
          worker);
  const double gain = squared_distance(scratch.sum.data(), scratch.mean.data(), dims) -
                      squared_distance(scratch.sum.data(), centroid, dims);
  double &error = clustering.list_error[list];
  error = std::max(0.0, error - static_cast<double>(rows) * gain);
}

void Lloyd::move_to_means(Clustering &clustering) {
  progress_.run(clustering.lists(), kMeanChunk,
                [&](parallel::Worker &worker, size_t begin, size_t end) {
                  for (size_t list = begin; list < end; ++list) {
                    move_list(clustering, list, worker);
                  }
                });
}

PageVector<float> Lloyd::cell_means(const Clustering &clustering) {
  const size_t dims = view_.dims();
  PageVector<float> means(clustering.cells() * dims);
  progress_.run(clustering.cells(), 1, [&](parallel::Worker &worker, size_t begin, size_t end) {
    for (size_t cell = begin; cell < end; ++cell) {
      float *mean = means.data() + cell * dims;
      const uint32_t first = clustering.cell_rows[cell];
      const uint32_t rows = clustering.cell_rows[cell + 1] - first;
      // Stands when there are no rows, or when they have no direction.
      std::copy_n(clustering.centroids.data() + clustering.cell_lists[cell] * dims, dims, mean);
      if (rows > 0) mean_of(std::span(clustering.members).subspan(first, rows), mean, worker);
    }
  });
  return means;
}

// ---- Iterations ------------------------------------------------------------------------------

void Lloyd::run(Clustering &clustering, uint32_t iterations) {
  assign(clustering);
  double error = clustering.error();
  for (uint32_t i = 0; i < iterations; ++i) {
    move_to_means(clustering);
    assign(clustering);
    const double now = clustering.error();
    if (!(error - now > kLeastGain * error)) break;
    error = now;
  }
}

}  // namespace vann::cluster
