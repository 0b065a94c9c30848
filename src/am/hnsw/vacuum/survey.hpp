// survey.hpp — the pass over all pages that cleanup starts with: everything later steps need to
// know, found in pages alone.
#pragma once

#include "am/hnsw/index.hpp"
#include "am/hnsw/vacuum/record_map.hpp"

namespace vann::hnsw {

// A record that belongs to an element, but is not its record at level 0.
struct OwnedRecord {
  uint32_t record;
  uint32_t element;
  uint8_t generation;
  uint8_t level;
};

struct Survey {
  RecordMap map;
  Allocator allocator;
  BlockNumber blocks_end;
  Array<OwnedRecord> upper;      // live records above level 0
  Array<OwnedRecord> idle_tids;  // kTids without TIDs, and sealed ones (see chain.hpp)
  Array<uint32_t> deserted;      // live elements without TIDs
  uint32_t dead = 0;
  uint64_t heap_tids = 0;
};

// Reads every record page under its share lock and records pages with reusable slots as free. The
// result lives in `context`.
Survey survey_index(const Index &index, BufferAccessStrategy strategy, MemoryContext context);

}  // namespace vann::hnsw
