// repair.hpp — takes the edges that lead to dead records out of the graph and puts others in their
// place: the idea of FreshDiskANN's delete (Singh et al. 2021, Algorithm 4), from pages alone.
#pragma once

#include "am/hnsw/index.hpp"
#include "am/hnsw/vacuum/record_map.hpp"

namespace vann::hnsw {

// Afterwards no live record that the map covers has an edge to a record that map.is_gone().
// Locks: one record page at a time; a page is rewritten under its exclusive lock in one WAL record.
void repair_edges(const Index &index, BufferAccessStrategy strategy, const RecordMap &map,
                  MemoryContext context);

}  // namespace vann::hnsw
