// build.cpp — CREATE INDEX: sample, train, scan, write. The stages are in sample, train, measure,
// scan and pages. See ../README.md, "Build".
#include "am/ivfpq/build/build.hpp"

#include "am/ivfpq/build/core.hpp"
#include "am/ivfpq/build/page_stream.hpp"
#include "am/ivfpq/build/pages.hpp"
#include "am/ivfpq/build/scan.hpp"
#include "am/ivfpq/new_index.hpp"
#include "core/codebook/opq.hpp"
#include "pg/stopwatch.hpp"

extern "C" {
#include "commands/progress.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "utils/backend_progress.h"
#include "utils/guc.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

constexpr const char *kPhaseNames[] = {"sampling table", "training lists", "measuring lists",
                                       "training codes", "scanning table", "writing index pages"};

// Rows in memory take at least this, whatever maintenance_work_mem is.
constexpr size_t kLeastStore = size_t{512} << 10;

// One build; what it holds goes with `context`.
struct Build {
  Relation heap;
  Relation index;
  IndexInfo *info;
  MetaPage meta;
  MemoryContext training_context;
  BuildPlan plan;
  double rows;  // estimated
  Sample sample;
  float *mean;
  Training *training;
  double seconds[kPhaseWrite + 1];
  pg::Stopwatch watch;
};

void begin_phase(BuildPhase phase) {
  const int parameters[] = {PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_TUPLES_DONE,
                            PROGRESS_CREATEIDX_TUPLES_TOTAL};
  const int64 values[] = {phase, 0, 0};
  pgstat_progress_update_multi_param(lengthof(parameters), parameters, values);
}

// The metapage of an index whose rows are prepared as training wants them: centred by a mean that is
// zero until it is known.
MetaPage sample_meta(MetaPage meta) {
  if (static_cast<Metric>(meta.metric) != Metric::kInnerProduct) meta.mean_block = kMetaBlock + 1;
  return meta;
}

// Fewer lists than the user wants, because of the sample that trains them.
void announce_fewer_lists(const Build &build, uint32_t lists) {
  if (lists >= build.meta.wanted_lists || build.sample.rows == 0) return;
  ereport(
      NOTICE,
      (errmsg("index \"%s\" is divided into %u instead of %u lists",
              RelationGetRelationName(build.index), lists, build.meta.wanted_lists),
       errdetail("The %zu rows that they are trained on are too few, or too alike, for more.",
                 build.sample.rows),
       lists == build.plan.lists ? errhint("Raise maintenance_work_mem, which limits that number.")
                                 : errhint("REINDEX it when the table has more rows.")));
}

// Without the memory that learning a rotation takes, product codes do without one.
void forgo_rotation(Build *build) {
  const size_t needed = codebook::rotation_train_bytes(build->meta.rotated_dims);
  if (build->meta.rotation != static_cast<uint8_t>(RotationKind::kLearned) ||
      build->sample.rows < kLeastTrained || needed <= build_memory())
    return;
  build->meta.rotation = static_cast<uint8_t>(RotationKind::kRandom);
  ereport(
      NOTICE,
      (errmsg("index \"%s\" is built without a learned rotation",
              RelationGetRelationName(build->index)),
       errdetail("Learning one of %u dimensions does not fit into maintenance_work_mem.",
                 build->meta.dims),
       errhint("Raise maintenance_work_mem to at least %zu MB.", (needed + (1 << 20) - 1) >> 20)));
}

void take_sample(Build *build) {
  begin_phase(kPhaseSample);
  const MetaPage meta = sample_meta(build->meta);
  IndexCache *cache = make_cache(build->index, meta);
  const Index index{build->index, cache, &am::operator_class_of(build->index), meta};
  RowReader reader(index, build->heap, CurrentMemoryContext);
  const double rows = survey_rows(build->heap, build->info, &reader, build->mean);
  std::copy_n(build->mean, cache->mean_floats, const_cast<float *>(cache->mean()));
  build->plan = plan_build(build->meta, cache->layout, rows);
  build->sample =
      sample_rows(build->heap, build->info, &reader, build->plan.sample_rows, &build->rows);
  reader.close();
  build->seconds[kPhaseSample] = build->watch.lap();
}

// Runs one step of training as a phase of its own.
template <class Step>
void train_step(Build *build, BuildPhase phase, Step step) {
  begin_phase(phase);
  const MetaPage meta = sample_meta(build->meta);
  Layout layout;
  layout_from_meta(meta, &layout);
  in_core([&] {
    am::BackendMonitor monitor(true, phase);
    const TrainInput input{&build->meta,   &layout,     &build->plan,
                           &build->sample, build->rows, build->mean};
    step(input, monitor);
  });
  build->seconds[phase] = build->watch.lap();
}

// Everything that the scan needs; the sample goes.
BuildModel *train(Build *build) {
  MemoryContext caller = CurrentMemoryContext;
  pg::ContextScope scope(build->training_context);
  const size_t floats = MAXALIGN(build->meta.rotated_dims) * sizeof(float);
  build->mean = static_cast<float *>(palloc0(floats));
  take_sample(build);
  forgo_rotation(build);
  build->training = make_core_object<Training>(caller);
  Training *training = build->training;
  train_step(build, kPhaseTrain, [&](const TrainInput &input, parallel::Monitor &monitor) {
    train_lists(input, monitor, training);
  });
  announce_fewer_lists(*build, training->centroids.count);
  train_step(build, kPhaseMeasure, [&](const TrainInput &input, parallel::Monitor &monitor) {
    training->probes = measure_probes(input, *training, monitor);
  });
  train_step(build, kPhaseCodes, [&](const TrainInput &input, parallel::Monitor &monitor) {
    train_codes(input, monitor, training);
  });
  BuildModel *model;
  {
    pg::ContextScope outer(caller);
    model = make_model(build->index, build->meta, build->mean, *training);
  }
  in_core([training] {
    training->centroids = {};
    training->lists = {};
    training->rotation = {};
  });
  return model;
}

// What maintenance_work_mem leaves for rows.
size_t store_memory(const BuildModel &model) {
  const size_t taken =
      model.bytes + RowCoder::bytes(model) + kScanBytes + kStreamPages * kPageBytes;
  return std::max(kLeastStore, build_memory() - std::min(build_memory(), taken));
}

void announce_spilling(Relation index, const BuildModel &model, uint64_t rows) {
  const size_t needed = build_memory() - std::min(build_memory(), store_memory(model)) +
                        rows * (coded_row_bytes(model.layout()) + sizeof(uint32_t));
  ereport(NOTICE,
          (errmsg("building index \"%s\" with temporary files", RelationGetRelationName(index)),
           errdetail("Its %llu rows do not fit into maintenance_work_mem (%s).",
                     static_cast<unsigned long long>(rows),
                     GetConfigOptionByName("maintenance_work_mem", nullptr, false)),
           errhint("Set maintenance_work_mem to at least %llu MB to build it without.",
                   static_cast<unsigned long long>((needed + (1 << 20) - 1) >> 20))));
}

void log_times(const Build &build, const BuildModel &model, const RowStore &rows, int workers,
               int64 temp_blocks) {
  ereport(DEBUG1,
          (errmsg_internal(
              "ivfpq build, seconds: sample %.3f, lists %.3f, measure %.3f, codes %.3f, "
              "scan %.3f, write %.3f; %llu rows, %u lists from %zu sampled rows, %u "
              "probes, %u threads, %d scan workers, " INT64_FORMAT " bytes spilled",
              build.seconds[kPhaseSample], build.seconds[kPhaseTrain], build.seconds[kPhaseMeasure],
              build.seconds[kPhaseCodes], build.seconds[kPhaseScan], build.seconds[kPhaseWrite],
              static_cast<unsigned long long>(rows.rows()), model.lists, build.sample.rows,
              build.training->probes, build.plan.threads, workers, temp_blocks * BLCKSZ)));
}

void add_to_store(void *store, const CodedRow *row) { static_cast<RowStore *>(store)->add(row); }

void write_empty(Relation index, ForkNumber fork) {
  pg::BulkWriter writer(index, fork);
  append_empty(&writer, new_meta(index));
  writer.finish();
}

void build_index(Build *build, MemoryContext context, IndexBuildResult *result) {
  const int64 temp_blocks = pgBufferUsage.temp_blks_written;
  build->training_context =
      AllocSetContextCreate(context, "ivfpq build training", ALLOCSET_DEFAULT_SIZES);
  const BuildModel *model = train(build);
  MemoryContextDelete(build->training_context);

  begin_phase(kPhaseScan);
  build->watch.lap();
  RowStore rows(model->layout(), model->lists, build->rows, store_memory(*model), context);
  const ScanResult scanned =
      scan_rows(build->heap, build->index, build->info, *model,
                plan_workers(build->heap, build->index, *model), {add_to_store, &rows});
  build->seconds[kPhaseScan] = build->watch.lap();
  result->heap_tuples = scanned.heap_tuples;
  result->index_tuples = static_cast<double>(rows.rows());
  if (rows.rows() == 0) {
    write_empty(build->index, MAIN_FORKNUM);
    return;
  }
  if (rows.spilled()) announce_spilling(build->index, *model, rows.rows());
  begin_phase(kPhaseWrite);
  rows.finish();
  write_index(build->index, {model, build->training, &rows});
  rows.free();
  build->seconds[kPhaseWrite] = build->watch.lap();
  log_times(*build, *model, rows, scanned.workers, pgBufferUsage.temp_blks_written - temp_blocks);
}

}  // namespace

extern "C" IndexBuildResult *ivfpq_build(Relation heap, Relation index, IndexInfo *info) {
  if (RelationGetNumberOfBlocks(index) != 0)
    elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));
  IndexBuildResult *result = static_cast<IndexBuildResult *>(palloc0(sizeof(IndexBuildResult)));
  MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "ivfpq build", ALLOCSET_DEFAULT_SIZES);
  {
    pg::ContextScope scope(context);
    Build build{};
    build.heap = heap;
    build.index = index;
    build.info = info;
    build.meta = new_meta(index);
    build_index(&build, context, result);
  }
  MemoryContextDelete(context);
  return result;
}

extern "C" void ivfpq_buildempty(Relation index) { write_empty(index, INIT_FORKNUM); }

extern "C" char *ivfpq_buildphasename(int64 phase) {
  if (phase == PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE) return pstrdup("initializing");
  if (phase < kPhaseSample || phase > kPhaseWrite) return nullptr;
  return pstrdup(kPhaseNames[phase - kPhaseSample]);
}

}  // namespace vann::ivfpq
