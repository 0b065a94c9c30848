// inspect.cpp — ivfpq_meta(), ivfpq_stats() and ivfpq_lists(): what an index was built with, and what it
// holds. Locks: one page at a time, shared.
#include "am/common/inspect.hpp"

#include <algorithm>

#include "am/ivfpq/check/check.hpp"
#include "am/ivfpq/directory.hpp"
#include "am/ivfpq/vacuum/vacuum.hpp"

extern "C" {
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
}

namespace vann::ivfpq {

namespace {

am::Inspected open_argument(FunctionCallInfo fcinfo) {
  return am::open_inspected(PG_GETARG_OID(0), ivfpq_bulkdelete, kAccessMethod);
}

// ---- ivfpq_meta -------------------------------------------------------------------------------

const char *codec_name(quantize::Codec codec) {
  return codec == quantize::Codec::kRabitq ? "rabitq" : "pq";
}

int32 code_bits(quantize::Codec codec) {
  switch (codec) {
    case quantize::Codec::kPq4:
      return 4;
    case quantize::Codec::kPq8:
      return 8;
    case quantize::Codec::kRabitq:
      break;
  }
  return 1;
}

const char *rotation_name(RotationKind kind) {
  switch (kind) {
    case RotationKind::kNone:
      return "none";
    case RotationKind::kLearned:
      return "opq";
    case RotationKind::kRandom:
      break;
  }
  return "random";
}

Datum meta_row(FunctionCallInfo fcinfo) {
  const am::Inspected inspected = open_argument(fcinfo);
  const Index index = open_index(inspected.index);
  const Layout &layout = index.layout();
  const quantize::Codec codec = layout.rows.codec;
  Array<uint32_t> lists;
  collect_lists(index, pg::allocator_in(CurrentMemoryContext), &lists);
  Datum values[] = {
      Int32GetDatum(kFormatVersion),
      Int32GetDatum(index.cache->dims),
      CStringGetTextDatum(am::metric_name(index.cache->metric)),
      CStringGetTextDatum(codec_name(codec)),
      Int32GetDatum(layout.rows.subvectors),
      Int32GetDatum(code_bits(codec)),
      CStringGetTextDatum(rotation_name(index.cache->rotation_kind)),
      Int32GetDatum(layout.rows.refine_bits),
      Int32GetDatum(layout.rotated_dims),
      Int32GetDatum(layout.page_rows()),
      Int32GetDatum(layout.refine_pages),
      Int64GetDatum(lists.size),
      Int32GetDatum(index.meta.depth),
      Int32GetDatum(index.meta.probes),
      Int64GetDatum(index.meta.trained_rows),
      Int32GetDatum(index.meta.codebook_version),
      BoolGetDatum(index.cache->has_mean),
  };
  bool nulls[lengthof(values)] = {};
  nulls[4] = codec == quantize::Codec::kRabitq;
  nulls[13] = index.meta.probes == 0;
  am::close_inspected(inspected);
  return am::one_row(fcinfo, values, nulls);
}

// ---- What chains hold -------------------------------------------------------------------------

double mean_error(const KnownList &list) {
  return list.squared_error / static_cast<double>(std::max<uint64_t>(1, list.rows + list.moved));
}

// How much longer residuals are, squared, than when the list was written.
bool has_drift(const KnownList &list) {
  return list.record.written_error > 0 && list.rows + list.moved > 0;
}

bool is_list_of_rows(const KnownList &list) {
  return list.state() == ListState::kLive && list.record.level == 0;
}

// Problems that the walk meets are for ivfpq_check() to tell.
Census census_of(const Index &index) {
  am::Problems problems(CurrentMemoryContext);
  Census census = take_census(index, CurrentMemoryContext, &problems);
  census.problems = nullptr;
  return census;
}

// ---- ivfpq_stats ------------------------------------------------------------------------------

struct Stats {
  int64 pages[kFreePage + 1] = {};  // by kind; new ones as free
  int64 unreferenced = 0;
  int64 states[5] = {};  // list records
  int64 lists = 0;
  int64 rows = 0;
  int64 moved = 0;
  int64 slots = 0;
  int64 largest = 0;
  double squared_rows = 0;
  double error = 0;          // of rows of lists that know what it was
  double written_error = 0;  // and what it was for as many rows
};

void count_pages(const Census &census, Stats *stats) {
  for (BlockNumber block = 0; block < census.end; ++block) {
    CHECK_FOR_INTERRUPTS();
    const uint8_t *page = census.copy_page(block, census.image);
    uint16_t kind = kFreePage;
    for (uint16_t other = kMetaPage; other < kFreePage; ++other)
      if (page_is(page, other)) kind = other;
    ++stats->pages[kind];
    stats->unreferenced += kind != kFreePage && !census.referenced[block];
  }
}

void count_list(const KnownList &list, Stats *stats) {
  ++stats->states[list.record.state];
  if (!is_list_of_rows(list)) return;
  const double rows = static_cast<double>(list.rows);
  ++stats->lists;
  stats->rows += static_cast<int64>(list.rows);
  stats->moved += static_cast<int64>(list.moved);
  stats->slots += static_cast<int64>(list.slots);
  stats->largest = std::max(stats->largest, static_cast<int64>(list.rows));
  stats->squared_rows += rows * rows;
  if (!has_drift(list)) return;
  stats->error += list.squared_error;
  stats->written_error +=
      static_cast<double>(list.record.written_error) * static_cast<double>(list.rows + list.moved);
}

Stats count_all(const Census &census) {
  Stats stats;
  count_pages(census, &stats);
  for (const KnownList &list : census.lists) count_list(list, &stats);
  return stats;
}

Datum stats_row(FunctionCallInfo fcinfo) {
  const am::Inspected inspected = open_argument(fcinfo);
  const Index index = open_index(inspected.index);
  const Census census = census_of(index);
  const Stats stats = count_all(census);
  const double rows = static_cast<double>(std::max<int64>(1, stats.rows));
  const double lists = static_cast<double>(stats.lists);
  const int64 bytes = static_cast<int64>(census.end) * BLCKSZ;
  const auto state = [&](ListState s) { return Int64GetDatum(stats.states[static_cast<int>(s)]); };
  Datum values[] = {
      Int64GetDatum(census.end),
      Int64GetDatum(stats.pages[kModelPage]),
      Int64GetDatum(stats.pages[kListPage]),
      Int64GetDatum(stats.pages[kDirectoryPage]),
      Int64GetDatum(stats.pages[kScanPage]),
      Int64GetDatum(stats.pages[kRefinePage]),
      Int64GetDatum(stats.pages[kFreePage]),
      Int64GetDatum(stats.unreferenced),
      Int64GetDatum(stats.lists),
      Int64GetDatum(stats.rows),
      Int64GetDatum(stats.moved),
      Int64GetDatum(stats.slots - stats.rows - stats.moved),
      state(ListState::kBuilding),
      state(ListState::kRetired),
      state(ListState::kAnchor),
      Float8GetDatum(static_cast<double>(bytes) / rows),
      Float8GetDatum(rows / std::max(1.0, lists)),
      Int64GetDatum(stats.largest),
      Float8GetDatum(lists * stats.squared_rows / (rows * rows)),
      Float8GetDatum(stats.error / std::max(stats.written_error, 1e-300)),
      Int64GetDatum(bytes),
  };
  bool nulls[lengthof(values)] = {};
  nulls[15] = nulls[16] = nulls[18] = stats.rows == 0;
  nulls[19] = stats.written_error == 0;
  am::close_inspected(inspected);
  return am::one_row(fcinfo, values, nulls);
}

// ---- ivfpq_lists ------------------------------------------------------------------------------

void return_list(ReturnSetInfo *result, const KnownList &list) {
  const uint64_t present = list.rows + list.moved;
  Datum values[] = {
      Int64GetDatum(list.id),
      Int64GetDatum(list.rows),
      Int32GetDatum(list.pages),
      Int64GetDatum(list.slots - present),
      Float8GetDatum(static_cast<double>(list.moved) /
                     static_cast<double>(std::max<uint64_t>(1, present))),
      Float8GetDatum(mean_error(list) / std::max(1e-300, double{list.record.written_error})),
  };
  bool nulls[lengthof(values)] = {};
  nulls[5] = !has_drift(list);
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

void lists_rows(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  const am::Inspected inspected = open_argument(fcinfo);
  const Index index = open_index(inspected.index);
  const Census census = census_of(index);
  for (const KnownList &list : census.lists)
    if (is_list_of_rows(list))
      return_list(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo), list);
  am::close_inspected(inspected);
}

}  // namespace

}  // namespace vann::ivfpq

VANN_FUNCTION(ivfpq_meta) { return vann::ivfpq::meta_row(fcinfo); }
VANN_FUNCTION(ivfpq_stats) { return vann::ivfpq::stats_row(fcinfo); }
VANN_FUNCTION(ivfpq_lists) {
  vann::ivfpq::lists_rows(fcinfo);
  return static_cast<Datum>(0);
}
