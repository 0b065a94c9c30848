// graph.hpp — core's IndexBuild inside a backend: its memory, temporary files, progress and errors.
#pragma once

#include "am/common/run_core.hpp"
#include "am/hnsw/page.hpp"
#include "core/bulk/index_build.hpp"
#include "pg/spill_file.hpp"

namespace vann::hnsw {

// Build phases as pg_stat_progress_create_index shows them; 1 is core's "initializing".
enum BuildPhase : int64 {
  kPhaseScan = 2,
  kPhasePartition = 3,  // + build::Stage
  kPhaseWrite = kPhasePartition + static_cast<int64>(build::Stage::kCount),
};

// A handle. What it stands for goes with `context` at the latest, so it may be abandoned; all members
// raise an ERROR when memory is short, work is cancelled or a temporary file fails.
class BuildGraph {
 public:
  // `shown` as for am::BackendMonitor.
  BuildGraph(const bulk::Params &params, MemoryContext context, bool shown);

  // One row of the table, in any order; nothing is kept but copies.
  void add(const int8_t *values, const quantize::ByteCode &code, const HeapTid &tid);
  void link();

  // For run()'s work, and to ask it what it did.
  bulk::IndexBuild &core() const;
  // Runs core work on it.
  void run(void (*work)(void *), void *argument) const;
  bool shown() const;
  // Frees it before the context goes.
  void free();

 private:
  struct State;
  static void abandon(void *graph);

  State **state_;  // in the context, for the callback
};

}  // namespace vann::hnsw
