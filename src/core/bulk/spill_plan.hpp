// spill_plan.hpp — how a level that does not fit into memory is divided, and what its stages share.
#pragma once

#include <cstddef>

#include "core/bulk/index_build.hpp"
#include "core/bulk/stage_timer.hpp"
#include "core/parallel/team.hpp"

namespace vann::bulk {

// README.md, "Memory", says where the figures come from.
struct SpillPlan {
  size_t pivots;         // centres of cells
  size_t sample_rows;    // rows that centres are chosen from
  size_t chunk_rows;     // rows read at once where order does not matter
  size_t block_rows;     // distinct rows whose lists are in memory for pruning
  size_t group_rows;     // distinct rows whose cells are compared at once
  size_t resident_rows;  // rows whose codes are in memory for pruning and writing
  size_t buffer_bytes;   // gathered before a file is written, where many are
};

// For `rows` rows, duplicates included.
SpillPlan plan_spill(const Params &params, size_t rows);

// What every stage needs. Owns nothing.
struct Context {
  const Params &params;
  const SpillPlan &plan;
  spill::SpillSpace &space;
  StageTimer &timer;
  parallel::Team &team;
};

}  // namespace vann::bulk
