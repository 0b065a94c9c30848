// build.cpp — CREATE INDEX: scan, link, write. The stages are in scan, graph and pages.
#include "am/hnsw/build/build.hpp"

#include "am/hnsw/build/pages.hpp"
#include "am/hnsw/build/plan.hpp"
#include "am/hnsw/build/scan.hpp"
#include "am/hnsw/options.hpp"
#include "pg/bulk_writer.hpp"
#include "pg/parallel_scan.hpp"
#include "pg/stopwatch.hpp"

extern "C" {
#include "commands/progress.h"
#include "executor/instrument.h"
#include "utils/backend_progress.h"
#include "utils/guc.h"
}

namespace vann::hnsw {

namespace {

constexpr const char *kPhaseNames[] = {
    "scanning table",       "partitioning vectors", "comparing within leaves", "pruning neighbors",
    "adding reverse edges", "connecting the graph", "writing index pages"};

MetaPage meta_for(Relation index) {
  return new_meta(static_cast<uint32_t>(indexed_dims(index, kAccessMethod)),
                  operator_class_of(index).metric, option_m(index), option_ef_construction(index));
}

void append_meta(pg::BulkWriter *writer, const MetaPage &meta) {
  uint8_t *page = pg::allocate_aligned<uint8_t, pg::kIoAlignment>(CurrentMemoryContext, kPageBytes);
  init_page(page, kPageId, kMetaPage);
  *meta_of(page) = meta;
  writer->append(page, 1);
}

void append_mean(pg::BulkWriter *writer, const IndexCache &cache) {
  uint8_t *page = pg::allocate_aligned<uint8_t, pg::kIoAlignment>(CurrentMemoryContext, kPageBytes);
  for (size_t done = 0; done < cache.mean_floats; done += kMeanPageFloats) {
    const size_t count = std::min(kMeanPageFloats, cache.mean_floats - done);
    init_page(page, kPageId, kMeanPage);
    memcpy(page + kPageHeaderBytes, cache.mean() + done, count * sizeof(float));
    writer->append(page, 1);
  }
}

void add_row(void *graph, const int8_t *values, const quantize::ByteCode &code,
             const HeapTid &tid) {
  static_cast<BuildGraph *>(graph)->add(values, code, tid);
}

// The metapage comes first in the file, but knows the entry point only at the end: it is written once
// more, through the buffer manager.
void set_entry_point(Relation index, const EntryPoint &entry) {
  pg::LockedPage page(index, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
  pg::PageEdit edit(index);
  MetaPage *meta = meta_of(edit.overwrite(page));
  meta->entry_record = entry.record;
  meta->entry_level = static_cast<int16_t>(entry.level);
  meta->entry_generation = entry.generation;
  edit.commit();
}

void append_pages(void *writer, uint8_t *pages, uint32_t count) {
  static_cast<pg::BulkWriter *>(writer)->append(pages, count);
}

void announce_spilling(Relation index, const Plan &plan, uint64_t rows) {
  ereport(NOTICE,
          (errmsg("building index \"%s\" in several passes with temporary files",
                  RelationGetRelationName(index)),
           errdetail("Its %llu rows do not fit into maintenance_work_mem (%s).",
                     static_cast<unsigned long long>(rows),
                     GetConfigOptionByName("maintenance_work_mem", nullptr, false)),
           errhint("Set maintenance_work_mem to at least %llu MB to build it in one pass.",
                   static_cast<unsigned long long>(megabytes(one_pass_memory(plan, rows))))));
}

struct Times {
  double scan;
  double write;
};

void log_times(const bulk::IndexBuild &build, const Times &times, unsigned threads, int workers,
               int64 temp_blocks) {
  const bulk::StageSeconds &linked = build.seconds();
  const auto seconds = [&](build::Stage stage) { return linked[static_cast<size_t>(stage)]; };
  ereport(DEBUG1, (errmsg_internal(
                      "hnsw build, seconds: scan %.3f, partition %.3f, leaves %.3f, prune %.3f, "
                      "reverse %.3f, connect %.3f, write %.3f; %llu rows, %u threads, %d scan "
                      "workers, " INT64_FORMAT " bytes spilled",
                      times.scan, seconds(build::Stage::kPartition), seconds(build::Stage::kLeaves),
                      seconds(build::Stage::kPrune), seconds(build::Stage::kReverse),
                      seconds(build::Stage::kConnect), times.write,
                      static_cast<unsigned long long>(build.rows()), threads, workers,
                      temp_blocks * BLCKSZ)));
}

void build_index(Relation heap, Relation relation, IndexInfo *info, MemoryContext context,
                 IndexBuildResult *result) {
  const MetaPage meta = meta_for(relation);
  const MetaPage with_mean = with_mean_pages(meta);
  IndexCache *cache = make_cache(relation, with_mean);
  const Index index{relation, cache, &operator_class_of(relation), {kNoRecord, -1, 0}};
  const int64 temp_blocks = pgBufferUsage.temp_blks_written;

  pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseScan);
  pg::Stopwatch watch;
  const Plan plan = plan_build(cache->layout, option_ef_construction(relation));
  BuildGraph graph(plan.params, context, true);
  const ScanResult scanned = scan_rows(heap, relation, info, index, cache,
                                       pg::plan_scan_workers(heap, relation), {add_row, &graph});
  result->heap_tuples = scanned.heap_tuples;
  result->index_tuples = scanned.index_tuples;
  Times times{watch.lap(), 0};

  pg::BulkWriter writer(relation, MAIN_FORKNUM);
  if (graph.core().rows() == 0) {
    append_meta(&writer, meta);
    writer.finish();
    return;
  }
  if (graph.core().spilled()) announce_spilling(relation, plan, graph.core().rows());
  graph.link();
  watch.lap();
  append_meta(&writer, with_mean);
  append_mean(&writer, *cache);
  const unsigned threads = plan.params.graph.threads;
  const EntryPoint entry =
      write_record_pages(graph, *cache, threads, context, {append_pages, &writer});
  writer.finish();
  set_entry_point(relation, entry);
  times.write = watch.lap();
  log_times(graph.core(), times, threads, scanned.workers,
            pgBufferUsage.temp_blks_written - temp_blocks);
  graph.free();
}

}  // namespace

extern "C" IndexBuildResult *hnsw_build(Relation heap, Relation index, IndexInfo *info) {
  if (RelationGetNumberOfBlocks(index) != 0)
    elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));
  IndexBuildResult *result = static_cast<IndexBuildResult *>(palloc0(sizeof(IndexBuildResult)));
  MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "hnsw build", ALLOCSET_DEFAULT_SIZES);
  {
    pg::ContextScope scope(context);
    build_index(heap, index, info, context, result);
  }
  MemoryContextDelete(context);
  return result;
}

extern "C" void hnsw_buildempty(Relation index) {
  pg::BulkWriter writer(index, INIT_FORKNUM);
  append_meta(&writer, meta_for(index));
  writer.finish();
}

extern "C" char *hnsw_buildphasename(int64 phase) {
  if (phase == PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE) return pstrdup("initializing");
  if (phase < kPhaseScan || phase > kPhaseWrite) return nullptr;
  return pstrdup(kPhaseNames[phase - kPhaseScan]);
}

}  // namespace vann::hnsw
