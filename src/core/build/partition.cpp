// partition.cpp — overlapping cells at the top, then plain splits of every cell that is too large.
// The overlap is spent at the top, where a row's nearest cells differ; each cell then has pivots of
// its own, so the borders of its leaves are independent of its neighbors'.
#include "core/build/partition.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "core/build/pivots.hpp"
#include "core/build/random.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::build {
namespace {

// Marks the copy of a row that lies in its nearest cell: that copy's leaf gives the row its rank.
constexpr uint32_t kPrimary = 0x80000000u;
constexpr size_t kAssignRows = 256;
constexpr size_t kSmallestShare = 8;  // a cell below leaf_rows / 8 is joined to another
// Splits of real data end after 2 or 3 levels; this bounds what skewed data can cost.
constexpr unsigned kMaxDepth = 12;
constexpr uint32_t kPollRows = 65536;  // a few milliseconds of sequential work
constexpr int kStage = static_cast<int>(Stage::kPartition);

// Splits aim at leaves half full, so that few exceed the limit.
size_t pivot_count(size_t copies, size_t leaf_rows) {
  const size_t target = std::max<size_t>(1, leaf_rows / 2);
  return std::clamp<size_t>((copies + target - 1) / target, 2, kMaxPivots);
}

// ---- The top level ---------------------------------------------------------------------------

// Distributes rows to cells by the merged numbers of their pivots; a row enters a cell once.
Cells collect_cells(std::span<const uint16_t> nearest, size_t rows, size_t fanout,
                    const Pivots::Merged &merged, parallel::Team &team) {
  Cells cells;
  cells.begin.assign(merged.groups + 1, 0);
  const auto for_each_copy = [&](auto &&visit) {
    std::vector<uint32_t> last_row(merged.groups, kNoRow);
    for (uint32_t row = 0; row < rows; ++row) {
      if (row % kPollRows == 0) team.poll(kStage, rows, 3 * rows);
      for (size_t i = 0; i < fanout; ++i) {
        const uint16_t pivot = nearest[row * fanout + i];
        if (pivot == kNoCell) break;
        const uint16_t cell = merged.group_of[pivot];
        if (last_row[cell] == row) continue;
        last_row[cell] = row;
        visit(cell, i == 0 ? row | kPrimary : row);
      }
    }
  };
  for_each_copy([&](uint16_t cell, uint32_t) { ++cells.begin[cell + 1]; });
  std::partial_sum(cells.begin.begin(), cells.begin.end(), cells.begin.begin());
  cells.members.resize(cells.begin.back());
  std::vector<size_t> next(cells.begin.begin(), cells.begin.end() - 1);
  for_each_copy([&](uint16_t cell, uint32_t member) { cells.members[next[cell]++] = member; });
  return cells;
}

Cells overlapping_cells(const RowView &view, const GraphParams &params, parallel::Team &team) {
  const size_t rows = view.size();
  const size_t wanted = rows * params.fanout;
  const size_t pivots_wanted = std::min(pivot_count(wanted, params.leaf_rows), rows);
  const size_t fanout = std::min<size_t>(params.fanout, pivots_wanted);
  std::vector<uint32_t> ids(rows);
  std::iota(ids.begin(), ids.end(), 0u);

  std::vector<PivotScratch> scratch(team.threads());
  Pivots pivots;
  Random random(params.seed, 0);
  pivots.choose(view, ids, pivots_wanted, random);
  const std::vector<uint32_t> sample = pivots.sample(ids, random);
  pivots.move_to_means(view, sample, assign_rows(view, pivots, sample, 1, 0, scratch, team));
  const std::vector<uint16_t> nearest =
      assign_rows(view, pivots, ids, fanout, 3 * rows, scratch, team);

  std::vector<size_t> rows_of(pivots.size());
  for (const uint16_t pivot : nearest) {
    if (pivot != kNoCell) ++rows_of[pivot];
  }
  const auto merged =
      pivots.merge_small(rows_of, params.leaf_rows / kSmallestShare, params.leaf_rows, scratch[0]);
  return collect_cells(nearest, rows, fanout, merged, team);
}

// ---- The lower levels ------------------------------------------------------------------------

// Splits one cell in place until no part exceeds leaf_rows.
class Splitter {
 public:
  Splitter(const RowView &view, const GraphParams &params, std::span<uint32_t> members)
      : view_(view), params_(params), members_(members) {}

