// chain.hpp — removal of empty kTids records from elements' chains.
//
// A record that leaves a chain goes through two steps, because its element's record lies on another
// page and only one page is locked at a time: it is sealed (kUnlinked, so that nobody can append to
// it, with a transaction id that never passes, so that nobody can reuse it), then taken out of the
// chain, and only then stamped with the id that decides its reuse. A crash in between leaves a
// sealed record that readers step over and that the next VACUUM finds.
#pragma once

#include "am/hnsw/index.hpp"

namespace vann::hnsw {

bool is_sealed(ConstRecord record);

// Seals the kTids record `tids` of `element` if it is empty (or was sealed before) and takes it out
// of the element's chain. Returns false when an insert has filled it in the meantime.
bool remove_from_chain(const Index &index, uint32_t tids, uint32_t element);

// Marks the element as kDead if it is live and has no TID left. Returns whether it is dead now.
bool mark_if_deserted(const Index &index, uint32_t element);

}  // namespace vann::hnsw
