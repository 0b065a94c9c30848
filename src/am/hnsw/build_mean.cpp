// build_mean.cpp — reads the first indexed rows of each of many stretches of the table.
#include "am/hnsw/build_mean.hpp"

extern "C" {
#include "access/tableam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

namespace vann::hnsw {

namespace {

// The mean only has to be near: with n rows the codes' residuals are longer by 1 / n of their squares.
constexpr BlockNumber kStretches = 256;
constexpr uint32_t kRowsWanted = 1024;
// Of each stretch at most this share is read, but this many blocks: few rows may match the predicate.
constexpr BlockNumber kShareRead = 8;
constexpr BlockNumber kBlocksRead = 8;

// What evaluates the predicate and the expression of an index on rows of its table.
struct RowFilter {
  IndexInfo *info;
  EState *estate;
  ExprState *predicate;
  TupleTableSlot *slot;

  // Whether the row in the slot is in the index, and its value.
  bool indexed(Datum *value) const {
    ResetPerTupleExprContext(estate);
    GetPerTupleExprContext(estate)->ecxt_scantuple = slot;
    if (!ExecQual(predicate, GetPerTupleExprContext(estate))) return false;
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    FormIndexDatum(info, slot, estate, values, nulls);
    *value = values[0];
    return !nulls[0];
  }
};

RowFilter open_filter(Relation heap, IndexInfo *info) {
  RowFilter filter{info, CreateExecutorState(), nullptr, table_slot_create(heap, nullptr)};
  filter.predicate = ExecPrepareQual(info->ii_Predicate, filter.estate);
  return filter;
}

void close_filter(const RowFilter &filter) {
  ExecDropSingleTupleTableSlot(filter.slot);
  FreeExecutorState(filter.estate);
  // These lived in the executor state.
  filter.info->ii_ExpressionsState = NIL;
  filter.info->ii_PredicateState = nullptr;
}

struct Sums {
  double *sums;  // [dims]
  uint32_t dims;
  uint32_t rows;

  void add(const float *x) {
    for (uint32_t i = 0; i < dims; ++i) sums[i] += x[i];
    ++rows;
  }
};

// Adds up the first `wanted` indexed rows of blocks [begin, end).
void sum_stretch(TableScanDesc scan, const RowFilter &filter, BlockNumber begin, BlockNumber end,
                 uint32_t wanted, RowEncoder *encoder, Sums *sums) {
  ItemPointerData first, last;
  ItemPointerSet(&first, begin, FirstOffsetNumber);
  ItemPointerSet(&last, end - 1, MaxOffsetNumber);
  table_rescan_tidrange(scan, &first, &last);
  const uint32_t stop = sums->rows + wanted;
  while (sums->rows < stop &&
         table_scan_getnextslot_tidrange(scan, ForwardScanDirection, filter.slot)) {
    CHECK_FOR_INTERRUPTS();
    Datum value;
    if (filter.indexed(&value)) sums->add(encoder->prepare(value));
  }
}

void sum_stretches(Relation heap, const RowFilter &filter, RowEncoder *encoder, Sums *sums) {
  const BlockNumber blocks = RelationGetNumberOfBlocks(heap);
  const BlockNumber stretches = std::min(blocks, kStretches);
  if (stretches == 0 || heap->rd_tableam->scan_set_tidrange == nullptr) return;
  const uint32_t wanted = (kRowsWanted + stretches - 1) / stretches;
  const BlockNumber readable = std::max(kBlocksRead, blocks / stretches / kShareRead);
  ItemPointerData first;
  ItemPointerSet(&first, 0, FirstOffsetNumber);
  // What is committed now: a transaction's own snapshot may be older than the table's rows, and a
  // sample must not count as its reading under SERIALIZABLE.
  TableScanDesc scan = table_beginscan_tidrange(heap, SnapshotSelf, &first, &first);
  for (BlockNumber i = 0; i < stretches; ++i) {
    const auto begin = static_cast<BlockNumber>(uint64_t{blocks} * i / stretches);
    const auto end = static_cast<BlockNumber>(uint64_t{blocks} * (i + 1) / stretches);
    sum_stretch(scan, filter, begin, std::min(end, begin + readable), wanted, encoder, sums);
  }
  table_endscan(scan);
}

}  // namespace

void sample_mean(Relation heap, IndexInfo *info, RowEncoder *encoder, uint32_t dims, float *mean) {
  std::fill(mean, mean + dims, 0.0f);
  const RowFilter filter = open_filter(heap, info);
  Sums sums{static_cast<double *>(palloc0(dims * sizeof(double))), dims, 0};
  sum_stretches(heap, filter, encoder, &sums);
  close_filter(filter);
  if (sums.rows > 0)
    for (uint32_t i = 0; i < dims; ++i) mean[i] = static_cast<float>(sums.sums[i] / sums.rows);
  pfree(sums.sums);
}

}  // namespace vann::hnsw
