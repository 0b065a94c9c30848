// memory_level.hpp — a level whose rows and graph lie in memory.
#pragma once

#include "core/bulk/level.hpp"
#include "core/bulk/row_store.hpp"
#include "core/parallel/monitor.hpp"

namespace vann::bulk {

class MemoryLevel : public Level {
 public:
  // Links the rows of the store, which the level takes over. Numbers depend on keys and codes, not on
  // the order in which rows came. Throws parallel::Cancelled, std::bad_alloc.
  MemoryLevel(RowStore store, const build::GraphParams &params, parallel::Monitor &monitor);

  const Stretch &load(uint32_t begin, uint32_t most) override;
  void visit(const Visit &visit) override;

  // The store's further keys with numbers in place of rows, ascending. Leaves the store without them.
  std::vector<RowStore::Further> take_further();

 private:
  RowStore store_;
  build::Graph graph_;
  std::vector<uint32_t> indexes_;  // [rows] number -> row of the store
  Stretch stretch_;
};

}  // namespace vann::bulk
