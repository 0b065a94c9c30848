// build_graph.cpp — graph stage of a build: draws levels and runs the core builder on each.
#include "am/hnsw/build_graph.hpp"

extern "C" {
#include "commands/progress.h"
#include "miscadmin.h"
#include "utils/backend_progress.h"
}

#include <algorithm>
#include <new>

namespace vann::hnsw {

namespace {

uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// A function of the element alone, so that builds repeat.
int level_of(uint32_t element, uint32_t degree, uint64_t seed) {
  const double u = (static_cast<double>(mix(seed ^ mix(element)) >> 11) + 1) * 0x1p-53;
  return std::min(kMaxLevel, static_cast<int>(-std::log(u) / std::log(level_divisor(degree))));
}

struct GraphWork {
  const BuildRows *rows;
  const Layout *layout;
  int ef_construction;
  unsigned threads;
  uint64_t seed;
  LevelGraphs *out;
};

build::GraphParams params_for(const GraphWork &work) {
  build::GraphParams params;
  params.degree = work.layout->degree;
  // Three quarters of ef_construction give the default 64 the measured 48 (core/build/README.md).
  params.candidates = std::max<uint32_t>(
      work.layout->degree, static_cast<uint32_t>(work.ef_construction) * 3 / 4);
  params.threads = work.threads;
  params.seed = work.seed;
  return params;
}

void build_levels(void *argument) {
  const GraphWork &work = *static_cast<GraphWork *>(argument);
  const uint32_t elements = static_cast<uint32_t>(work.rows->elements());
  std::vector<std::vector<uint32_t>> members;  // of levels 1, 2, ...
  for (uint32_t element = 0; element < elements; ++element) {
    const int level = level_of(element, work.layout->degree, work.seed);
    if (static_cast<size_t>(level) > members.size()) members.resize(static_cast<size_t>(level));
    for (int l = 0; l < level; ++l) members[static_cast<size_t>(l)].push_back(element);
  }
  BackendMonitor monitor;
  const build::GraphParams params = params_for(work);
  for (size_t level = 0; level <= members.size(); ++level) {
    LevelGraph &built = work.out->levels.emplace_back();
    if (level > 0) built.elements = std::move(members[level - 1]);
    const build::VectorSet set{elements, work.layout->shape.dims, work.rows->values(),
                               work.rows->codes(), built.elements};
    built.graph = build::build_graph(set, params, monitor);
  }
}

void delete_graphs(void *graphs) { delete static_cast<LevelGraphs *>(graphs); }

}  // namespace

bool BackendMonitor::cancelled() noexcept { return QueryCancelPending || ProcDiePending; }

void BackendMonitor::progress(int stage, uint64_t done, uint64_t total) noexcept {
  if (stage != stage_) {
    stage_ = stage;
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhasePartition + stage);
    pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, static_cast<int64>(total));
  }
  pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(done));
}

void run_core(void (*work)(void *), void *argument, const pg::SpillSpace *space) {
  enum { kFine, kStopped, kOutOfMemory, kSpillFailed, kFailed } outcome = kFine;
  char message[256] = "";
  try {
    work(argument);
  } catch (const parallel::Cancelled &) {
    outcome = kStopped;
  } catch (const std::bad_alloc &) {
    outcome = kOutOfMemory;
  } catch (const spill::SpillFailed &) {
    outcome = kSpillFailed;
  } catch (const std::exception &failure) {
    outcome = kFailed;
    strlcpy(message, failure.what(), sizeof(message));
  }
  if (outcome == kStopped) {
    CHECK_FOR_INTERRUPTS();
    ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("index build was cancelled")));
  }
  if (outcome == kOutOfMemory)
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
                    errdetail("The graph of the index did not fit into memory.")));
  if (outcome == kSpillFailed) {
    if (space == nullptr) elog(ERROR, "index build spilled without a space");
    space->raise();
  }
  if (outcome == kFailed)
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("index build failed: %s", message)));
}

const LevelGraphs *build_level_graphs(const BuildRows &rows, const Layout &layout,
                                      int ef_construction, unsigned threads, uint64_t seed,
                                      MemoryContext context) {
  MemoryContextCallback *callback = static_cast<MemoryContextCallback *>(
      MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
  LevelGraphs *graphs = new (std::nothrow) LevelGraphs;
  if (graphs == nullptr) ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  callback->func = delete_graphs;
  callback->arg = graphs;
  MemoryContextRegisterResetCallback(context, callback);
  GraphWork work{&rows, &layout, ef_construction, threads, seed, graphs};
  run_core(build_levels, &work);
  return graphs;
}

}  // namespace vann::hnsw
