// sweep.hpp — sequential passes over the record pages.
#pragma once

#include "pg/compat.hpp"

#include "am/hnsw/index.hpp"

namespace vann::hnsw {

// The blocks that hold records when this is called: [first_record_block, record_blocks_end).
inline BlockNumber record_blocks_end(const Index &index) {
  return RelationGetNumberOfBlocks(index.relation);
}

// Calls visit(slot, record) for every slot of a record page; nothing for a page of zeros.
template <class Byte, class Visit>
void for_each_record(Byte *page, const Layout &layout, Visit &&visit) {
  if (page_is_new(page) || !page_is(page, kPageId, kRecordPage)) return;
  for (uint32_t slot = 0; slot < layout.slots; ++slot) visit(slot, record_in(page, slot, layout));
}

// The number of valid TIDs in a kTids record or a level-0 record.
inline uint32_t tid_count(ConstRecord record) {
  if (record.state() == State::kTids)
    return std::min(record.tids_header().count, record.layout().tids_capacity());
  return std::min<uint32_t>(record.header().tid_count, kInlineTids);
}
inline const HeapTid *tids_of(ConstRecord record) {
  return record.state() == State::kTids ? record.chained_tids() : record.header().tids;
}

// True for a record that holds TIDs of its own: level 0, or kTids.
inline bool holds_tids(ConstRecord record) {
  return record.state() == State::kTids ||
         (record.state() == State::kLive && record.header().level == 0);
}

// An element without a single TID.
inline bool is_deserted(ConstRecord record) {
  const RecordHeader &header = record.header();
  return record.state() == State::kLive && header.level == 0 && header.tid_count == 0 &&
         header.chain == kNoRecord;
}

}  // namespace vann::hnsw
