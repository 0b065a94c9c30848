// tids.hpp — heap TIDs of elements with duplicates: inline slots, then a chain of kTids records.
#pragma once

#include "am/hnsw/index.hpp"

namespace vann::hnsw {

// Adds a heap TID to the element whose level-0 record is given. Takes one page lock at a time. False
// when the record no longer is that live element: the caller then inserts a new one.
bool append_tid(const Index &index, Relation heap, uint32_t record, uint8_t generation,
                const HeapTid &tid);

// A copy of the TIDs of one kTids record of `element`, appended to `out`; `*next` receives the next older
// chain member or kNoRecord. A member that vacuum has taken away yields no TIDs.
void read_chain_member(const Index &index, uint32_t member, uint32_t element,
                       const Allocator &allocator, Array<HeapTid> *out, uint32_t *next);

}  // namespace vann::hnsw
