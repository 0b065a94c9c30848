// build_graph.cpp — owns core objects with destructors on behalf of frames that an ERROR may leave.
#include "am/hnsw/build_graph.hpp"

extern "C" {
#include "commands/progress.h"
#include "miscadmin.h"
#include "utils/backend_progress.h"
}

#include <new>

namespace vann::hnsw {

bool BackendMonitor::cancelled() noexcept { return QueryCancelPending || ProcDiePending; }

void BackendMonitor::progress(int stage, uint64_t done, uint64_t total) noexcept {
  if (!shown_) return;
  if (stage != stage_)
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhasePartition + stage);
  // Preparations of a stage do not know its total yet.
  if (stage != stage_ || (total != total_ && total != 0))
    pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, static_cast<int64>(total));
  stage_ = stage;
  total_ = total;
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

struct BuildGraph::State {
  State(const bulk::Params &params, MemoryContext context, bool shown_)
      : shown(shown_), monitor(shown), space(context), build(params, space, monitor) {}

  bool shown;
  BackendMonitor monitor;
  pg::SpillSpace space;
  bulk::IndexBuild build;
};

BuildGraph::BuildGraph(const bulk::Params &params, MemoryContext context, bool shown)
    : state_(static_cast<State **>(MemoryContextAllocZero(context, sizeof(State *)))) {
  struct Creation {
    const bulk::Params *params;
    MemoryContext context;
    bool shown;
    State **state;
  } creation{&params, context, shown, state_};
  run_core(
      [](void *argument) {
        const Creation &wanted = *static_cast<Creation *>(argument);
        *wanted.state = new State(*wanted.params, wanted.context, wanted.shown);
      },
      &creation);
  MemoryContextCallback *callback = static_cast<MemoryContextCallback *>(
      MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
  callback->func = abandon;
  callback->arg = state_;
  MemoryContextRegisterResetCallback(context, callback);
}

// The context goes before free(): an ERROR. The resource owner closes the files, or has closed them.
void BuildGraph::abandon(void *graph) {
  State *state = *static_cast<State **>(graph);
  if (state == nullptr) return;
  state->space.abandon();
  delete state;
}

void BuildGraph::free() {
  delete *state_;
  *state_ = nullptr;
}

bool BuildGraph::shown() const { return (*state_)->shown; }

bulk::IndexBuild &BuildGraph::core() const { return (*state_)->build; }

void BuildGraph::run(void (*work)(void *), void *argument) const {
  run_core(work, argument, &(*state_)->space);
}

void BuildGraph::add(const int8_t *values, const quantize::ByteCode &code, const HeapTid &tid) {
  struct Row {
    bulk::IndexBuild *build;
    bulk::RowKey key;
    const quantize::ByteCode *code;
    const int8_t *values;
  } row{&core(), am::tid_key(tid), &code, values};
  run(
      [](void *argument) {
        const Row &added = *static_cast<Row *>(argument);
        added.build->add(added.key, *added.code, added.values);
      },
      &row);
}

void BuildGraph::link() {
  run([](void *build) { static_cast<bulk::IndexBuild *>(build)->link(); }, &core());
}

}  // namespace vann::hnsw
