// cleanup.cpp — the order of VACUUM's second half. Every step leaves an index that searches read
// right and that the next VACUUM can take up from. See ../README.md, "Delete and vacuum".
#include "am/hnsw/vacuum/cleanup.hpp"

#include "pg/compat.hpp"

#include "am/hnsw/chain.hpp"
#include "am/hnsw/vacuum/reach.hpp"
#include "am/hnsw/vacuum/repair.hpp"
#include "am/hnsw/space.hpp"
#include "am/hnsw/vacuum/survey.hpp"
#include "am/hnsw/sweep.hpp"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
#include "storage/indexfsm.h"
}

namespace vann::hnsw {

namespace {

void note_dead(Survey *survey, uint32_t record) {
  if (!survey->map.covers(record) || survey->map.state(record) == State::kDead) return;
  survey->map.set(record, State::kDead, survey->map.generation(record));
  ++survey->dead;
}

// Takes empty kTids records out of chains and marks the elements that this (or an interrupted
// VACUUM) left without TIDs. Returns whether a record got a transaction id.
bool finish_chains(const Index &index, Survey *survey) {
  bool stamped = false;
  for (const OwnedRecord &idle : survey->idle_tids) {
    pg::vacuum_delay();
    if (!remove_from_chain(index, idle.record, idle.element)) continue;
    stamped = true;
    survey->map.set(idle.record, State::kUnlinked, idle.generation);
    RecordFreeIndexPage(index.relation, block_of(idle.record, index.layout()));
    survey->deserted.push(survey->allocator, idle.element);
  }
  for (const uint32_t element : survey->deserted) {
    pg::vacuum_delay();
    if (mark_if_deserted(index, element)) note_dead(survey, element);
  }
  return stamped;
}

// Dead elements' records above level 0.
void mark_upper_records(const Index &index, Survey *survey) {
  for (const OwnedRecord &upper : survey->upper) {
    if (!survey->map.covers(upper.element) || survey->map.state(upper.element) != State::kDead)
      continue;
    pg::vacuum_delay();
    RecordPage page(index, upper.record, BUFFER_LOCK_EXCLUSIVE);
    pg::PageEdit edit(index.relation);
    page.record_in_copy(edit.modify(page.page())).header().state =
        static_cast<uint8_t>(State::kDead);
    edit.commit();
    note_dead(survey, upper.record);
  }
}

// A live record of the highest level that exists; level -1 when nothing lives.
EntryPoint highest_live(const Survey &survey) {
  const RecordMap &map = survey.map;
  EntryPoint best{kNoRecord, -1, 0};
  for (const OwnedRecord &upper : survey.upper)
    if (upper.level > best.level && map.state(upper.record) == State::kLive)
      best = {upper.record, upper.level, upper.generation};
  for (uint32_t record = 0; record < map.count() && best.level < 0; ++record)
    if (map.state(record) == State::kLive) best = {record, 0, map.generation(record)};
  return best;
}

// Replaces an entry point that is dead, or below the highest level (an insert stopped before it
// could say so). Live records stay live while this VACUUM runs, so the metapage's lock is enough;
// an entry point that inserts have put there since the survey is live too.
void replace_entry(const Index &index, const Survey &survey) {
  const EntryPoint best = highest_live(survey);
  pg::LockedPage page(index.relation, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
  const MetaPage meta = *meta_of(const_cast<const uint8_t *>(page.bytes()));
  const bool gone = survey.map.is_gone(meta.entry_record, meta.entry_generation);
  if (meta.entry_level < 0 || (!gone && meta.entry_level >= best.level)) return;
  pg::PageEdit edit(index.relation);
  MetaPage *copy = meta_of(edit.modify(page));
  copy->entry_record = best.record;
  copy->entry_level = static_cast<int16_t>(best.level);
  copy->entry_generation = best.generation;
  edit.commit();
}

// Whether a record of the block is in that state.
bool holds(const RecordMap &map, BlockNumber block, const Layout &layout, State state) {
  for (uint32_t slot = 0; slot < layout.slots; ++slot)
    if (map.state(record_id(block, slot, layout)) == state) return true;
  return false;
}

// No edge leads to dead records any more: whoever still knows one has a snapshot that is older than
// `xid`.
void unlink_dead(const Index &index, BufferAccessStrategy strategy, Survey *survey) {
  const Layout &layout = index.layout();
  const FullTransactionId xid = ReadNextFullTransactionId();
  for (BlockNumber block = index.cache->first_record_block; block < survey->blocks_end; ++block) {
    if (!holds(survey->map, block, layout, State::kDead)) continue;
    pg::vacuum_delay();
    pg::LockedPage page = swept_page(index.relation, block, BUFFER_LOCK_EXCLUSIVE, strategy);
    pg::PageEdit edit(index.relation);
    for_each_record(edit.modify(page), layout, [&](uint32_t slot, Record record) {
      if (record.state() != State::kDead) return;
      record.header().state = static_cast<uint8_t>(State::kUnlinked);
      set_delete_xid(record, xid);
      survey->map.set(record_id(block, slot, layout), State::kUnlinked, record.header().generation);
    });
    edit.commit();
    page.release();
    RecordFreeIndexPage(index.relation, block);
  }
}

BlockNumber pages_with_room(const Index &index, const Survey &survey) {
  BlockNumber count = 0;
  for (BlockNumber block = index.cache->first_record_block; block < survey.blocks_end; ++block)
    count += holds(survey.map, block, index.layout(), State::kFree) ||
             holds(survey.map, block, index.layout(), State::kUnlinked);
  return count;
}

// Slots are reusable once every snapshot is younger than their transaction id, the next one at
// stamping. Until some transaction takes an id, new snapshots look as old as the stamp, and the
// first insert after VACUUM would have to extend the file; so this transaction takes it. (VACUUM
// may: it also does to log the lock of a truncation.) Parallel workers and their leaders cannot;
// then the next writer's id serves.
void pass_stamped_xid() {
  if (!IsInParallelMode() && !IsParallelWorker()) GetTopTransactionId();
}

}  // namespace

void clean_up(const Index &index, BufferAccessStrategy strategy, IndexBulkDeleteResult *stats) {
  const MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "hnsw vacuum", ALLOCSET_DEFAULT_SIZES);
  Survey survey = survey_index(index, strategy, context);
  bool stamped = finish_chains(index, &survey);
  if (survey.dead > 0) {
    mark_upper_records(index, &survey);
    replace_entry(index, survey);
    // First this: repair takes out edges to dead records alone, so that whoever can be reached
    // without them stays so, however early a cancel comes.
    restore_reachability(index, strategy, &survey.map, context);
    repair_edges(index, strategy, survey.map, context);
    unlink_dead(index, strategy, &survey);
    stamped = true;
  }
  if (stamped) pass_stamped_xid();
  IndexFreeSpaceMapVacuum(index.relation);

  stats->estimated_count = false;
  stats->num_index_tuples = static_cast<double>(survey.heap_tids);
  stats->num_pages = record_blocks_end(index);
  stats->pages_free = pages_with_room(index, survey);
  MemoryContextDelete(context);
}

}  // namespace vann::hnsw
