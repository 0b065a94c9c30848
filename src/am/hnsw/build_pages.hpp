// build_pages.hpp — write stage of a build: turns rows and graphs into record pages.
#pragma once

#include "am/hnsw/build_graph.hpp"
#include "pg/bulk_writer.hpp"

namespace vann::hnsw {

// Appends all record pages of the index, in the graphs' order, level 0 first. `cache` has the final
// mean. Returns the entry point.
EntryPoint write_record_pages(const BuildRows &rows, const LevelGraphs &graphs,
                              const IndexCache &cache, unsigned threads, MemoryContext context,
                              pg::BulkWriter *writer);

}  // namespace vann::hnsw
