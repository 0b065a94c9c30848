// connect.hpp — finds the entry row and makes every row reachable from it. See README.md,
// "Connect".
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/build/candidate_lists.hpp"
#include "core/build/code_group.hpp"
#include "core/parallel/team.hpp"

namespace vann::build {

// The row nearest the mean of (a sample of) the decoded rows; view.size() > 0. Throws
// parallel::Cancelled, std::bad_alloc.
uint32_t find_entry(const RowView &view, parallel::Team &team);

// Replaces as few entries of the first `degree` slots of the lists as it takes to reach every row
// from `entry`. Replaces fillers before neighbors and far ones before near ones, so the slots are
// no longer sorted afterwards. All lists have `degree` entries. Deterministic, single-threaded,
// O(rows * degree). Returns the number of replaced entries. Throws parallel::Cancelled,
// std::bad_alloc.
size_t connect_rows(const RowView &view, size_t degree, uint32_t entry, CandidateLists &lists,
                    parallel::Team &team);

}  // namespace vann::build
