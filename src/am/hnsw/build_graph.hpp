// build_graph.hpp — the graphs of all levels of an index being built. Core objects with destructors, kept
// where an error of the backend finds them.
#pragma once

#include "am/hnsw/build_rows.hpp"
#include "core/build/graph_builder.hpp"
#include "core/parallel/team.hpp"
#include "pg/spill_file.hpp"

namespace vann::hnsw {

// Build phases as pg_stat_progress_create_index shows them; 1 is core's "initializing".
enum BuildPhase : int64 {
  kPhaseScan = 2,
  kPhasePartition = 3,  // + build::Stage
  kPhaseWrite = kPhasePartition + static_cast<int64>(build::Stage::kCount),
};

// Progress and cancellation for core work that runs inside a backend.
class BackendMonitor : public parallel::Monitor {
 public:
  bool cancelled() noexcept override;
  void progress(int stage, uint64_t done, uint64_t total) noexcept override;

 private:
  int stage_ = -1;
};

// One level: which elements it holds (empty = all) and how they are linked.
struct LevelGraph {
  std::vector<uint32_t> elements;
  build::Graph graph;

  uint32_t element(uint32_t position) const {
    return elements.empty() ? position : elements[position];
  }
};

struct LevelGraphs {
  std::vector<LevelGraph> levels;
};

// Builds every level's graph. The result lives until `context` is deleted or reset. ERROR when out of
// memory or cancelled.
const LevelGraphs *build_level_graphs(const BuildRows &rows, const Layout &layout,
                                      int ef_construction, unsigned threads, uint64_t seed,
                                      MemoryContext context);

// Runs core work: exceptions become errors once all C++ frames below have gone. Work that spills says
// where, for the reason of a failure.
void run_core(void (*work)(void *), void *argument, const pg::SpillSpace *space = nullptr);

}  // namespace vann::hnsw
