// survey.cpp — see survey.hpp. Locks: one record page at a time, shared.
#include "am/hnsw/vacuum/survey.hpp"

#include "pg/compat.hpp"

#include "am/hnsw/chain.hpp"
#include "am/hnsw/sweep.hpp"

extern "C" {
#include "storage/indexfsm.h"
}

namespace vann::hnsw {

namespace {

// Notes one record; returns true when its slot is reusable, at once or after the horizon has moved.
bool note_record(Survey *survey, uint32_t id, ConstRecord record) {
  const RecordHeader &header = record.header();
  const OwnedRecord owned{id, header.element, header.generation, header.level};
  survey->map.set(id, record.state(), header.generation);
  if (holds_tids(record)) survey->heap_tids += tid_count(record);
  switch (record.state()) {
    case State::kLive:
      if (header.level > 0) survey->upper.push(survey->allocator, owned);
      if (is_deserted(record)) survey->deserted.push(survey->allocator, id);
      return false;
    case State::kDead:
      ++survey->dead;
      return false;
    case State::kTids:
      if (tid_count(record) == 0) survey->idle_tids.push(survey->allocator, owned);
      return false;
    case State::kUnlinked:
      if (!is_sealed(record)) return true;
      survey->idle_tids.push(survey->allocator, owned);
      return false;
    case State::kFree:
      return true;
  }
  return false;
}

}  // namespace

Survey survey_index(const Index &index, BufferAccessStrategy strategy, MemoryContext context) {
  const Layout &layout = index.layout();
  // Pages of zeros are given to inserts.
  const BlockNumber end = pg::count_added_blocks(index.relation);
  Survey survey{
      RecordMap(context, record_id(end, 0, layout)), pg::allocator_in(context), end, {}, {}, {}};
  for (BlockNumber block = index.cache->first_record_block; block < end; ++block) {
    pg::vacuum_delay();
    pg::LockedPage page = swept_page(index.relation, block, BUFFER_LOCK_SHARE, strategy);
    bool room = page_is_new(page.bytes());
    for_each_record(const_cast<const uint8_t *>(page.bytes()), layout,
                    [&](uint32_t slot, ConstRecord record) {
                      room |= note_record(&survey, record_id(block, slot, layout), record);
                    });
    page.release();
    if (room) RecordFreeIndexPage(index.relation, block);
  }
  return survey;
}

}  // namespace vann::hnsw
