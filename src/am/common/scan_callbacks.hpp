// scan_callbacks.hpp — ambeginscan, amrescan, amgettuple and amendscan of an ordered scan over a class
// that holds the access method's state of one scan.
#pragma once

#include "pg/memory.hpp"

#include "am/common/pages.hpp"

extern "C" {
#include "access/amapi.h"
#include "access/genam.h"
#include "access/relscan.h"
}

namespace vann::am {

// ERROR unless the scan has its one ordering operator and a snapshot that rows can be judged by.
void check_scan(IndexScanDesc scan, const char *am_name);
// What a rescan brings, copied to where the scan keeps it.
void copy_keys(IndexScanDesc scan, ScanKey keys, ScanKey orderbys);

// `ScanState` is trivially destructible and valid when zeroed. It has
//   void open(IndexScanDesc scan, MemoryContext context);  before the first row
//   void rescan();                                         scan->orderByData has changed
//   void close();
//   bool next(HeapTid *tid);  the next row in order; false when there is none
//   void kill_last();         the row that was handed out last is dead to all
// and is opened by the first row that is asked for. Everything it keeps lives in `context`.
template <class ScanState>
struct ScanCallbacks {
  static IndexScanDesc begin(Relation index, int keys, int orderbys) {
    IndexScanDesc scan = RelationGetIndexScan(index, keys, orderbys);
    Opaque *opaque = static_cast<Opaque *>(palloc0(sizeof(Opaque)));
    opaque->context =
        AllocSetContextCreate(CurrentMemoryContext, "vector index scan", ALLOCSET_DEFAULT_SIZES);
    scan->opaque = opaque;
    return scan;
  }

  static void rescan(IndexScanDesc scan, ScanKey keys, ScanKey orderbys) {
    copy_keys(scan, keys, orderbys);
    if (opaque_of(scan)->opened) opaque_of(scan)->state.rescan();
  }

  static bool get_tuple(IndexScanDesc scan, const char *am_name) {
    Opaque *opaque = opaque_of(scan);
    if (!opaque->opened) {
      check_scan(scan, am_name);
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

  static void end(IndexScanDesc scan) {
    Opaque *opaque = opaque_of(scan);
    if (opaque->opened) opaque->state.close();
    MemoryContextDelete(opaque->context);
    pfree(opaque);
    scan->opaque = nullptr;
  }

 private:
  struct Opaque {
    ScanState state;
    MemoryContext context;
    bool opened;
  };

  static Opaque *opaque_of(IndexScanDesc scan) { return static_cast<Opaque *>(scan->opaque); }
};

}  // namespace vann::am
