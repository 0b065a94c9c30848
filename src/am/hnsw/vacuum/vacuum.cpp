// vacuum.cpp — ambulkdelete: one sequential pass that removes dead TIDs. Locks: one record page at
// a time, shared; exclusive only where something is dead. See ../README.md, "Delete and vacuum".
#include "am/hnsw/vacuum/vacuum.hpp"

#include "pg/compat.hpp"

#include "am/hnsw/vacuum/cleanup.hpp"
#include "am/hnsw/sweep.hpp"

namespace vann::hnsw {

namespace {

struct DeadTids {
  IndexBulkDeleteCallback callback;
  void *state;

  bool contains(const HeapTid &tid) const {
    ItemPointerData pointer = from_heap_tid(tid);
    return callback(&pointer, state);
  }
};

struct TidCounts {
  uint32_t kept = 0;
  uint32_t removed = 0;
};

TidCounts count_tids(const uint8_t *page, const Layout &layout, const DeadTids &dead) {
  TidCounts counts;
  for_each_record(page, layout, [&](uint32_t, ConstRecord record) {
    if (!holds_tids(record)) return;
    const HeapTid *tids = tids_of(record);
    for (uint32_t i = 0; i < tid_count(record); ++i)
      ++(dead.contains(tids[i]) ? counts.removed : counts.kept);
  });
  return counts;
}

// Moves the kept TIDs to the front; returns how many there are.
uint32_t compact(HeapTid *tids, uint32_t count, const DeadTids &dead) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; ++i)
    if (!dead.contains(tids[i])) tids[kept++] = tids[i];
  memset(static_cast<void *>(tids + kept), 0, (count - kept) * sizeof(HeapTid));
  return kept;
}

TidCounts remove_tids(uint8_t *copy, const Layout &layout, const DeadTids &dead) {
  TidCounts counts;
  for_each_record(copy, layout, [&](uint32_t, Record record) {
    const ConstRecord old(record.data(), layout);
    if (!holds_tids(old)) return;
    const uint32_t before = tid_count(old);
    uint32_t kept;
    if (record.state() == State::kTids) {
      kept = compact(record.chained_tids(), before, dead);
      record.tids_header().count = kept;
    } else {
      kept = compact(record.header().tids, before, dead);
      record.header().tid_count = static_cast<uint8_t>(kept);
      if (is_deserted(old)) record.header().state = static_cast<uint8_t>(State::kDead);
    }
    counts.kept += kept;
    counts.removed += before - kept;
  });
  return counts;
}

TidCounts vacuum_page(const Index &index, BlockNumber block, BufferAccessStrategy strategy,
                      const DeadTids &dead) {
  const Layout &layout = index.layout();
  pg::LockedPage shared = swept_page(index.relation, block, BUFFER_LOCK_SHARE, strategy);
  const TidCounts seen = count_tids(shared.bytes(), layout, dead);
  shared.release();
  if (seen.removed == 0) return seen;

  pg::LockedPage page = swept_page(index.relation, block, BUFFER_LOCK_EXCLUSIVE, strategy);
  pg::PageEdit edit(index.relation);
  const TidCounts counts = remove_tids(edit.modify(page), layout, dead);
  edit.commit();
  return counts;
}

}  // namespace

IndexBulkDeleteResult *hnsw_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
                                       IndexBulkDeleteCallback callback, void *state) {
  if (stats == nullptr)
    stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
  const Index index = open_index(info->index);
  const DeadTids dead{callback, state};

  // Pages that are added from here on hold no TID that this VACUUM knows: a TID is in the index
  // before its row can be found dead, and TIDs do not move between pages.
  const BlockNumber end = record_blocks_end(index);
  stats->estimated_count = false;
  stats->num_index_tuples = 0;
  for (BlockNumber block = index.cache->first_record_block; block < end; ++block) {
    pg::vacuum_delay();
    const TidCounts counts = vacuum_page(index, block, info->strategy, dead);
    stats->num_index_tuples += counts.kept;
    stats->tuples_removed += counts.removed;
  }
  stats->num_pages = end;
  return stats;
}

IndexBulkDeleteResult *hnsw_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats) {
  if (info->analyze_only) return stats;
  if (stats == nullptr)
    stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
  clean_up(open_index(info->index), info->strategy, stats);
  return stats;
}

}  // namespace vann::hnsw
