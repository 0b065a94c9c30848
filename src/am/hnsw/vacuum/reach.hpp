// reach.hpp — which records a search can come to from the entry point, and edges for those that it
// cannot.
#pragma once

#include "am/hnsw/index.hpp"
#include "am/hnsw/vacuum/record_map.hpp"

namespace vann::hnsw {

enum class Through : uint8_t {
  kLive,         // over live records only: what is left when dead ones are gone
  kTraversable,  // as searches go today
};

// Marks, in a map without marks, every record that can be reached from the entry point over edges
// of all levels and down the levels. Visits pages in waves of ascending order; share locks.
void mark_reachable(const Index &index, BufferAccessStrategy strategy, Through through,
                    RecordMap *map);

// Gives every live record that mark_reachable(kLive) does not reach an edge from a near record that
// it reaches.
void restore_reachability(const Index &index, BufferAccessStrategy strategy, RecordMap *map,
                          MemoryContext context);

}  // namespace vann::hnsw
