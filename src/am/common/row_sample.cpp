// row_sample.cpp — reads the first indexed rows of each of many stretches of a table.
#include "am/common/row_sample.hpp"

#include "am/common/pages.hpp"

extern "C" {
#include "access/tableam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"
}

#include <algorithm>
#include <cmath>

namespace vann::am {

namespace {

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

// Visits rows of blocks [begin, end) until `stop` are indexed in all, and counts the others on the last
// block read.
void read_stretch(TableScanDesc scan, const RowFilter &filter, BlockNumber begin, BlockNumber end,
                  uint64_t stop, const SampleVisitor &visitor, SampleCounts *counts) {
  ItemPointerData first, last;
  ItemPointerSet(&first, begin, FirstOffsetNumber);
  ItemPointerSet(&last, end - 1, MaxOffsetNumber);
  table_rescan_tidrange(scan, &first, &last);
  BlockNumber read = end;
  while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, filter.slot)) {
    CHECK_FOR_INTERRUPTS();
    const BlockNumber block = ItemPointerGetBlockNumber(&filter.slot->tts_tid);
    if (counts->indexed_rows >= stop) read = std::min(read, block);
    if (block > read) break;
    ++counts->rows_met;
    if (counts->indexed_rows >= stop) continue;
    ++counts->rows_examined;
    Datum value;
    if (filter.indexed(&value) &&
        visitor.visit(visitor.state, value, to_heap_tid(filter.slot->tts_tid)))
      ++counts->indexed_rows;
  }
  counts->blocks_read += std::min(read + 1, end) - begin;
}

void read_stretches(Relation heap, const RowFilter &filter, const SamplePlan &plan,
                    const SampleVisitor &visitor, SampleCounts *counts) {
  const BlockNumber blocks = counts->blocks;
  const BlockNumber stretches = std::min(blocks, plan.stretches);
  const BlockNumber share = plan.share_read == 0 ? 0 : blocks / stretches / plan.share_read;
  const BlockNumber readable = std::max(plan.least_blocks_read, share);
  ItemPointerData first;
  ItemPointerSet(&first, 0, FirstOffsetNumber);
  // What is committed now: a transaction's own snapshot may be older than the table's rows, and a
  // sample must not count as its reading under SERIALIZABLE.
  TableScanDesc scan = table_beginscan_tidrange(heap, SnapshotSelf, &first, &first);
  for (BlockNumber i = 0; i < stretches; ++i) {
    const auto begin = static_cast<BlockNumber>(uint64_t{blocks} * i / stretches);
    const auto end = static_cast<BlockNumber>(uint64_t{blocks} * (i + 1) / stretches);
    const uint64_t stop =
        plan.makes_up ? (uint64_t{plan.rows_wanted} * (i + 1) + stretches - 1) / stretches
                      : counts->indexed_rows + (plan.rows_wanted + stretches - 1) / stretches;
    read_stretch(scan, filter, begin, std::min(end, begin + readable), stop, visitor, counts);
  }
  table_endscan(scan);
}

}  // namespace

SampleCounts sample_rows(Relation heap, IndexInfo *info, const SamplePlan &plan,
                         const SampleVisitor &visitor) {
  SampleCounts counts{RelationGetNumberOfBlocks(heap), 0, 0, 0, 0};
  if (counts.blocks == 0 || heap->rd_tableam->scan_set_tidrange == nullptr) return counts;
  const RowFilter filter = open_filter(heap, info);
  read_stretches(heap, filter, plan, visitor, &counts);
  close_filter(filter);
  return counts;
}

double indexed_rows(Relation heap, const SampleCounts &counts) {
  if (counts.indexed_rows == 0) return 0;
  double tuples = static_cast<double>(counts.rows_met) / static_cast<double>(counts.blocks_read) *
                  counts.blocks;
  if (heap->rd_rel->reltuples >= 0) {
    BlockNumber pages;
    double visible;
    estimate_rel_size(heap, nullptr, &pages, &tuples, &visible);
  }
  return std::rint(tuples * static_cast<double>(counts.indexed_rows) /
                   static_cast<double>(counts.rows_examined));
}

IndexInfo *index_info_of_column(AttrNumber column) {
  IndexInfo *info = makeNode(IndexInfo);
  info->ii_NumIndexAttrs = 1;
  info->ii_NumIndexKeyAttrs = 1;
  info->ii_IndexAttrNumbers[0] = column;
  return info;
}

}  // namespace vann::am
