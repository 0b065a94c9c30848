// space.hpp — slots for new records: reuse of freed ones, and extension of the index file.
#pragma once

#include "am/hnsw/index.hpp"

namespace vann::hnsw {

// A slot that nobody else can take: its page is exclusively locked until this object goes.
struct FreeSlot {
  pg::LockedPage page;
  uint32_t slot;
  uint32_t record;
  uint8_t generation;  // what the new record must carry
};

// Finds a slot: on the page that this backend used last, on pages that the free space map names, else
// on a new page. Slots in state kUnlinked are taken only when no snapshot on `heap` can still lead
// to them. On entry the caller holds no page lock.
FreeSlot take_slot(const Index &index, Relation heap);

// The slot's record in the edit's copy of its page, zeroed but for state kFree and the generation; a
// page that is new to the file is initialized.
Record begin_record(pg::PageEdit &edit, const FreeSlot &slot, const Layout &layout);

// True when the slot may hold a new record (state kFree, or kUnlinked and past the horizon).
bool reusable(ConstRecord record, Relation heap);

// Stores the transaction id that decides when a record in state kUnlinked may be reused.
void set_delete_xid(Record record, FullTransactionId xid);

}  // namespace vann::hnsw
