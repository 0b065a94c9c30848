// rerank.hpp — exact distances from the heap under the scan's snapshot.
#pragma once

#include "am/common/page_format.hpp"
#include "pg/memory.hpp"
#include "pg/toast.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "access/tableam.h"
#include "nodes/execnodes.h"
}

namespace vann::am {

// Reads rows of the scan's table and computes the ordering operator on them: the very function that the
// query names, so that the order is the executor's own. Lives in the scan's memory context; holds at
// most one heap pin between calls, none after reset().
class Reranker {
 public:
  void open(IndexScanDesc scan, MemoryContext context);
  // Forgets the present heap page; called on rescan and at the end of a scan.
  void reset();
  void close();

  enum class Row { kVisible, kInvisible, kDeadToAll };

  // The row's distance to the query when it is visible: +infinity for NaN, which sorts last.
  Row distance(const HeapTid &tid, double *out);

 private:
  Datum indexed_value(bool *isnull);

  IndexScanDesc scan_;
  IndexFetchTableData *fetch_;
  TupleTableSlot *slot_;
  AttrNumber attribute_;   // of the table; 0 = the index is on an expression
  IndexInfo *info_;        // for expressions
  EState *estate_;
  MemoryContext row_context_;
  pg::ToastReader toast_;
};

}  // namespace vann::am
