// check_heap.cpp — the table against the index, as contrib/amcheck's heapallindexed does it. Locks:
// one record page at a time, shared.
#include "am/hnsw/check.hpp"

#include <algorithm>

#include "am/hnsw/element.hpp"

extern "C" {
#include "access/tableam.h"
#include "catalog/index.h"
}

namespace vann::hnsw {

namespace {

struct HeapCheck {
  const Index *index;
  const Array<IndexedTid> *tids;
  MemoryContext row_context;
  Problems *problems;
};

bool holds_code(ConstRecord record, const quantize::CodeFactors &factors, const uint8_t *planes) {
  const quantize::CodeShape &shape = record.layout().shape;
  return memcmp(&record.header().factors, &factors, sizeof(factors)) == 0 &&
         memcmp(record.code(), planes, quantize::code_bytes(shape.dims, shape.code_bits)) == 0;
}

void check_code(const HeapCheck &check, const ItemPointerData &tid, Datum value, uint32_t element) {
  pg::ContextScope scope(check.row_context);
  const Element expected = make_element(*check.index, value);
  RecordPage page(*check.index, element, BUFFER_LOCK_SHARE);
  const bool same = holds_code(page.record(), expected.factors, expected.planes);
  page.release();
  if (!same)
    check.problems->add(element, "the code is not that of the row at (%u,%u)",
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
    check.problems->add(found->element, "no search can come to the row at (%u,%u)", block, offset);
  check_code(check, *tid, values[0], found->element);
}

}  // namespace

void check_heap(const Inspected &inspected, const Index &index, Snapshot snapshot,
                const Array<IndexedTid> &tids, MemoryContext context, Problems *problems) {
  HeapCheck check{&index, &tids,
                  AllocSetContextCreate(context, "hnsw check row", ALLOCSET_DEFAULT_SIZES),
                  problems};
  IndexInfo *info = BuildIndexInfo(inspected.index);
  // As the second scan of CREATE INDEX CONCURRENTLY: with a snapshot, not as of now.
  info->ii_Concurrent = true;
  TableScanDesc scan = table_beginscan_strat(inspected.heap, snapshot, 0, nullptr, true, true);
  table_index_build_scan(inspected.heap, inspected.index, info, true, false, check_row, &check,
                         scan);

  const uint64_t blocks = RelationGetNumberOfBlocks(inspected.heap);
  for (size_t i = tids.size; i-- > 0 && tids[i].tid >> 16 >= blocks;)
    problems->add(tids[i].element, "the heap TID (%llu,%u) is beyond the end of the table",
                  static_cast<unsigned long long>(tids[i].tid >> 16),
                  static_cast<unsigned>(tids[i].tid & 0xffff));
}

}  // namespace vann::hnsw
