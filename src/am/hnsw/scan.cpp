// scan.cpp — the scan callbacks. The work is in scan_state.cpp.
#include "am/hnsw/scan.hpp"

#include "am/hnsw/scan_state.hpp"

extern "C" {
#include "access/genam.h"
#include "pgstat.h"
#include "utils/snapmgr.h"
}

namespace vann::hnsw {

namespace {

struct ScanOpaque {
  ScanState state;
  MemoryContext context;
  bool opened;
};

ScanOpaque *opaque_of(IndexScanDesc scan) { return static_cast<ScanOpaque *>(scan->opaque); }

void check_scan(IndexScanDesc scan) {
  if (scan->numberOfOrderBys != 1 || scan->orderByData == nullptr)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot scan hnsw index without order"),
                    errhint("Use ORDER BY column <operator> value.")));
  if (!IsMVCCSnapshot(scan->xs_snapshot))
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("non-MVCC snapshots are not supported with hnsw")));
}

}  // namespace

extern "C" IndexScanDesc hnsw_beginscan(Relation index, int keys, int orderbys) {
  IndexScanDesc scan = RelationGetIndexScan(index, keys, orderbys);
  ScanOpaque *opaque = static_cast<ScanOpaque *>(palloc0(sizeof(ScanOpaque)));
  opaque->context =
      AllocSetContextCreate(CurrentMemoryContext, "hnsw scan", ALLOCSET_DEFAULT_SIZES);
  scan->opaque = opaque;
  return scan;
}

extern "C" void hnsw_rescan(IndexScanDesc scan, ScanKey keys, int, ScanKey orderbys, int) {
  if (keys != nullptr && scan->numberOfKeys > 0)
    memmove(scan->keyData, keys, static_cast<size_t>(scan->numberOfKeys) * sizeof(ScanKeyData));
  if (orderbys != nullptr && scan->numberOfOrderBys > 0)
    memmove(scan->orderByData, orderbys,
            static_cast<size_t>(scan->numberOfOrderBys) * sizeof(ScanKeyData));
  if (opaque_of(scan)->opened) opaque_of(scan)->state.rescan();
}

extern "C" bool hnsw_gettuple(IndexScanDesc scan, ScanDirection) {
  ScanOpaque *opaque = opaque_of(scan);
  if (!opaque->opened) {
    check_scan(scan);
    opaque->state.open(scan, opaque->context);
    opaque->opened = true;
  }
  if (scan->kill_prior_tuple) opaque->state.kill_last();
  HeapTid tid;
  if (!opaque->state.next(&tid)) return false;
  scan->xs_heaptid = from_heap_tid(tid);
  scan->xs_recheck = false;
  scan->xs_recheckorderby = false;
  return true;
}

extern "C" void hnsw_endscan(IndexScanDesc scan) {
  ScanOpaque *opaque = opaque_of(scan);
  if (opaque->opened) opaque->state.close();
  MemoryContextDelete(opaque->context);
  pfree(opaque);
  scan->opaque = nullptr;
}

}  // namespace vann::hnsw
