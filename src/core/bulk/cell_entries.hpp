// cell_entries.hpp — which rows are in which cells: pairs in files, one for each stretch of cells.
#pragma once

#include <cstdint>
#include <vector>

#include "core/spill/buffered_file.hpp"

namespace vann::bulk {

// A copy of a row in a cell.
struct CellEntry {
  uint32_t row;
  uint32_t cell;
};

// Entries of consecutive cells, rows ascending.
struct CellBundle {
  spill::BufferedFile entries;
  size_t count = 0;

  void add(CellEntry entry) {
    entries.append(&entry, sizeof entry);
    ++count;
  }
};

}  // namespace vann::bulk
