// cleanup.hpp — the second half of VACUUM: from dead elements to reusable slots.
#pragma once

#include "am/hnsw/index.hpp"

extern "C" {
#include "access/genam.h"
}

namespace vann::hnsw {

// Finishes chains, takes dead elements out of the graph, replaces a dead entry point and records
// free space; fills in num_index_tuples, num_pages and pages_free. Costs one reading pass when
// nothing is dead.
void clean_up(const Index &index, BufferAccessStrategy strategy, IndexBulkDeleteResult *stats);

}  // namespace vann::hnsw
