// build_plan.cpp — see build_plan.hpp.
#include "am/hnsw/build_plan.hpp"

#include "pg/postgres.hpp"

#include "am/hnsw/build_pages.hpp"
#include "am/hnsw/build_scan.hpp"

extern "C" {
#include "miscadmin.h"
}

#include <algorithm>

namespace vann::hnsw {

namespace {

// As many threads as core would use processes: the leader and its maintenance workers.
unsigned build_threads() { return static_cast<unsigned>(max_parallel_maintenance_workers) + 1; }

}  // namespace

Plan plan_build(const Layout &layout, int ef_construction) {
  Plan plan;
  plan.params.graph.degree = layout.degree;
  // Three quarters of ef_construction give the default 64 the measured 48 (core/build/README.md).
  plan.params.graph.candidates =
      std::max<uint32_t>(layout.degree, static_cast<uint32_t>(ef_construction) * 3 / 4);
  plan.params.graph.threads = build_threads();
  plan.params.graph.seed = 0x766563746f725f61ull;  // any, but fixed: builds repeat bit by bit
  plan.params.dims = layout.shape.dims;
  plan.params.level_divisor = level_divisor(layout.degree);
  plan.params.max_level = kMaxLevel;
  plan.reserved = kScanBytes + writer_bytes(layout, plan.params.graph.threads);
  const size_t all = size_t{1024} * static_cast<size_t>(maintenance_work_mem);
  plan.params.memory = std::max(bulk::kLeastMemory, all - std::min(all, plan.reserved));
  return plan;
}

size_t one_pass_memory(const Plan &plan, uint64_t rows) {
  return bulk::one_pass_bytes(plan.params, rows) + plan.reserved;
}

}  // namespace vann::hnsw
