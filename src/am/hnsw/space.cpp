// space.cpp — where new records go. Locks: one record page at a time, exclusively; the relation
// extension lock around growing the file.
#include "am/hnsw/space.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/transam.h"
#include "storage/indexfsm.h"
#include "utils/snapmgr.h"
}

namespace vann::hnsw {

namespace {

// How many pages of the free space map to try before the file is extended: entries may be stale,
// because the map is not logged and horizons move.
constexpr int kMaxMapTries = 8;

// The page where this backend put its last record: most inserts of a statement go to one index.
struct LastPage {
  uint64_t build_id;
  BlockNumber block;
};
LastPage last_page{0, InvalidBlockNumber};

int find_slot(const pg::LockedPage &page, const Layout &layout, Relation heap) {
  const uint8_t *bytes = page.bytes();
  if (page_is_new(page.bytes())) return 0;
  if (!page_is(bytes, kPageId, kRecordPage)) return -1;
  for (uint32_t slot = 0; slot < layout.slots; ++slot)
    if (reusable(record_in(bytes, slot, layout), heap)) return static_cast<int>(slot);
  return -1;
}

FreeSlot slot_on(pg::LockedPage &&page, int slot, const Index &index) {
  const Layout &layout = index.layout();
  const BlockNumber block = page.block();
  last_page = {index.cache->build_id, block};
  uint8_t generation = 0;
  if (!page_is_new(page.bytes())) {
    const ConstRecord old =
        record_in(const_cast<const uint8_t *>(page.bytes()), static_cast<uint32_t>(slot), layout);
    generation = old.header().generation;
    if (old.state() != State::kFree) ++generation;
  }
  return {std::move(page), static_cast<uint32_t>(slot),
          record_id(block, static_cast<uint32_t>(slot), layout), generation};
}

}  // namespace

bool reusable(ConstRecord record, Relation heap) {
  if (record.state() == State::kFree) return true;
  if (record.state() != State::kUnlinked) return false;
  uint64 value;
  memcpy(&value, record.delete_xid(), sizeof(value));
  return GlobalVisCheckRemovableFullXid(heap, FullTransactionIdFromU64(value));
}

void set_delete_xid(Record record, FullTransactionId xid) {
  const uint64 value = U64FromFullTransactionId(xid);
  memcpy(record.delete_xid(), &value, sizeof(value));
}

FreeSlot take_slot(const Index &index, Relation heap) {
  BlockNumber block =
      last_page.build_id == index.cache->build_id ? last_page.block : InvalidBlockNumber;
  for (int tries = 0; tries <= kMaxMapTries; ++tries) {
    if (block == InvalidBlockNumber) block = GetFreeIndexPage(index.relation);
    if (block == InvalidBlockNumber) break;
    if (block >= index.cache->first_record_block) {
      pg::LockedPage page(index.relation, block, BUFFER_LOCK_EXCLUSIVE);
      const int slot = find_slot(page, index.layout(), heap);
      if (slot >= 0) return slot_on(std::move(page), slot, index);
    }
    block = InvalidBlockNumber;
  }
  return slot_on(pg::LockedPage(index.relation, pg::extend_locked(index.relation)), 0, index);
}

Record begin_record(pg::PageEdit &edit, const FreeSlot &slot, const Layout &layout) {
  uint8_t *copy;
  if (page_is_new(slot.page.bytes())) {
    copy = edit.overwrite(slot.page);
    init_page(copy, kPageId, kRecordPage);
  } else {
    copy = edit.modify(slot.page);
  }
  Record record = record_in(copy, slot.slot, layout);
  memset(record.data(), 0, layout.stride);
  record.header().generation = slot.generation;
  return record;
}

}  // namespace vann::hnsw
