// pivots.cpp — chooses centres by sampling and one k-means step; assigns rows; joins small cells.
#include "core/build/pivots.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <numeric>

#include "core/base/no_postgres.hpp"

namespace vann::build {
namespace {

constexpr size_t kSampleRowsPerPivot = 32;
constexpr size_t kTileRows = 32;
constexpr size_t kAssignRows = 256;

}  // namespace

void add_decoded(const int8_t *values, float delta, size_t dims, float *sum) noexcept {
  for (size_t i = 0; i < dims; ++i) sum[i] += delta * (static_cast<float>(values[i]) + 0.5f);
}

std::vector<uint32_t> stratified_sample(std::span<const uint32_t> ids, size_t count,
                                        Random &random) {
  assert(count <= ids.size());
  std::vector<uint32_t> sample(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = ids.size() * i / count;
    const size_t end = ids.size() * (i + 1) / count;
    sample[i] = ids[begin + random.below(end - begin)];
  }
  return sample;
}

void Pivots::choose(const RowView &view, std::span<const uint32_t> ids, size_t count,
                    Random &random) {
  const size_t stride = view.stride();
  values_.resize(count * stride);
  codes_.resize(count);
  numbers_.resize(count);
  std::iota(numbers_.begin(), numbers_.end(), 0u);
  const std::vector<uint32_t> chosen = stratified_sample(ids, count, random);
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(values_.data() + i * stride, view.values(chosen[i]), stride);
    codes_[i] = view.code(chosen[i]);
  }
  pack(view);
}

void Pivots::pack(const RowView &view) {
  const VectorSet pivots{codes_.size(), view.dims(), values_.data(), codes_.data(), {}};
  group_.gather(RowView(pivots, nullptr, codes_.size()), numbers_);
  group_.pack();
}

std::vector<uint32_t> Pivots::sample(std::span<const uint32_t> ids, Random &random) const {
  return stratified_sample(ids, std::min(ids.size(), size() * kSampleRowsPerPivot), random);
}

void Pivots::move_to_means(const RowView &view, std::span<const uint32_t> sample,
                           std::span<const uint16_t> cells) {
  const size_t dims = view.dims();
  std::vector<float> sums(size() * dims);
  std::vector<uint32_t> counts(size());
  for (size_t i = 0; i < sample.size(); ++i) {
    add_decoded(view.values(sample[i]), view.code(sample[i]).factors.delta, dims,
                sums.data() + cells[i] * dims);
    ++counts[cells[i]];
  }
  for (size_t pivot = 0; pivot < size(); ++pivot) {
    if (counts[pivot] == 0) continue;
    float *mean = sums.data() + pivot * dims;
    const float scale = 1.0f / static_cast<float>(counts[pivot]);
    for (size_t i = 0; i < dims; ++i) mean[i] *= scale;
    codes_[pivot] = quantize::encode_bytes(mean, dims, values_.data() + pivot * view.stride());
  }
  pack(view);
}

void Pivots::assign(const RowView &view, std::span<const uint32_t> ids, size_t fanout,
                    PivotScratch &scratch, uint16_t *cells) const {
  for (size_t begin = 0; begin < ids.size(); begin += kTileRows) {
    const size_t count = std::min(kTileRows, ids.size() - begin);
    scratch.rows.gather(view, ids.subspan(begin, count));
    scratch.tile.multiply(scratch.rows, 0, count, group_);
    for (size_t i = 0; i < count; ++i) {
      scratch.nearest.reset(fanout, kNoCandidate);
      scratch.nearest.offer_all(scratch.tile.row(i), group_.columns(), numbers_.data());
      uint16_t *row_cells = cells + (begin + i) * fanout;
      std::fill_n(row_cells, fanout, kNoCell);
      row_cells[0] = 0;
      for (const Candidate candidate : scratch.nearest.list()) {
        *row_cells++ = static_cast<uint16_t>(row_of(candidate));
      }
    }
  }
}

