// chain.cpp — see chain.hpp. Locks: one record page at a time.
#include "am/hnsw/chain.hpp"

#include "pg/compat.hpp"

#include "am/hnsw/space.hpp"
#include "am/hnsw/sweep.hpp"

extern "C" {
#include "access/transam.h"
}

namespace vann::hnsw {

namespace {

constexpr uint64 kNeverReusable = PG_UINT64_MAX;

FullTransactionId sealed_xid() { return FullTransactionIdFromU64(kNeverReusable); }

// Under the page's exclusive lock, which an append would need.
bool seal(const Index &index, uint32_t tids, uint32_t element) {
  RecordPage page(index, tids, BUFFER_LOCK_EXCLUSIVE);
  const ConstRecord found = page.record();
  if (is_sealed(found)) return found.header().element == element;
  if (found.state() != State::kTids || found.header().element != element || tid_count(found) != 0)
    return false;
  pg::PageEdit edit(index.relation);
  Record record = page.record_in_copy(edit.modify(page.page()));
  record.header().state = static_cast<uint8_t>(State::kUnlinked);
  set_delete_xid(record, sealed_xid());
  edit.commit();
  return true;
}

// A record of the element that may name the next one of its chain.
bool in_chain(ConstRecord record, uint32_t id, uint32_t element) {
  if (id == element) return record.header().level == 0 && record.state() == State::kLive;
  return record.header().element == element &&
         (record.state() == State::kTids || is_sealed(record));
}

// The record whose chain field names `tids`, and what `tids` itself names. kNoRecord when none
// does: the chain has been finished before, or `tids` was never put into it.
uint32_t find_predecessor(const Index &index, uint32_t tids, uint32_t element, uint32_t *next) {
  {
    RecordPage page(index, tids, BUFFER_LOCK_SHARE);
    *next = page.record().header().chain;
  }
  uint32_t at = element;
  while (at != kNoRecord) {
    pg::vacuum_delay();
    RecordPage page(index, at, BUFFER_LOCK_SHARE);
    const ConstRecord record = page.record();
    if (!in_chain(record, at, element)) return kNoRecord;
    if (record.header().chain == tids) return at;
    at = record.header().chain;
  }
  return kNoRecord;
}

// Lets `at` name `next` in the place of `tids`. False when a newer head has come between.
bool bypass(const Index &index, uint32_t at, uint32_t tids, uint32_t element, uint32_t next) {
  RecordPage page(index, at, BUFFER_LOCK_EXCLUSIVE);
  const ConstRecord found = page.record();
  if (!in_chain(found, at, element) || found.header().chain != tids) return false;
  pg::PageEdit edit(index.relation);
  page.record_in_copy(edit.modify(page.page())).header().chain = next;
  edit.commit();
  return true;
}

}  // namespace

bool is_sealed(ConstRecord record) {
  uint64 xid;
  memcpy(&xid, record.delete_xid(), sizeof(xid));
  return record.state() == State::kUnlinked && xid == kNeverReusable;
}

bool remove_from_chain(const Index &index, uint32_t tids, uint32_t element) {
  if (!seal(index, tids, element)) return false;
  uint32_t next;
  // Inserts push new heads only, so a failed bypass means one more record to step over.
  for (;;) {
    const uint32_t at = find_predecessor(index, tids, element, &next);
    if (at == kNoRecord || bypass(index, at, tids, element, next)) break;
  }
  RecordPage page(index, tids, BUFFER_LOCK_EXCLUSIVE);
  pg::PageEdit edit(index.relation);
  set_delete_xid(page.record_in_copy(edit.modify(page.page())), ReadNextFullTransactionId());
  edit.commit();
  return true;
}

bool mark_if_deserted(const Index &index, uint32_t element) {
  RecordPage page(index, element, BUFFER_LOCK_EXCLUSIVE);
  if (page.record().state() == State::kDead) return true;
  if (!is_deserted(page.record())) return false;
  pg::PageEdit edit(index.relation);
  page.record_in_copy(edit.modify(page.page())).header().state = static_cast<uint8_t>(State::kDead);
  edit.commit();
  return true;
}

}  // namespace vann::hnsw
