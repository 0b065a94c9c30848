// spill_plan.cpp — divides the memory that threads and pivots leave among what a stage holds at once.
#include "core/bulk/spill_plan.hpp"

#include <algorithm>

#include "core/build/pivots.hpp"
#include "core/bulk/memory_plan.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

constexpr size_t kSampleRowsPerPivot = 32;
constexpr size_t kMostPivots = 60000;
constexpr size_t kFewestRows = 256;
// Cells that a group of rows in memory should hold at least: the fewer, the more often a row is read.
constexpr size_t kCellsPerGroup = 4;

}  // namespace

SpillPlan plan_spill(const Params &params, size_t rows) {
  const size_t memory = params.memory - std::min(fixed_bytes(params), params.memory / 2);
  const size_t row = code_bytes(params) + sizeof(RowKey);
  const size_t lists = 8 * list_length(params);
  const size_t fanout = params.graph.fanout;
  const auto rows_in = [](size_t bytes, size_t each) { return std::max(kFewestRows, bytes / each); };

  SpillPlan plan;
  // A group: code, list, id, and for each copy an entry of a cell twice.
  plan.group_rows = rows_in(memory, row + lists + 8 + 16 * fanout);
  // A block while it is placed: code, hash table, cells, order; while it is pruned: lists, reverse
  // edges, beside residents in the other half.
  const size_t placed = row + 48 + 2 * fanout + 8;
  const size_t pruned = lists + 8 * params.graph.degree + 32;
  plan.block_rows = rows_in(memory / 2, std::max(placed, pruned));
  plan.resident_rows = rows_in(memory / 2, row + 8);
  const size_t wanted = (rows * fanout * kCellsPerGroup + plan.group_rows - 1) / plan.group_rows;
  plan.pivots = std::clamp(wanted, build::kMaxPivots, kMostPivots);
  plan.pivots = std::min(plan.pivots, std::max<size_t>(2, rows * fanout / params.graph.leaf_rows));
  plan.sample_rows = std::clamp(memory / 4 / row, plan.pivots, plan.pivots * kSampleRowsPerPivot);
  plan.sample_rows = std::max(plan.sample_rows, kFewestRows);
  plan.chunk_rows = std::min(plan.block_rows, rows_in(size_t{4} << 20, row));
  // Written at once: what blocks find or link, or entries by stretches of cells, between half a group
  // and a whole one each.
  const size_t files =
      std::max(3 * (rows / plan.block_rows + 1), 2 * rows * fanout / plan.group_rows);
  plan.buffer_bytes = std::clamp(memory / 8 / files, size_t{1} << 10, size_t{64} << 10);
  return plan;
}

}  // namespace vann::bulk
