// prune.cpp — RobustPrune over the product of a candidate group with itself, and the two stages
// that use it. A list is owned by the thread that works on its row, so nothing here locks.
#include "core/build/prune.hpp"

#include <algorithm>
#include <limits>

#include "core/build/reverse_edges.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::build {
namespace {

// On squared distances; a factor is tried only while the list has room.
constexpr float kOcclusion[] = {1.0f, 1.2f, 1.5f};
constexpr size_t kRowsPerChunk = 256;

// Lowers nearest_kept of the candidates after `kept` to their distance from it.
void occlude_by(size_t kept, size_t candidates, PruneScratch &scratch) {
  const size_t from = kept / 16 * 16;
  const float *distances = scratch.tile.row(kept, from);
  float *nearest = scratch.nearest_kept.data();
  for (size_t i = kept + 1; i < candidates; ++i) {
    nearest[i] = distances[i] < nearest[i] ? distances[i] : nearest[i];
  }
}

// Marks survivors in scratch.is_kept; a farther candidate never occludes a nearer one.
size_t mark_kept(std::span<const Candidate> candidates, size_t degree, PruneScratch &scratch) {
  scratch.nearest_kept.assign(candidates.size(), std::numeric_limits<float>::infinity());
  scratch.is_kept.assign(candidates.size(), 0);
  size_t kept = 0;
  for (const float factor : kOcclusion) {
    for (size_t i = 0; i < candidates.size() && kept < degree; ++i) {
      if (scratch.is_kept[i]) continue;
      if (factor * scratch.nearest_kept[i] <= distance_of(candidates[i])) continue;
      scratch.is_kept[i] = 1;
      ++kept;
      occlude_by(i, candidates.size(), scratch);
    }
  }
  return kept;
}

// ---- The second stage --------------------------------------------------------------------------

void add_reverse(std::span<Candidate> reverse, std::vector<Candidate> &pool) {
  if (reverse.size() > kReverseCap) {
    std::nth_element(reverse.begin(), reverse.begin() + kReverseCap, reverse.end());
    reverse = reverse.first(kReverseCap);
  }
  pool.insert(pool.end(), reverse.begin(), reverse.end());
}

// An edge has the same bits in both directions, so the copies of a mutual edge are equal integers.
void sort_unique(std::vector<Candidate> &pool) {
  std::sort(pool.begin(), pool.end());
  pool.erase(std::unique(pool.begin(), pool.end()), pool.end());
}

bool contains_row(std::span<const Candidate> list, uint32_t row) {
  return std::any_of(list.begin(), list.end(),
                     [row](Candidate candidate) { return row_of(candidate) == row; });
}

// Appends rows at random (the next free one in rank order on a collision) until `degree` are there.
void fill_at_random(const RowView &view, uint32_t row, size_t degree, Random random,
                    std::vector<Candidate> &list) {
  const auto rows = static_cast<uint32_t>(view.size());
  while (list.size() < degree) {
    auto other = static_cast<uint32_t>(random.below(rows));
    while (other == row || contains_row(list, other)) other = other + 1 < rows ? other + 1 : 0;
    list.push_back(make_candidate(view.distance(row, other), other));
  }
}

}  // namespace

uint16_t select_neighbors(const RowView &view, uint32_t row, size_t degree, Random random,
                          std::span<Candidate> list, size_t first_kept,
                          std::span<Candidate> reverse, PruneScratch &scratch) {
  std::vector<Candidate> &pool = scratch.pool;
  pool.assign(list.begin(), list.begin() + static_cast<ptrdiff_t>(first_kept));
  add_reverse(reverse, pool);
  sort_unique(pool);
  const size_t kept = robust_prune(view, pool, degree, scratch);

  std::vector<Candidate> &fillers = scratch.fillers;
  fillers.assign(pool.begin() + static_cast<ptrdiff_t>(kept), pool.end());
  pool.resize(kept);
  const auto pruned = without_free_slots(list.subspan(first_kept));
  for (const Candidate candidate : pruned) {
    if (!contains_row(pool, row_of(candidate))) fillers.push_back(candidate);
  }
  sort_unique(fillers);
  fillers.resize(std::min(fillers.size(), degree - kept));
  pool.insert(pool.end(), fillers.begin(), fillers.end());
  fill_at_random(view, row, degree, random, pool);
  std::sort(pool.begin() + static_cast<ptrdiff_t>(kept), pool.end());
  std::copy(pool.begin(), pool.end(), list.begin());
  return static_cast<uint16_t>(kept);
}

size_t robust_prune(const RowView &view, std::span<Candidate> candidates, size_t degree,
                    PruneScratch &scratch) {
  if (candidates.empty()) return 0;
  scratch.ids.resize(candidates.size());
  std::transform(candidates.begin(), candidates.end(), scratch.ids.begin(), row_of);
  scratch.group.gather(view, scratch.ids);
  scratch.group.pack();
  scratch.tile.multiply(scratch.group, 0, candidates.size(), scratch.group);
  const size_t kept = mark_kept(candidates, degree, scratch);

  scratch.reordered.resize(candidates.size());
  size_t next_kept = 0;
  size_t next_pruned = kept;
  for (size_t i = 0; i < candidates.size(); ++i) {
    scratch.reordered[scratch.is_kept[i] ? next_kept++ : next_pruned++] = candidates[i];
  }
  std::copy(scratch.reordered.begin(), scratch.reordered.end(), candidates.begin());
  return kept;
}

KeptCounts prune_candidates(const RowView &view, size_t degree, CandidateLists &lists,
                            parallel::Team &team) {
  KeptCounts kept(view.size());
  std::vector<PruneScratch> scratch(team.threads());
  const parallel::Loop loop{static_cast<int>(Stage::kPrune), view.size(), kRowsPerChunk, 0,
                            view.size()};
  team.run(loop, [&](parallel::Worker &worker, size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      const auto candidates = without_free_slots(lists.list(static_cast<uint32_t>(row)));
      kept[row] =
          static_cast<uint16_t>(robust_prune(view, candidates, degree, scratch[worker.index()]));
    }
  });
  return kept;
}

void prune_with_reverse(const RowView &view, size_t degree, uint64_t seed, CandidateLists &lists,
                        KeptCounts &kept, parallel::Team &team) {
  ReverseEdges reverse(lists, kept, team);
  std::vector<PruneScratch> scratch(team.threads());
  const parallel::Loop loop{static_cast<int>(Stage::kReverse), view.size(), kRowsPerChunk,
                            2 * view.size(), 3 * view.size()};
  team.run(loop, [&](parallel::Worker &worker, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const auto row = static_cast<uint32_t>(i);
      kept[row] = select_neighbors(view, row, degree, Random(~seed, row), lists.list(row),
                                   kept[row], reverse.into(row), scratch[worker.index()]);
    }
  });
}

}  // namespace vann::build
