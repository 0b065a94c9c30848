// assigner.cpp — rows against all centroids, or against those of their nearest cells. Rows of a batch
// that look into the same cell are measured together, so that the cell is read once for all of them.
#include "core/cluster/assigner.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/no_postgres.hpp"

namespace vann::cluster {
namespace {

using build::Candidate;
using build::kNoCandidate;

constexpr size_t kBatchRows = 1024;
// Of the cells, a row looks into one in twenty: README.md, "Assignment", has what that finds.
constexpr size_t kLeastProbes = 8;
constexpr size_t kCellsPerProbe = 20;

size_t probes_for(size_t lists, size_t cells) noexcept {
  if (lists <= kFlatLists || cells <= kLeastProbes) return 0;
  return std::max(kLeastProbes, (cells + kCellsPerProbe - 1) / kCellsPerProbe);
}

Match match_of(Candidate candidate, bool first) noexcept {
  if (candidate != kNoCandidate) return {build::row_of(candidate), build::distance_of(candidate)};
  return {first ? 0 : kNoList, std::numeric_limits<float>::infinity()};
}

}  // namespace

Assigner::Assigner(const Centroids &centroids)
    : Assigner(centroids.values.data(), centroids.dims, centroids.cell_begin,
               centroids.cells.data()) {}

Assigner::Assigner(const float *values, size_t dims, std::span<const uint32_t> cell_begin,
                   const float *cells)
    : count_(cell_begin.back()), probes_(probes_for(count_, cell_begin.size() - 1)) {
  // Compared with all, centroids need no cells, and long blocks cost less.
  const uint32_t all_lists[] = {0, count_};
  lists_.resize(
      cut_blocks(probes_ == 0 ? std::span<const uint32_t>(all_lists) : cell_begin, first_block_));
  for (size_t block = 0; block < lists_.blocks(); ++block) lists_.pack(block, values, dims);
  if (probes_ == 0) return;
  const uint32_t all_cells[] = {0, static_cast<uint32_t>(cell_begin.size() - 1)};
  std::vector<uint32_t> one_range;
  cells_.resize(cut_blocks(all_cells, one_range));
  for (size_t block = 0; block < cells_.blocks(); ++block) cells_.pack(block, cells, dims);
}

void Assigner::nearest(const build::RowView &rows, size_t begin, size_t wanted,
                       std::span<Match> out, Scratch &scratch) const {
  const size_t count = out.size() / wanted;
  for (size_t done = 0; done < count; done += kBatchRows) {
    scratch.ids.resize(std::min(kBatchRows, count - done));
    std::iota(scratch.ids.begin(), scratch.ids.end(), static_cast<uint32_t>(begin + done));
    measure_batch(rows, wanted, scratch);
    for (size_t i = 0; i < scratch.best.size(); ++i) {
      out[done * wanted + i] = match_of(scratch.best[i], i % wanted == 0 && count_ > 0);
    }
  }
}

void Assigner::measure_batch(const build::RowView &rows, size_t wanted, Scratch &scratch) const {
  scratch.best.assign(scratch.ids.size() * wanted, kNoCandidate);
  if (probes_ == 0) {
    measure_all(rows, wanted, scratch);
  } else {
    measure_cells(rows, scratch);
    measure_probed(rows, wanted, scratch);
  }
}

void Assigner::measure_all(const build::RowView &rows, size_t wanted, Scratch &scratch) const {
  const std::span<const uint32_t> ids(scratch.ids);
  for (size_t tile = 0; tile < ids.size(); tile += kTileRows) {
    scratch.measure.rows.gather(rows, ids.subspan(tile, std::min(kTileRows, ids.size() - tile)));
    for (size_t block = 0; block < lists_.blocks(); ++block) {
      lists_.offer(block, wanted, scratch.measure, scratch.best.data() + tile * wanted);
    }
  }
}

// Finds the cells that each row looks into and lists the rows by cell.
void Assigner::measure_cells(const build::RowView &rows, Scratch &scratch) const {
  const std::span<const uint32_t> ids(scratch.ids);
  scratch.cells.assign(ids.size() * probes_, kNoCandidate);
  for (size_t tile = 0; tile < ids.size(); tile += kTileRows) {
    scratch.measure.rows.gather(rows, ids.subspan(tile, std::min(kTileRows, ids.size() - tile)));
    for (size_t block = 0; block < cells_.blocks(); ++block) {
      cells_.offer(block, probes_, scratch.measure, scratch.cells.data() + tile * probes_);
    }
  }
  const size_t cells = first_block_.size() - 1;
  std::vector<uint32_t> &begin = scratch.probe_begin;
  begin.assign(cells + 2, 0);  // one ahead: filling moves begin[cell + 1] to the cell's end
  for (const Candidate cell : scratch.cells) {
    if (cell != kNoCandidate) ++begin[build::row_of(cell) + 2];
  }
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  scratch.probe_rows.resize(begin.back());
  for (size_t i = 0; i < scratch.cells.size(); ++i) {
    const Candidate cell = scratch.cells[i];
    if (cell == kNoCandidate) continue;
    scratch.probe_rows[begin[build::row_of(cell) + 1]++] = static_cast<uint32_t>(i / probes_);
  }
}

void Assigner::measure_probed(const build::RowView &rows, size_t wanted, Scratch &scratch) const {
  scratch.tile_best.resize(kTileRows * wanted);
  std::vector<uint32_t> &ids = scratch.tile_ids;
  for (size_t cell = 0; cell + 1 < first_block_.size(); ++cell) {
    const size_t end = scratch.probe_begin[cell + 1];
    for (size_t tile = scratch.probe_begin[cell]; tile < end; tile += kTileRows) {
      const size_t count = std::min(kTileRows, end - tile);
      const uint32_t *in_batch = scratch.probe_rows.data() + tile;
      ids.resize(count);
      for (size_t i = 0; i < count; ++i) {
        ids[i] = scratch.ids[in_batch[i]];
        std::copy_n(scratch.best.data() + in_batch[i] * wanted, wanted,
                    scratch.tile_best.data() + i * wanted);
      }
      scratch.measure.rows.gather(rows, ids);
      for (size_t block = first_block_[cell]; block < first_block_[cell + 1]; ++block) {
        lists_.offer(block, wanted, scratch.measure, scratch.tile_best.data());
      }
      for (size_t i = 0; i < count; ++i) {
        std::copy_n(scratch.tile_best.data() + i * wanted, wanted,
                    scratch.best.data() + in_batch[i] * wanted);
      }
    }
  }
}

}  // namespace vann::cluster
