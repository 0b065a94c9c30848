// candidate_lists.cpp — the leaf stage: products of gathered byte codes, a scan for the nearest
// few, a merge under a striped lock. Leaves are taken in any order by any thread.
#include "core/build/candidate_lists.hpp"

#include <algorithm>
#include <limits>

#include "core/base/no_postgres.hpp"

namespace vann::build {
namespace {

// Rows multiplied at once: the products of a tile and a leaf stay in the second-level cache.
constexpr size_t kTileRows = 32;

struct LeafScratch {
  CodeGroup group;
  DistanceTile tile;
  NearestList nearest;
  std::vector<uint32_t> ids;  // the leaf's rows, padded to the group's columns
};

void work_leaf(const RowView &view, std::span<const uint32_t> rows, size_t kept,
               LeafScratch &scratch, CandidateLists &lists, parallel::Worker &worker) {
  scratch.group.gather(view, rows);
  scratch.group.pack();
  scratch.ids.assign(rows.begin(), rows.end());
  scratch.ids.resize(scratch.group.columns(), kNoRow);
  for (size_t begin = 0; begin < rows.size(); begin += kTileRows) {
    worker.checkpoint();
    const size_t count = std::min(kTileRows, rows.size() - begin);
    scratch.tile.multiply(scratch.group, begin, count, scratch.group);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = rows[begin + i];
      float *distances = scratch.tile.row(i);
      distances[begin + i] = std::numeric_limits<float>::quiet_NaN();  // not its own neighbor
      scratch.nearest.reset(kept, lists.bound(row));
      scratch.nearest.offer_all(distances, scratch.group.columns(), scratch.ids.data());
      lists.merge(row, scratch.nearest.list());
    }
  }
}

}  // namespace

CandidateLists::CandidateLists(size_t rows, size_t length, parallel::Team &team)
    : rows_(0), length_(length), locks_(kLocks) {
  reset(rows, Stage::kLeaves, team);
}

void CandidateLists::reset(size_t rows, Stage stage, parallel::Team &team) {
  slots_.reserve(rows * length_);
  rows_ = rows;
  // The first touch of gigabytes takes as long as some stages: all threads share it.
  const parallel::Loop loop{static_cast<int>(stage), rows, 4096, 0, 0};
  team.run(loop, [&](parallel::Worker &, size_t begin, size_t end) {
    std::fill(slots_.data() + begin * length_, slots_.data() + end * length_, kNoCandidate);
  });
}

void CandidateLists::merge(uint32_t row, std::span<const Candidate> candidates) noexcept {
  const std::span<Candidate> target = list(row);
  const std::lock_guard lock(locks_[row % kLocks]);
  for (const Candidate candidate : candidates) {
    if (candidate >= target.back()) return;
    insert_candidate(target, candidate);
  }
}

Candidate CandidateLists::bound(uint32_t row) noexcept {
  const std::lock_guard lock(locks_[row % kLocks]);
  return list(row).back();
}

void fill_from_leaves(const RowView &view, const Partition &partition, size_t kept,
                      CandidateLists &lists, parallel::Team &team) {
  std::vector<LeafScratch> scratch(team.threads());
  const size_t leaves = partition.leaves.size();
  const parallel::Loop loop{static_cast<int>(Stage::kLeaves), leaves, 1, 0, leaves};
  team.run(loop, [&](parallel::Worker &worker, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const Leaf &leaf = partition.leaves[i];
      work_leaf(view, std::span(partition.members).subspan(leaf.begin, leaf.end - leaf.begin), kept,
                scratch[worker.index()], lists, worker);
    }
  });
}

}  // namespace vann::build
