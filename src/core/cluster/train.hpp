// train.hpp — the coarse quantizer of an index of inverted lists: centroids by hierarchical k-means
// with balanced lists (k-means inside the cells of a coarser k-means; SPANN, Chen et al. 2021, section
// 3.2, bounds the lists' lengths for the same reason). See README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/pages.hpp"
#include "core/build/code_group.hpp"
#include "core/parallel/team.hpp"

namespace vann::cluster {

// Up to this many centroids a row is compared with all; above, with those of its nearest cells.
inline constexpr uint32_t kFlatLists = 4096;

struct Params {
  uint32_t lists = 1;      // centroids wanted, > 0; fewer come back when fewer rows are distinct
  bool spherical = false;  // rows are unit vectors: so are centroids (Dhillon & Modha 2001)
  uint64_t seed = 0;
  uint32_t iterations = 8;  // at most, of Lloyd's algorithm at each level; > 0
  int stage = 0;            // reported to the monitor
};

struct Centroids {
  size_t dims = 0;
  uint32_t count = 0;
  PageVector<float> values;  // [count][dims]; near numbers are near in space
  // Centroids of cell i: [cell_begin[i], cell_begin[i + 1]), none empty; one cell when count <=
  // kFlatLists, none when count is 0.
  std::vector<uint32_t> cell_begin{0};
  PageVector<float>
      cells;  // [cells][dims], the mean of a cell's rows (of unit length if spherical and not 0)
  // Mean squared distance of a row to its centroid; but for rounding at most this when rows go to the
  // nearest.
  double mean_squared = 0;

  size_t cell_count() const noexcept { return cell_begin.size() - 1; }
};

// Trains on the rows [0, rows.size()) of the view, fewer than 2^31; all are used, so the caller samples.
// At the last assignment every list had rows. The result depends on the rows, in their order, and on the
// params, not on the number of threads. Throws parallel::Cancelled, std::bad_alloc.
Centroids train(const build::RowView &rows, const Params &params, parallel::Team &team);

// Bytes that train() takes at most beside the rows, its result included: 20 per row, per list its centroid
// three times over in floats and its byte code four times, and a tile per thread.
size_t train_bytes(size_t rows, size_t dims, uint32_t lists, unsigned threads) noexcept;

}  // namespace vann::cluster
