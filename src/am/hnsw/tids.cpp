// tids.cpp — appends and reads heap TIDs of elements. See README.md, "Duplicates".
#include "am/hnsw/tids.hpp"

#include "am/hnsw/space.hpp"

namespace vann::hnsw {

namespace {

enum class Outcome { kDone, kFull, kGone };

bool is_live(ConstRecord record, uint8_t generation) {
  return record.state() == State::kLive && record.header().level == 0 &&
         record.header().generation == generation;
}

// Into the inline slots; kFull reports the chain's head.
Outcome append_inline(const Index &index, uint32_t id, uint8_t generation, const HeapTid &tid,
                      uint32_t *chain) {
  RecordPage page(index, id, BUFFER_LOCK_EXCLUSIVE);
  const RecordHeader &header = page.record().header();
  if (!is_live(page.record(), generation)) return Outcome::kGone;
  *chain = header.chain;
  if (header.tid_count >= kInlineTids) return Outcome::kFull;
  pg::PageEdit edit(index.relation);
  RecordHeader &changed = page.record_in_copy(edit.modify(page.page())).header();
  changed.tids[changed.tid_count++] = tid;
  edit.commit();
  return Outcome::kDone;
}

// Into the chain's head.
Outcome append_chained(const Index &index, uint32_t head, uint32_t element, const HeapTid &tid) {
  RecordPage page(index, head, BUFFER_LOCK_EXCLUSIVE);
  const ConstRecord record = page.record();
  if (record.state() != State::kTids || record.header().element != element) return Outcome::kGone;
  if (record.tids_header().count >= index.layout().tids_capacity()) return Outcome::kFull;
  pg::PageEdit edit(index.relation);
  Record changed = page.record_in_copy(edit.modify(page.page()));
  changed.chained_tids()[changed.tids_header().count++] = tid;
  edit.commit();
  return Outcome::kDone;
}

// A new kTids record in front of `chain`, not linked yet.
uint32_t write_chain_member(const Index &index, Relation heap, uint32_t element, uint32_t chain,
                            const HeapTid &tid) {
  const FreeSlot slot = take_slot(index, heap);
  pg::PageEdit edit(index.relation);
  Record record = begin_record(edit, slot, index.layout());
  RecordHeader &header = record.header();
  header.state = static_cast<uint8_t>(State::kTids);
  header.chain = chain;
  header.element = element;
  record.tids_header().count = 1;
  record.chained_tids()[0] = tid;
  edit.commit();
  return slot.record;
}

// Makes `member` the chain's head if the head still is `expected`.
bool link_chain_member(const Index &index, uint32_t id, uint8_t generation, uint32_t expected,
                       uint32_t member) {
  RecordPage page(index, id, BUFFER_LOCK_EXCLUSIVE);
  if (!is_live(page.record(), generation) || page.record().header().chain != expected) return false;
  pg::PageEdit edit(index.relation);
  page.record_in_copy(edit.modify(page.page())).header().chain = member;
  edit.commit();
  return true;
}

// Gives a member that could not be linked back to the free slots: nobody has seen it.
void discard_chain_member(const Index &index, uint32_t member) {
  RecordPage page(index, member, BUFFER_LOCK_EXCLUSIVE);
  pg::PageEdit edit(index.relation);
  Record record = page.record_in_copy(edit.modify(page.page()));
  record.header().state = static_cast<uint8_t>(State::kFree);
  ++record.header().generation;
  edit.commit();
}

}  // namespace

bool append_tid(const Index &index, Relation heap, uint32_t record, uint8_t generation,
                const HeapTid &tid) {
  for (;;) {
    uint32_t chain;
    const Outcome inlined = append_inline(index, record, generation, tid, &chain);
    if (inlined != Outcome::kFull) return inlined == Outcome::kDone;
    if (chain != kNoRecord && append_chained(index, chain, record, tid) == Outcome::kDone)
      return true;
    const uint32_t member = write_chain_member(index, heap, record, chain, tid);
    if (link_chain_member(index, record, generation, chain, member)) return true;
    discard_chain_member(index, member);
  }
}

void read_chain_member(const Index &index, uint32_t member, uint32_t element,
                       const Allocator &allocator, Array<HeapTid> *out, uint32_t *next) {
  RecordPage page(index, member, BUFFER_LOCK_SHARE);
  const ConstRecord record = page.record();
  const bool ours = record.header().element == element;
  *next = ours && (record.state() == State::kTids || record.state() == State::kUnlinked)
              ? record.header().chain
              : kNoRecord;
  if (!ours || record.state() != State::kTids) return;
  const uint32_t count = std::min(record.tids_header().count, index.layout().tids_capacity());
  out->reserve(allocator, out->size + count);
  memcpy(out->end(), record.chained_tids(), count * sizeof(HeapTid));
  out->size += count;
}

}  // namespace vann::hnsw
