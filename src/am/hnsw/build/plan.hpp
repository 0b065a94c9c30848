// plan.hpp — with which parameters, threads and memory an index is built: the same answer for CREATE
// INDEX and for hnsw_build_estimate().
#pragma once

#include "am/hnsw/page.hpp"
#include "core/bulk/index_build.hpp"

namespace vann::hnsw {

// The metapage of an index without rows. ERROR when the options contradict each other.
MetaPage new_meta(uint32_t dims, Metric metric, int m, int ef_construction);
// The same with room for a mean.
MetaPage with_mean_pages(MetaPage meta);

struct Plan {
  bulk::Params params;
  size_t reserved;  // bytes of maintenance_work_mem that the scan and the writer of pages take
};

// As the settings of this session are. A build takes at least bulk::kLeastMemory and what is reserved,
// even where maintenance_work_mem is less.
Plan plan_build(const Layout &layout, int ef_construction);

// Bytes of maintenance_work_mem with which `rows` distinct rows are linked in one pass.
size_t one_pass_memory(const Plan &plan, uint64_t rows);

// Rounded up, as settings are given.
constexpr size_t megabytes(size_t bytes) noexcept { return (bytes + (1 << 20) - 1) >> 20; }

}  // namespace vann::hnsw
