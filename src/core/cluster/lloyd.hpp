// lloyd.hpp — Lloyd's algorithm (Lloyd 1982) in many cells at once: each cell has rows and centroids of its
// own. Loops run over rows and over centroids, so cells of any sizes keep all threads busy; a mean
// sums its rows in their order, so that no result depends on threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/pages.hpp"
#include "core/build/code_group.hpp"
#include "core/cluster/assigner.hpp"
#include "core/cluster/packed.hpp"
#include "core/cluster/progress.hpp"

namespace vann::cluster {

// Rows in cells, and in each cell by list once they have been assigned.
struct Clustering {
  PageVector<uint32_t> members;      // rows of the view
  std::vector<uint32_t> cell_rows;   // members of cell i: [cell_rows[i], cell_rows[i + 1])
  std::vector<uint32_t> cell_lists;  // lists of cell i, alike; none empty if the cell has rows
  PageVector<float> centroids;       // [lists][dims]
  // As of the last assignment:
  std::vector<uint32_t> list_rows;  // members of list i: [list_rows[i], list_rows[i + 1])
  std::vector<double> list_error;   // [lists] sum of the rows' squared distances to the centroid

  size_t cells() const noexcept { return cell_rows.size() - 1; }
  uint32_t lists() const noexcept { return cell_lists.back(); }
  uint32_t rows_of_list(size_t list) const noexcept {
    return list_rows[list + 1] - list_rows[list];
  }
  uint32_t used_lists() const noexcept;  // that have rows
  double error() const noexcept;
};

// What all steps of one training share. Functions throw parallel::Cancelled, std::bad_alloc.
class Lloyd {
 public:
  // Owns neither.
  Lloyd(const build::RowView &view, bool spherical, uint64_t seed, Progress &progress)
      : view_(view), spherical_(spherical), seed_(seed), progress_(progress),
        scratch_(progress.threads()) {}

  const build::RowView &view() const noexcept { return view_; }

  // Seeds cell i with at most shares[i] distinct rows of its own; sets cell_lists, centroids.
  void seed(Clustering &clustering, std::span<const uint32_t> shares);

  // Assigns and moves at most `iterations` times, fewer when that no longer helps, and assigns.
  void run(Clustering &clustering, uint32_t iterations);

  // Assigns every row to the nearest centroid of its cell.
  void assign(Clustering &clustering);
  // The same with the centroids of all cells: rows change cells. `cells` has a mean for each cell.
  void assign_across(Clustering &clustering, std::span<const float> cells);

  // Moves each centroid to the mean of its rows, if it has any; list_error follows.
  void move_to_means(Clustering &clustering);

  // The mean of each cell's rows, or of its centroids if it has no rows: [cells][dims].
  PageVector<float> cell_means(const Clustering &clustering);

 private:
  // Rows [begin, end) of the members, all of one cell.
  struct Task {
    uint32_t cell;
    uint32_t begin;
    uint32_t end;
  };

  std::vector<Task> tasks_for(const Clustering &clustering) const;
  void pack(const Clustering &clustering);
  void regroup(Clustering &clustering, std::span<const uint32_t> cell_rows,
               std::span<const uint32_t> cell_lists);
  void move_list(Clustering &clustering, size_t list, parallel::Worker &worker);
  void mean_of(std::span<const uint32_t> ids, float *mean, parallel::Worker &worker);

  const build::RowView &view_;
  bool spherical_;
  uint64_t seed_;
  uint64_t seedings_ = 0;
  Progress &progress_;
  struct ThreadScratch {
    Assigner::Scratch assigner;
    std::vector<float> partial;  // [dims]
    std::vector<double> sum;     // [dims]
    std::vector<float> mean;     // [dims]
    std::vector<Match> matches;
  };
  std::vector<ThreadScratch> scratch_;
  PackedCentroids packed_;
  std::vector<uint32_t> first_block_;
  PageVector<build::Candidate> nearest_;  // by place in members: distance and list
  PageVector<uint32_t> regrouped_;
};

}  // namespace vann::cluster