  // Appends the leaves of members[begin, end), in the order in which they then lie.
  void split(size_t begin, size_t end, Random random, unsigned depth, parallel::Worker &worker,
             std::vector<Leaf> &leaves);

 private:
  void cut(size_t begin, size_t end, std::vector<Leaf> &leaves) const;
  std::vector<uint16_t> assign(const Pivots &pivots, std::span<const uint32_t> ids,
                               parallel::Worker &worker);
  std::vector<size_t> divide(size_t begin, size_t end, Random &random, parallel::Worker &worker);

  const RowView &view_;
  const GraphParams &params_;
  std::span<uint32_t> members_;
  PivotScratch scratch_;
};

// Equal runs in row order: for rows that no pivots can tell apart.
void Splitter::cut(size_t begin, size_t end, std::vector<Leaf> &leaves) const {
  const size_t size = end - begin;
  const size_t parts = (size + params_.leaf_rows - 1) / params_.leaf_rows;
  for (size_t i = 0; i < parts; ++i) {
    leaves.push_back({begin + size * i / parts, begin + size * (i + 1) / parts});
  }
}

std::vector<uint16_t> Splitter::assign(const Pivots &pivots, std::span<const uint32_t> ids,
                                       parallel::Worker &worker) {
  std::vector<uint16_t> nearest(ids.size());
  for (size_t i = 0; i < ids.size(); i += kAssignRows) {
    worker.checkpoint();
    const size_t count = std::min(kAssignRows, ids.size() - i);
    pivots.assign(view_, ids.subspan(i, count), 1, scratch_, nearest.data() + i);
  }
  return nearest;
}

// Sorts the members by their nearest pivot; returns the borders of the parts.
std::vector<size_t> Splitter::divide(size_t begin, size_t end, Random &random,
                                     parallel::Worker &worker) {
  const std::span<uint32_t> members = members_.subspan(begin, end - begin);
  std::vector<uint32_t> ids(members.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = members[i] & ~kPrimary;

  Pivots pivots;
  pivots.choose(view_, ids, std::min(pivot_count(ids.size(), params_.leaf_rows), ids.size()),
                random);
  const std::vector<uint32_t> sample = pivots.sample(ids, random);
  pivots.move_to_means(view_, sample, assign(pivots, sample, worker));
  const std::vector<uint16_t> nearest = assign(pivots, ids, worker);

  std::vector<size_t> rows_of(pivots.size());
  for (const uint16_t pivot : nearest) ++rows_of[pivot];
  const auto merged =
      pivots.merge_small(rows_of, params_.leaf_rows / kSmallestShare, params_.leaf_rows, scratch_);
  std::vector<size_t> borders(merged.groups + 1);
  for (const uint16_t pivot : nearest) ++borders[merged.group_of[pivot] + 1];
  std::partial_sum(borders.begin(), borders.end(), borders.begin());
  std::vector<size_t> next(borders.begin(), borders.end() - 1);
  const std::vector<uint32_t> unsorted(members.begin(), members.end());
  for (size_t i = 0; i < unsorted.size(); ++i) {
    members[next[merged.group_of[nearest[i]]]++] = unsorted[i];
  }
  return borders;
}

void Splitter::split(size_t begin, size_t end, Random random, unsigned depth,
                     parallel::Worker &worker, std::vector<Leaf> &leaves) {
  if (begin == end) return;
  if (end - begin <= params_.leaf_rows) {
    leaves.push_back({begin, end});
    return;
  }
  if (depth >= kMaxDepth) return cut(begin, end, leaves);
  const std::vector<size_t> borders = divide(begin, end, random, worker);
  for (size_t part = 0; part + 1 < borders.size(); ++part) {
    const size_t part_begin = begin + borders[part];
    const size_t part_end = begin + borders[part + 1];
    if (part_end - part_begin == end - begin) return cut(begin, end, leaves);
    split(part_begin, part_end, Random(random.next(), part), depth + 1, worker, leaves);
  }
}

std::vector<Leaf> split_into_leaves(const RowView &view, const GraphParams &params, Cells &cells,
                                    parallel::Team &team) {
  const size_t count = cells.begin.size() - 1;
  std::vector<std::vector<Leaf>> leaves_of(count);
  std::vector<Splitter> splitters;
  for (unsigned i = 0; i < team.threads(); ++i) splitters.emplace_back(view, params, cells.members);
  const parallel::Loop loop{kStage, count, 1, count, 3 * count};
  team.run(loop, [&](parallel::Worker &worker, size_t begin, size_t end) {
    for (size_t cell = begin; cell < end; ++cell) {
      splitters[worker.index()].split(cells.begin[cell], cells.begin[cell + 1],
                                      Random(params.seed, cell + 1), 0, worker, leaves_of[cell]);
    }
  });
  std::vector<Leaf> leaves;
  for (const auto &part : leaves_of) leaves.insert(leaves.end(), part.begin(), part.end());
  return leaves;
}

// ---- Ranks -----------------------------------------------------------------------------------

// Ranks rows by the leaf of their primary copy, and renames the members to ranks.
void rank_rows(size_t rows, parallel::Team &team, Partition &partition) {
  const size_t count = partition.leaves.size();
  partition.order.reserve(rows);
  for (size_t i = 0; i < count; ++i) {
    if (i % 1024 == 0) team.poll(kStage, 2 * count, 3 * count);
    for (size_t at = partition.leaves[i].begin; at < partition.leaves[i].end; ++at) {
      const uint32_t member = partition.members[at];
      if (member & kPrimary) partition.order.push_back(member & ~kPrimary);
    }
  }
  std::vector<uint32_t> rank_of(rows);
  for (uint32_t rank = 0; rank < rows; ++rank) rank_of[partition.order[rank]] = rank;

  const parallel::Loop loop{kStage, count, 16, 2 * count, 3 * count};
  team.run(loop, [&](parallel::Worker &, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const Leaf &leaf = partition.leaves[i];
      const auto members = std::span(partition.members).subspan(leaf.begin, leaf.end - leaf.begin);
      for (uint32_t &member : members) member = rank_of[member & ~kPrimary];
      std::sort(members.begin(), members.end());
    }
  });
}

// All rows in one leaf, in their own order.
Partition one_leaf(size_t rows) {
  Partition partition;
  partition.members.resize(rows);
  std::iota(partition.members.begin(), partition.members.end(), 0u);
  partition.order.assign(partition.members.begin(), partition.members.end());
  partition.leaves.push_back({0, rows});
  partition.exhaustive = true;
  return partition;
}

}  // namespace

