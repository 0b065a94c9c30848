// row_sample.hpp — rows from all over a table, read where a whole scan would take too long.
#pragma once

#include "am/common/page_format.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "nodes/execnodes.h"
#include "utils/rel.h"
}

namespace vann::am {

// The table is cut into `stretches` of equal length, or as many as it has blocks. The first rows of
// each are read: up to rows_wanted / stretches that the index covers, from at most as many blocks as
// the greater of the two limits tells.
struct SamplePlan {
  BlockNumber stretches;
  uint32_t rows_wanted;
  BlockNumber least_blocks_read;  // of a stretch at least this many may be read,
  BlockNumber share_read;         // or the 1 / share_read-th part of it; 0 = no such part
  // Whether later stretches make up for rows that earlier ones lack.
  bool makes_up = false;
};

// Receives the indexed value and TID of a row, in the order of the table; the value goes after the call.
// Tells whether the row counts as indexed: a visitor may refuse it. May raise an ERROR.
struct SampleVisitor {
  bool (*visit)(void *state, Datum value, const HeapTid &tid);
  void *state;
};

struct SampleCounts {
  BlockNumber blocks;      // of the table
  uint64_t blocks_read;
  uint64_t rows_met;       // live rows on them
  uint64_t rows_examined;  // of these: whether they are indexed was looked at
  uint64_t indexed_rows;   // of these: satisfy the predicate, have a value, and the visitor took them
};

// Visits a sample of the rows that an index described by `info` covers: what is committed now, whatever
// the transaction's snapshot, and without predicate locks. The same rows for the same table. All counts
// but `blocks` are 0 for a table access method that cannot scan ranges of TIDs. Runs the index's
// expression and predicate.
SampleCounts sample_rows(Relation heap, IndexInfo *info, const SamplePlan &plan,
                         const SampleVisitor &visitor);

// The number of indexed rows in the whole table: the sampled share of the rows that the planner reckons
// with, or where the table was never analyzed of the sample's rows per block (the planner would guess
// the width of a vector).
double indexed_rows(Relation heap, const SampleCounts &counts);

// Describes an index on one column to sample_rows(); palloc'd.
IndexInfo *index_info_of_column(AttrNumber column);

}  // namespace vann::am