// Sorts by which of two far pivots is nearer, and halves both halves.
void Pivots::halve(std::span<uint32_t> pivots, PivotScratch &scratch) const {
  if (pivots.size() < 3) return;
  const auto distances_from = [&](uint32_t pivot) {
    scratch.tile.multiply(group_, pivot, 1, group_);
    const float *row = scratch.tile.row(0);
    return std::vector<float>(row, row + size());
  };
  const auto farthest = [&](const std::vector<float> &distances) {
    return *std::max_element(pivots.begin(), pivots.end(), [&](uint32_t a, uint32_t b) {
      return make_candidate(distances[a], a) < make_candidate(distances[b], b);
    });
  };
  // The first of a sorted half is its left end: halves of halves keep the direction of the whole.
  const std::vector<float> from_right = distances_from(farthest(distances_from(pivots[0])));
  const std::vector<float> from_left = distances_from(farthest(from_right));
  std::vector<std::pair<float, uint32_t>> line(pivots.size());
  for (size_t i = 0; i < pivots.size(); ++i) {
    const float position = from_left[pivots[i]] - from_right[pivots[i]];
    line[i] = {position == position ? position : 0.0f, pivots[i]};  // overflow: anywhere
  }
  std::sort(line.begin(), line.end());
  for (size_t i = 0; i < pivots.size(); ++i) pivots[i] = line[i].second;
  halve(pivots.first(pivots.size() / 2), scratch);
  halve(pivots.subspan(pivots.size() / 2), scratch);
}

void Pivots::arrange(const RowView &view, PivotScratch &scratch) {
  std::vector<uint32_t> order = numbers_;
  halve(order, scratch);
  const std::vector<int8_t> values = values_;
  const std::vector<quantize::ByteCode> codes = codes_;
  for (size_t i = 0; i < order.size(); ++i) {
    std::memcpy(values_.data() + i * view.stride(), values.data() + order[i] * view.stride(),
                view.stride());
    codes_[i] = codes[order[i]];
  }
  pack(view);
}

Pivots::Merged Pivots::merge_small(std::span<const size_t> rows_of, size_t fewest, size_t most,
                                   PivotScratch &scratch) const {
  std::vector<size_t> rows(rows_of.begin(), rows_of.end());
  std::vector<uint16_t> joined_to(size());
  std::iota(joined_to.begin(), joined_to.end(), uint16_t{0});
  for (size_t cell = 0; cell < size(); ++cell) {
    if (rows[cell] == 0 || rows[cell] >= fewest) continue;
    scratch.tile.multiply(group_, cell, 1, group_);
    const float *distances = scratch.tile.row(0);
    Candidate best = kNoCandidate;
    for (uint32_t other = 0; other < size(); ++other) {
      const bool open = other != cell && joined_to[other] == other && rows[other] > 0 &&
                        rows[other] + rows[cell] <= most;
      if (open && distances[other] == distances[other]) {
        best = std::min(best, make_candidate(distances[other], other));
      }
    }
    if (best == kNoCandidate) continue;
    joined_to[cell] = static_cast<uint16_t>(row_of(best));
    rows[row_of(best)] += rows[cell];
    rows[cell] = 0;
  }

  Merged merged{std::vector<uint16_t>(size()), 0};
  std::vector<uint16_t> number_of(size());
  for (size_t cell = 0; cell < size(); ++cell) {
    if (joined_to[cell] == cell) number_of[cell] = static_cast<uint16_t>(merged.groups++);
  }
  for (size_t cell = 0; cell < size(); ++cell) {
    size_t root = cell;
    while (joined_to[root] != root) root = joined_to[root];
    merged.group_of[cell] = number_of[root];
  }
  return merged;
}

std::vector<uint16_t> assign_rows(const RowView &view, const Pivots &pivots,
                                  std::span<const uint32_t> ids, size_t fanout, uint64_t total,
                                  std::span<PivotScratch> scratch, parallel::Team &team) {
  std::vector<uint16_t> nearest(ids.size() * fanout);
  const parallel::Loop loop{static_cast<int>(Stage::kPartition), ids.size(), kAssignRows, 0, total};
  team.run(loop, [&](parallel::Worker &worker, size_t begin, size_t end) {
    pivots.assign(view, ids.subspan(begin, end - begin), fanout, scratch[worker.index()],
                  nearest.data() + begin * fanout);
  });
  return nearest;
}

}  // namespace vann::build
