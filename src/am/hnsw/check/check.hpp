// check.hpp — the part of hnsw_check() that reads the graph; the table's side is am/common's.
#pragma once

#include "am/common/problems.hpp"
#include "am/hnsw/index.hpp"

namespace vann::hnsw {

// Checks pages, records, edges, chains and levels; places are records. `tids` receives every TID that
// scans can find, sorted. While others write, what two pages say of each other may be out of step:
// whoever wants certainty checks twice and believes what is found both times.
void check_graph(const Index &index, MemoryContext context, am::Problems *problems,
                 Array<am::IndexedTid> *tids);

}  // namespace vann::hnsw
