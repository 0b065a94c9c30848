// pivots.hpp — the centres that a group of rows is divided by, and the rows' nearest centres.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/build/candidate.hpp"
#include "core/build/code_group.hpp"
#include "core/build/random.hpp"
#include "core/parallel/team.hpp"

namespace vann::build {

inline constexpr size_t kMaxPivots = 1000;
inline constexpr uint16_t kNoCell = 0xffffu;

// Per-thread memory for measuring rows against pivots.
struct PivotScratch {
  CodeGroup rows;
  DistanceTile tile;
  NearestList nearest;
};

// A packed set of centres. Const functions are thread-safe.
class Pivots {
 public:
  // Takes `count` of the rows `ids`, at random; count <= ids.size().
  void choose(const RowView &view, std::span<const uint32_t> ids, size_t count, Random &random);

  // The rows that a k-means step should look at.
  std::vector<uint32_t> sample(std::span<const uint32_t> ids, Random &random) const;

  // The second half of one k-means step: moves each pivot to the mean of the rows of `sample` that
  // are nearest to it, as cells[i] of assign() says for sample[i].
  void move_to_means(const RowView &view, std::span<const uint32_t> sample,
                     std::span<const uint16_t> cells);

  size_t size() const noexcept { return group_.size(); }

  // The `fanout` nearest pivots of each row, nearest first: cells[ids.size()][fanout]. Slots stay
  // kNoCell when there are too few pivots; a row whose distances are not numbers gets pivot 0.
  // Works in blocks; ids.size() is best kept below a few hundred.
  void assign(const RowView &view, std::span<const uint32_t> ids, size_t fanout,
              PivotScratch &scratch, uint16_t *cells) const;

  // Renumbers the pivots so that near ones have near numbers: the set is halved again and again along
  // the line between two far ones.
  void arrange(const RowView &view, PivotScratch &scratch);

  // The cell that each pivot's rows go to, as numbers 0..groups - 1, after cells of fewer than
  // `fewest` rows have been joined to the nearest cell with room (`most` rows together).
  struct Merged {
    std::vector<uint16_t> group_of;  // [size()]
    size_t groups = 0;
  };
  Merged merge_small(std::span<const size_t> rows_of, size_t fewest, size_t most,
                     PivotScratch &scratch) const;

 private:
  void pack(const RowView &view);
  void halve(std::span<uint32_t> pivots, PivotScratch &scratch) const;

  std::vector<int8_t> values_;             // [size][stride]
  std::vector<quantize::ByteCode> codes_;  // [size]
  std::vector<uint32_t> numbers_;          // 0, 1, ...: the ids that lists store
  CodeGroup group_;
};

// Finds the nearest pivots of many rows on all threads: [ids.size()][fanout], as Pivots::assign().
// `scratch` has one per thread. Reports as partitioning, `total` units in all. Throws
// parallel::Cancelled, std::bad_alloc.
std::vector<uint16_t> assign_rows(const RowView &view, const Pivots &pivots,
                                  std::span<const uint32_t> ids, size_t fanout, uint64_t total,
                                  std::span<PivotScratch> scratch, parallel::Team &team);

// Adds a decoded byte code to sum[0, dims).
void add_decoded(const int8_t *values, float delta, size_t dims, float *sum) noexcept;

// `count` of the ids, one at random from each of `count` equal stretches; count <= ids.size().
std::vector<uint32_t> stratified_sample(std::span<const uint32_t> ids, size_t count,
                                        Random &random);

}  // namespace vann::build
