// placed_rows.hpp — the first stage over files: rows are put into cells, equal ones are collapsed, and
// the distinct rows are numbered so that near ones have near numbers.
#pragma once

#include <memory>
#include <vector>

#include "core/bulk/cell_entries.hpp"
#include "core/bulk/file_duplicates.hpp"
#include "core/bulk/row_file.hpp"
#include "core/bulk/spill_plan.hpp"

namespace vann::bulk {

struct PlacedRows {
  RowFile rows;                           // by number
  std::vector<uint32_t> block_begin;      // [blocks + 1]
  std::vector<CellBundle> bundles;        // in the order of cells
  std::unique_ptr<FileDuplicates> duplicates;
  uint32_t entry = build::kNoRow;         // the row nearest the mean

  uint32_t size() const noexcept { return block_begin.back(); }
  size_t blocks() const noexcept { return block_begin.size() - 1; }
};

// Takes the rows over, duplicates included; they may lie in any order. Numbers depend on keys and
// codes alone. Throws parallel::Cancelled, spill::SpillFailed, std::bad_alloc.
PlacedRows place_rows(std::unique_ptr<RowFile> arrivals, const Context &context);

}  // namespace vann::bulk
