// rerank.cpp — see rerank.hpp.
#include "am/common/rerank.hpp"

#include "am/common/pages.hpp"

extern "C" {
#include "catalog/index.h"
#include "executor/executor.h"
}

#include <cmath>
#include <limits>

namespace vann::am {

void Reranker::open(IndexScanDesc scan, MemoryContext context) {
  pg::ContextScope scope(context);
  scan_ = scan;
  fetch_ = table_index_fetch_begin(scan->heapRelation);
  slot_ = table_slot_create(scan->heapRelation, nullptr);
  attribute_ = scan->indexRelation->rd_index->indkey.values[0];
  info_ = nullptr;
  estate_ = nullptr;
  if (attribute_ == 0) {
    info_ = BuildIndexInfo(scan->indexRelation);
    estate_ = CreateExecutorState();
    GetPerTupleExprContext(estate_)->ecxt_scantuple = slot_;
  }
  row_context_ = AllocSetContextCreate(context, "rerank row", ALLOCSET_DEFAULT_SIZES);
  toast_.init(scan->heapRelation, context);
}

void Reranker::reset() {
  ExecClearTuple(slot_);
  table_index_fetch_reset(fetch_);
}

void Reranker::close() {
  toast_.close();
  ExecDropSingleTupleTableSlot(slot_);
  table_index_fetch_end(fetch_);
  if (estate_ != nullptr) FreeExecutorState(estate_);
}

Datum Reranker::indexed_value(bool *isnull) {
  if (attribute_ != 0) return slot_getattr(slot_, attribute_, isnull);
  Datum values[INDEX_MAX_KEYS];
  bool nulls[INDEX_MAX_KEYS];
  FormIndexDatum(info_, slot_, estate_, values, nulls);
  *isnull = nulls[0];
  return values[0];
}

Reranker::Row Reranker::distance(const HeapTid &tid, double *out) {
  ItemPointerData pointer = from_heap_tid(tid);
  bool call_again = false;
  bool all_dead = false;
  const bool found = table_index_fetch_tuple(fetch_, &pointer, scan_->xs_snapshot, slot_,
                                             &call_again, &all_dead);
  if (!found) return all_dead ? Row::kDeadToAll : Row::kInvisible;

  pg::ContextScope scope(row_context_);
  bool isnull;
  const Datum value = indexed_value(&isnull);
  const ScanKey key = &scan_->orderByData[0];
  *out = std::numeric_limits<double>::infinity();
  if (!isnull && (key->sk_flags & SK_ISNULL) == 0) {
    const double exact = DatumGetFloat8(
        FunctionCall2Coll(&key->sk_func, key->sk_collation,
                          toast_.plain(value, scan_->xs_snapshot), key->sk_argument));
    if (!std::isnan(exact)) *out = exact;
  }
  ExecClearTuple(slot_);
  MemoryContextReset(row_context_);
  if (estate_ != nullptr) ResetPerTupleExprContext(estate_);
  return Row::kVisible;
}

}  // namespace vann::am
