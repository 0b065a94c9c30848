// prune.hpp — chooses a row's neighbors among its candidates: RobustPrune (DiskANN, Subramanya et
// al. 2019, Algorithm 2) on squared distances with a rising occlusion factor, then reverse edges
// and a second prune, then filling to the degree. See README.md, "Prune" and "Reverse".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/build/candidate_lists.hpp"
#include "core/build/code_group.hpp"
#include "core/build/graph_builder.hpp"
#include "core/build/random.hpp"
#include "core/parallel/team.hpp"

namespace vann::build {

// Per-thread memory of the pruning stages.
struct PruneScratch {
  CodeGroup group;
  DistanceTile tile;
  std::vector<uint32_t> ids;
  std::vector<float> nearest_kept;  // [candidates] distance to the nearest kept one before it
  std::vector<uint8_t> is_kept;     // [candidates]
  std::vector<Candidate> pool;
  std::vector<Candidate> reordered;
  std::vector<Candidate> fillers;
};

// Moves the candidates that survive occlusion to the front; both parts stay ascending. `candidates`
// is ascending, without the row itself; at most `degree` survive. Returns how many. Throws
// std::bad_alloc.
size_t robust_prune(const RowView &view, std::span<Candidate> candidates, size_t degree,
                    PruneScratch &scratch);

// Reverse edges of a row beyond the nearest so many are not looked at.
inline constexpr size_t kReverseCap = 128;

// Second prune of one row: `list` holds `first_kept` neighbors by occlusion and then pruned
// candidates, `reverse` edges into the row, in any order. Afterwards the first `degree` slots are
// its neighbors: kept ones, whose number is returned, then fillers (the nearest pruned ones, or rows
// of the view at random), each part ascending. view.size() > degree <= list.size(). Reorders
// `reverse`. Throws std::bad_alloc.
uint16_t select_neighbors(const RowView &view, uint32_t row, size_t degree, Random random,
                          std::span<Candidate> list, size_t first_kept,
                          std::span<Candidate> reverse, PruneScratch &scratch);

// How each row's list is divided after a pruning stage: [0, kept) are neighbors by occlusion, the
// rest are pruned candidates (first stage) or fillers (second), each part ascending.
using KeptCounts = std::vector<uint16_t>;

// First prune: of every list alone.
KeptCounts prune_candidates(const RowView &view, size_t degree, CandidateLists &lists,
                            parallel::Team &team);

// Second prune, of kept and reverse edges together; then fills every list to `degree` entries with
// the nearest pruned ones, or random rows. view.size() > degree <= lists.length(). Afterwards the
// first `degree` slots of a list are its row's neighbors.
void prune_with_reverse(const RowView &view, size_t degree, uint64_t seed, CandidateLists &lists,
                        KeptCounts &kept, parallel::Team &team);

}  // namespace vann::build
