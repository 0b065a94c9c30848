// entry.hpp — the row at which a search of the graph begins: the one nearest the middle.
#pragma once

#include <cstdint>
#include <vector>

#include "core/build/candidate.hpp"
#include "core/build/code_group.hpp"
#include "core/build/graph_builder.hpp"
#include "core/parallel/team.hpp"

namespace vann::build {

// A mean as a byte-coded row.
struct MeanRow {
  std::vector<int8_t> values;  // [stride]
  quantize::ByteCode code;
};

// The mean of (a sample of) the decoded rows; view.size() > 0. Throws std::bad_alloc.
MeanRow mean_row(const RowView &view);

// The row nearest to the mean; kNoCandidate where no distance is a number. Reports as `stage`. Throws
// parallel::Cancelled, std::bad_alloc.
Candidate nearest_to(const RowView &view, const MeanRow &mean, Stage stage, parallel::Team &team);

// The row nearest to the rows' own mean; view.size() > 0. Throws as the two above.
uint32_t find_entry(const RowView &view, parallel::Team &team);

}  // namespace vann::build
