// check.hpp — the parts of hnsw_check(): the graph from pages alone, and the graph against the
// table.
#pragma once

#include "am/hnsw/inspect.hpp"
#include "am/hnsw/record_map.hpp"

extern "C" {
#include "utils/snapshot.h"
}

namespace vann::hnsw {

struct Problem {
  int64_t record;  // -1 = the index as a whole
  const char *text;
};

// What was found wrong so far. Texts live in `context`.
class Problems {
 public:
  explicit Problems(MemoryContext context) : context_(context) {}

  void add(int64_t record, const char *format, ...) pg_attribute_printf(3, 4);
  const Array<Problem> &list() const { return list_; }
  // Only what `other` holds too.
  void intersect(const Problems &other);

 private:
  MemoryContext context_;
  Array<Problem> list_;
};

// A heap TID of the index and the element that holds it.
struct IndexedTid {
  uint64_t tid;  // block << 16 | offset
  uint32_t element;
  bool reached;  // a search can come to the element
};

// Checks pages, records, edges, chains and levels. `tids` receives every TID that scans can find,
// sorted. While others write, what two pages say of each other may be out of step: whoever wants
// certainty checks twice and believes what is found both times.
void check_graph(const Index &index, MemoryContext context, Problems *problems,
                 Array<IndexedTid> *tids);

// Checks that every row that `snapshot` sees and the index covers is in `tids`, at an element that
// searches reach and under a code that is its vector's. `tids` was collected after the snapshot was
// taken.
void check_heap(const Inspected &inspected, const Index &index, Snapshot snapshot,
                const Array<IndexedTid> &tids, MemoryContext context, Problems *problems);

}  // namespace vann::hnsw
