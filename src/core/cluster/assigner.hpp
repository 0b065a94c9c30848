// assigner.hpp — the nearest centroids of many rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/cluster/packed.hpp"
#include "core/cluster/train.hpp"

namespace vann::cluster {

inline constexpr uint32_t kNoList = 0xffffffffu;

struct Match {
  uint32_t list;
  float squared_distance;  // between the decoded codes of the row and of the centroid
};

// Centroids packed once. Const functions are thread-safe, with scratch for each thread.
class Assigner {
 public:
  // Per-thread memory: about 200 bytes and a list of cells per row of a batch, and a tile.
  struct Scratch {
    MeasureScratch measure;
    std::vector<build::Candidate> best;       // [batch][wanted]
    std::vector<build::Candidate> cells;      // [batch][probes]
    std::vector<build::Candidate> tile_best;  // [kTileRows][wanted]
    std::vector<uint32_t> probe_begin;        // [cells + 1]
    std::vector<uint32_t> probe_rows;         // rows that look into a cell, by cell
    std::vector<uint32_t> ids;                // rows of the batch
    std::vector<uint32_t> tile_ids;
  };

  // Copies what it needs of the centroids. Throws std::bad_alloc.
  explicit Assigner(const Centroids &centroids);
  // The same from the parts of Centroids.
  Assigner(const float *values, size_t dims, std::span<const uint32_t> cell_begin,
           const float *cells);

  uint32_t count() const noexcept { return count_; }
  // Cells that a row looks into; 0: rows are compared with every centroid.
  size_t probes() const noexcept { return probes_; }

  // The `wanted` nearest centroids of the rows [begin, begin + out.size() / wanted) of the view, nearest
  // first, equal ones by number: out[rows][wanted], wanted > 0. Slots that no centroid is left for hold
  // {kNoList, infinity}; a row whose distances are not numbers has list 0. Exact up to kFlatLists
  // centroids; above, of the probes() nearest cells. Throws std::bad_alloc.
  void nearest(const build::RowView &rows, size_t begin, size_t wanted, std::span<Match> out,
               Scratch &scratch) const;

 private:
  void measure_batch(const build::RowView &rows, size_t wanted, Scratch &scratch) const;
  void measure_all(const build::RowView &rows, size_t wanted, Scratch &scratch) const;
  void measure_cells(const build::RowView &rows, Scratch &scratch) const;
  void measure_probed(const build::RowView &rows, size_t wanted, Scratch &scratch) const;

  uint32_t count_;
  size_t probes_;
  PackedCentroids lists_;
  std::vector<uint32_t> first_block_;  // of a cell's lists
  PackedCentroids cells_;
};

}  // namespace vann::cluster
