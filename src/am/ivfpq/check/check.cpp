// check.cpp — ivfpq_check(): rows for what is wrong with an index, none when it is sound.
#include "am/ivfpq/check/check.hpp"

#include <algorithm>
#include <cmath>

#include "am/ivfpq/lists.hpp"
#include "am/ivfpq/check/row_check.hpp"
#include "am/ivfpq/vacuum/vacuum.hpp"

namespace vann::ivfpq {

KnownList *Census::find(uint32_t list) const {
  KnownList *const end_of_lists = lists.data + lists.size;
  KnownList *found = std::lower_bound(lists.data, end_of_lists, list,
                                      [](const KnownList &a, uint32_t id) { return a.id < id; });
  return found != end_of_lists && found->id == list ? found : nullptr;
}

bool Census::take(BlockNumber block, int64_t place, const char *what) {
  if (block == kMetaBlock || block >= end) {
    if (block == kMetaBlock || block >= RelationGetNumberOfBlocks(index->relation))
      problems->add(place, "%s is block %u, which cannot be", what, block);
    return false;
  }
  if (referenced[block]) {
    problems->add(place, "%s is block %u, which stands in two places", what, block);
    return false;
  }
  referenced[block] = true;
  return true;
}

const uint8_t *Census::copy_page(BlockNumber block, uint8_t *copy) const {
  const pg::LockedPage page(index->relation, block, BUFFER_LOCK_SHARE);
  memcpy(copy, page.bytes(), kPageBytes);
  return copy;
}

Census take_census(const Index &index, MemoryContext context, am::Problems *problems) {
  Census census{};
  census.index = &index;
  census.allocator = pg::allocator_in(context);
  census.problems = problems;
  census.end = RelationGetNumberOfBlocks(index.relation);
  census.referenced = static_cast<bool *>(
      MemoryContextAllocExtended(context, census.end, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
  census.referenced[kMetaBlock] = true;
  census.image = static_cast<uint8_t *>(MemoryContextAlloc(context, kPageBytes));
  census.refine_image = static_cast<uint8_t *>(MemoryContextAlloc(context, kPageBytes));
  walk_model(&census);
  walk_lists(&census);
  walk_directory(&census);
  walk_rows(&census);
  return census;
}

namespace {

// One for each row that is not marked moved; a second copy of a row, if there is one, does not count.
Array<am::IndexedTid> tids_of(const Census &census) {
  Array<am::IndexedTid> tids;
  for (const RowPlace &row : census.rows) {
    if (row.moved || (tids.size > 0 && tids[tids.size - 1].tid == row.tid)) continue;
    tids.push(census.allocator, {row.tid, row.list, census.find(row.list)->entered});
  }
  return tids;
}

bool holds(void *state, uint64_t, const HeapTid &tid, Datum value) {
  RowCheck &check = *static_cast<RowCheck *>(state);
  const Array<RowPlace> &rows = check.census().rows;
  const RowPlace *place =
      std::lower_bound(rows.data, rows.data + rows.size, am::tid_key(tid),
                       [](const RowPlace &a, uint64_t key) { return a.tid < key; });
  return check.holds(*place, value);
}

void check_pass(const am::Inspected &inspected, Snapshot snapshot, MemoryContext context,
                am::Problems *problems) {
  pg::ContextScope scope(context);
  const Index index = open_index(inspected.index);
  const Census census = take_census(index, context, problems);
  RowCheck check(census, context);
  am::check_heap(inspected, snapshot, tids_of(census), {holds, &check}, context, problems);
}

}  // namespace

}  // namespace vann::ivfpq

VANN_FUNCTION(ivfpq_check) {
  vann::am::run_check(fcinfo, vann::ivfpq::ivfpq_bulkdelete, vann::ivfpq::kAccessMethod,
                      vann::ivfpq::check_pass);
  return static_cast<Datum>(0);
}