Partition split_cells(const RowView &view, const GraphParams &params, Cells cells,
                      parallel::Team &team) {
  Partition partition;
  partition.leaves = split_into_leaves(view, params, cells, team);
  partition.members = std::move(cells.members);
  const size_t count = partition.leaves.size();
  const parallel::Loop loop{kStage, count, 16, count, count};
  team.run(loop, [&](parallel::Worker &, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const Leaf &leaf = partition.leaves[i];
      std::sort(partition.members.begin() + static_cast<ptrdiff_t>(leaf.begin),
                partition.members.begin() + static_cast<ptrdiff_t>(leaf.end));
    }
  });
  return partition;
}

Partition partition_rows(const RowView &view, const GraphParams &params, parallel::Team &team) {
  const size_t rows = view.size();
  if (rows >= kPrimary) throw std::length_error("too many rows for one graph");
  // All pairs of a set this small cost no more than the pairs of its overlapping leaves.
  if (rows <= size_t{params.leaf_rows} * std::max(1u, params.fanout / 2)) return one_leaf(rows);

  Cells cells = overlapping_cells(view, params, team);
  Partition partition;
  partition.leaves = split_into_leaves(view, params, cells, team);
  partition.members = std::move(cells.members);
  rank_rows(rows, team, partition);
  return partition;
}

}  // namespace vann::build
