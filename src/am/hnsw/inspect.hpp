// inspect.hpp — opening an index for the SQL functions that look into it.
#pragma once

#include "am/hnsw/index.hpp"

namespace vann::hnsw {

// An hnsw index and its table, both under AccessShareLock until close_inspected().
struct Inspected {
  Relation heap;
  Relation index;
};

// ERROR unless `oid` names an hnsw index that the user owns and this session can read.
Inspected open_inspected(Oid oid);
void close_inspected(const Inspected &inspected);

}  // namespace vann::hnsw
