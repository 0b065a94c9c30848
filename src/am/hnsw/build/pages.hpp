// pages.hpp — write stage of a build: turns linked levels into record pages.
#pragma once

#include "am/hnsw/build/graph.hpp"
#include "am/hnsw/index.hpp"

namespace vann::hnsw {

// Takes `count` pages, images aligned to pg::kIoAlignment, front to back; may raise an ERROR.
struct PageSink {
  void (*append)(void *state, uint8_t *pages, uint32_t count);
  void *state;
};

// Appends all record pages of the index, level 0 first, then those of further TIDs. The graph is linked
// and has rows. Returns the entry point.
EntryPoint write_record_pages(const BuildGraph &graph, const IndexCache &cache, unsigned threads,
                              MemoryContext context, const PageSink &sink);

// Bytes of memory that this takes beside the graph's.
size_t writer_bytes(const Layout &layout, unsigned threads);

}  // namespace vann::hnsw
