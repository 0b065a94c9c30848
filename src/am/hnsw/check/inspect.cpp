// inspect.cpp — hnsw_meta() and hnsw_stats(): what an index was built with, and what it holds.
// Locks: one page at a time, shared.
#include "am/common/inspect.hpp"

#include "pg/array.hpp"

#include "am/hnsw/sweep.hpp"
#include "am/hnsw/vacuum/vacuum.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
}

namespace vann::hnsw {

namespace {

constexpr int kMaxLevels = 256;  // a level is one byte

// What a walk over all pages counts.
struct Stats {
  int64 records = 0;
  int64 states[5] = {};
  int64 elements = 0;
  int64 heap_tids = 0;
  int64 edges = 0;
  int64 base_edges = 0;
  int64 stale_edges = 0;
  int64 levels[kMaxLevels] = {};
  int top_level = -1;
};

void count_record(Stats *stats, ConstRecord record) {
  const RecordHeader &header = record.header();
  ++stats->records;
  ++stats->states[header.state <= static_cast<uint8_t>(State::kTids) ? header.state : 0];
  if (holds_tids(record)) stats->heap_tids += tid_count(record);
  if (record.state() != State::kLive) return;
  ++stats->levels[header.level];
  stats->top_level = std::max<int>(stats->top_level, header.level);
  stats->edges += header.neighbor_count;
  if (header.level > 0) return;
  ++stats->elements;
  stats->base_edges += header.neighbor_count;
}

// Generations and states of all records, for telling stale edges.
void count_all(const Index &index, uint8_t *states, uint8_t *generations, BlockNumber end,
               Stats *stats) {
  const Layout &layout = index.layout();
  for (BlockNumber block = index.cache->first_record_block; block < end; ++block) {
    CHECK_FOR_INTERRUPTS();
    pg::LockedPage page(index.relation, block, BUFFER_LOCK_SHARE);
    if (page_is_new(page.bytes())) {
      stats->records += layout.slots;
      stats->states[0] += layout.slots;
      continue;
    }
    for_each_record(const_cast<const uint8_t *>(page.bytes()), layout,
                    [&](uint32_t slot, ConstRecord record) {
                      const uint32_t id = record_id(block, slot, layout);
                      states[id] = record.header().state;
                      generations[id] = record.header().generation;
                      count_record(stats, record);
                    });
  }
}

void count_stale_edges(const Index &index, const uint8_t *states, const uint8_t *generations,
                       BlockNumber end, Stats *stats) {
  const Layout &layout = index.layout();
  const uint32_t records = record_id(end, 0, layout);
  for (BlockNumber block = index.cache->first_record_block; block < end; ++block) {
    CHECK_FOR_INTERRUPTS();
    pg::LockedPage page(index.relation, block, BUFFER_LOCK_SHARE);
    for_each_record(
        const_cast<const uint8_t *>(page.bytes()), layout, [&](uint32_t, ConstRecord record) {
          if (record.state() != State::kLive || !record.traversable()) return;
          for (uint32_t i = 0; i < record.header().neighbor_count; ++i) {
            const uint32_t target = record.ids()[i];
            stats->stale_edges +=
                target < records && (generations[target] != record.generations()[i] ||
                                     states[target] == static_cast<uint8_t>(State::kFree) ||
                                     states[target] == static_cast<uint8_t>(State::kUnlinked));
          }
        });
  }
}

Datum levels_array(const Stats &stats) {
  const int count = stats.top_level + 1;
  if (count == 0) return PointerGetDatum(construct_empty_array(INT4OID));
  ArrayType *array = pg::allocate_array(INT4OID, count, sizeof(int32));
  for (int i = 0; i < count; ++i)
    pg::array_elements<int32>(array)[i] = static_cast<int32>(stats.levels[i]);
  return PointerGetDatum(array);
}

Datum meta_row(FunctionCallInfo fcinfo) {
  const am::Inspected inspected =
      am::open_inspected(PG_GETARG_OID(0), hnsw_bulkdelete, kAccessMethod);
  const Index index = open_index(inspected.index);
  const Layout &layout = index.layout();
  const bool empty = index.entry.level < 0;
  Datum values[] = {
      Int32GetDatum(kFormatVersion),
      Int32GetDatum(index.cache->dims),
      CStringGetTextDatum(am::metric_name(index.cache->metric)),
      Int32GetDatum(index.cache->m),
      Int32GetDatum(index.cache->ef_construction),
      Int32GetDatum(layout.degree),
      Int32GetDatum(layout.shape.code_bits),
      Int32GetDatum(layout.shape.dims),
      Int32GetDatum(layout.shape.neighbor_bits),
      Int32GetDatum(layout.shape.neighbor_dims),
      Int32GetDatum(layout.slots),
      Int32GetDatum(layout.stride),
      Int64GetDatum(index.entry.record),
      Int32GetDatum(index.entry.level),
  };
  bool nulls[lengthof(values)] = {};
  nulls[12] = nulls[13] = empty;
  am::close_inspected(inspected);
  return am::one_row(fcinfo, values, nulls);
}

Datum stats_row(FunctionCallInfo fcinfo) {
  const am::Inspected inspected =
      am::open_inspected(PG_GETARG_OID(0), hnsw_bulkdelete, kAccessMethod);
  const Index index = open_index(inspected.index);
  const BlockNumber end = record_blocks_end(index);
  const size_t records = record_id(end, 0, index.layout());
  uint8_t *states =
      static_cast<uint8_t *>(palloc_extended(2 * records + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
  Stats stats;
  count_all(index, states, states + records, end, &stats);
  count_stale_edges(index, states, states + records, end, &stats);
  pfree(states);
  const double average = static_cast<double>(stats.base_edges) /
                         static_cast<double>(std::max<int64>(stats.elements, 1));
  Datum values[] = {
      Int64GetDatum(end),
      Int64GetDatum(stats.records),
      Int64GetDatum(stats.elements),
      Int64GetDatum(stats.heap_tids),
      Int64GetDatum(stats.states[static_cast<int>(State::kDead)]),
      Int64GetDatum(stats.states[static_cast<int>(State::kUnlinked)]),
      Int64GetDatum(stats.states[static_cast<int>(State::kFree)]),
      Int64GetDatum(stats.states[static_cast<int>(State::kTids)]),
      levels_array(stats),
      Int64GetDatum(stats.edges),
      Int64GetDatum(stats.stale_edges),
      Float8GetDatum(average),
      Int64GetDatum(static_cast<int64>(end) * BLCKSZ),
  };
  bool nulls[lengthof(values)] = {};
  am::close_inspected(inspected);
  return am::one_row(fcinfo, values, nulls);
}

}  // namespace

}  // namespace vann::hnsw

VANN_FUNCTION(hnsw_meta) { return vann::hnsw::meta_row(fcinfo); }
VANN_FUNCTION(hnsw_stats) { return vann::hnsw::stats_row(fcinfo); }
