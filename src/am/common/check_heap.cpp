// check_heap.cpp — the table against the index, as contrib/amcheck's heapallindexed does it.
#include "am/common/problems.hpp"

#include <algorithm>

#include "am/common/pages.hpp"

extern "C" {
#include "access/tableam.h"
#include "catalog/index.h"
}

namespace vann::am {

namespace {

struct HeapCheck {
  const Array<IndexedTid> *tids;
  const CodeCheck *code;
  MemoryContext row_context;
  Problems *problems;
};

void check_code(const HeapCheck &check, const ItemPointerData &tid, Datum value, uint64_t place) {
  pg::ContextScope scope(check.row_context);
  if (!check.code->holds(check.code->state, place, to_heap_tid(tid), value))
    check.problems->add(static_cast<int64_t>(place), "the code is not that of the row at (%u,%u)",
                        ItemPointerGetBlockNumber(&tid), ItemPointerGetOffsetNumber(&tid));
  MemoryContextReset(check.row_context);
}

void check_row(Relation, ItemPointer tid, Datum *values, bool *isnull, bool, void *state) {
  const HeapCheck &check = *static_cast<const HeapCheck *>(state);
  if (isnull[0]) return;
  const uint64_t key = tid_key(to_heap_tid(*tid));
  const Array<IndexedTid> &tids = *check.tids;
  const IndexedTid *found =
      std::lower_bound(tids.data, tids.data + tids.size, key,
                       [](const IndexedTid &a, uint64_t b) { return a.tid < b; });
  const BlockNumber block = ItemPointerGetBlockNumber(tid);
  const OffsetNumber offset = ItemPointerGetOffsetNumber(tid);
  if (found == tids.data + tids.size || found->tid != key) {
    check.problems->add(-1, "the row at (%u,%u) is not in the index", block, offset);
    return;
  }
  if (!found->reached)
    check.problems->add(found->place, "no search can come to the row at (%u,%u)", block, offset);
  check_code(check, *tid, values[0], found->place);
}

}  // namespace

void check_heap(const Inspected &inspected, Snapshot snapshot, const Array<IndexedTid> &tids,
                const CodeCheck &code, MemoryContext context, Problems *problems) {
  HeapCheck check{&tids, &code,
                  AllocSetContextCreate(context, "index check row", ALLOCSET_DEFAULT_SIZES),
                  problems};
  IndexInfo *info = BuildIndexInfo(inspected.index);
  // As the second scan of CREATE INDEX CONCURRENTLY: with a snapshot, not as of now.
  info->ii_Concurrent = true;
  TableScanDesc scan = table_beginscan_strat(inspected.heap, snapshot, 0, nullptr, true, true);
  table_index_build_scan(inspected.heap, inspected.index, info, true, false, check_row, &check,
                         scan);

  const uint64_t blocks = RelationGetNumberOfBlocks(inspected.heap);
  for (size_t i = tids.size; i-- > 0 && tids[i].tid >> 16 >= blocks;)
    problems->add(tids[i].place, "the heap TID (%llu,%u) is beyond the end of the table",
                  static_cast<unsigned long long>(tids[i].tid >> 16),
                  static_cast<unsigned>(tids[i].tid & 0xffff));
}

}  // namespace vann::am
