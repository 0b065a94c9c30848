// partition.hpp — divides the rows of a set into small overlapping leaves of near rows (randomized
// ball carving, PiPNN section 4.1). See README.md, "Partition".
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/pages.hpp"
#include "core/build/code_group.hpp"
#include "core/build/graph_builder.hpp"
#include "core/parallel/team.hpp"

namespace vann::build {

struct Leaf {
  size_t begin;  // into Partition::members
  size_t end;
};

struct Partition {
  PageVector<uint32_t> members;  // rows of the leaves, as ranks (see order), ascending in a leaf
  std::vector<Leaf> leaves;
  // The rows in the order of their nearest leaves: order[rank] = row, a permutation.
  std::vector<uint32_t> order;
  // True: there is one leaf with all rows, so the leaf stage is exact.
  bool exhaustive = false;
};

// The rows of overlapping cells: members[begin[cell] .. begin[cell + 1]), rows ascending.
struct Cells {
  PageVector<uint32_t> members;
  std::vector<size_t> begin;
};

// Splits cells that are too large; no ranks. Throws parallel::Cancelled, std::bad_alloc.
Partition split_cells(const RowView &view, const GraphParams &params, Cells cells,
                      parallel::Team &team);

// Rows [0, view.size()) of the view; fewer than 2^31. The result depends on the view, on the params
// and on the seed only. Throws parallel::Cancelled, std::bad_alloc.
Partition partition_rows(const RowView &view, const GraphParams &params, parallel::Team &team);

}  // namespace vann::build
