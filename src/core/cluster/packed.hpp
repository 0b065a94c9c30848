// packed.hpp — centroids as byte codes in the form of the product kernel, in blocks of consecutive
// numbers: what rows are measured against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/build/candidate.hpp"
#include "core/build/code_group.hpp"

namespace vann::cluster {

// A tile of rows times a block of centroids fills a part of a second-level cache.
inline constexpr size_t kTileRows = 64;
inline constexpr size_t kBlockColumns = 512;

// Per-thread memory for measuring rows.
struct MeasureScratch {
  build::CodeGroup rows;
  build::DistanceTile tile;
};

// Const functions are thread-safe.
class PackedCentroids {
 public:
  // Makes room for blocks [begin[i], begin[i + 1]), to be filled by pack(). Throws std::bad_alloc.
  void resize(std::span<const uint32_t> begin);

  // Encodes the centroids of a block, values[all][dims]. Different blocks may be packed by different
  // threads. Throws std::bad_alloc.
  void pack(size_t block, const float *values, size_t dims);

  size_t blocks() const noexcept { return groups_.size(); }

  // Offers the block's centroids to the nearest of each of scratch.rows, at most kTileRows:
  // best[rows][wanted], ascending, as candidates with the centroid's number for a row. The distance is
  // squared L2 between decoded codes, as RowView::distance() computes it. Throws std::bad_alloc.
  void offer(size_t block, size_t wanted, MeasureScratch &scratch, build::Candidate *best) const;

 private:
  std::vector<build::CodeGroup> groups_;
  std::vector<uint32_t> begin_;    // [blocks + 1]
  std::vector<uint32_t> numbers_;  // 0, 1, ...: the ids that lists store
};

// Cuts each range [begin[i], begin[i + 1]) into blocks of at most kBlockColumns: returns their bounds;
// first_block[i] is the first block of range i, first_block.back() the number of blocks.
std::vector<uint32_t> cut_blocks(std::span<const uint32_t> begin,
                                 std::vector<uint32_t> &first_block);

}  // namespace vann::cluster
