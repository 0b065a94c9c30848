// plan.cpp — see plan.hpp.
#include "am/hnsw/build/plan.hpp"

#include "pg/postgres.hpp"

#include "am/common/build_common.hpp"
#include "am/hnsw/build/pages.hpp"
#include "am/hnsw/build/scan.hpp"

#include "am/hnsw/options.hpp"

extern "C" {
#include "common/pg_prng.h"
#include "miscadmin.h"
}

#include <algorithm>

namespace vann::hnsw {

namespace {

constexpr uint64_t kSeed = 0x766563746f725f61ull;

}  // namespace

MetaPage new_meta(uint32_t dims, Metric metric, int m, int ef_construction) {
  if (ef_construction < 2 * m)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("ef_construction must be greater than or equal to 2 * m"),
                    errhint("Raise ef_construction to at least %d or lower m.", 2 * m)));
  const Layout layout = choose_layout(dims, metric, degree_for(m));

  MetaPage meta{};
  meta.magic = kMagic;
  meta.version = kFormatVersion;
  meta.page_bytes = kPageBytes;
  meta.build_id = pg_prng_uint64(&pg_global_prng_state);
  // A fixed seed: the rotation need not be secret, and builds repeat bit by bit.
  meta.rotation_seed = kSeed;
  describe_layout(layout, dims, metric, &meta);
  meta.m = static_cast<uint16_t>(m);
  meta.ef_construction = static_cast<uint16_t>(ef_construction);
  meta.first_record_block = kMetaBlock + 1;
  meta.entry_record = kNoRecord;
  meta.entry_level = -1;
  return meta;
}

MetaPage with_mean_pages(MetaPage meta) {
  meta.mean_block = kMetaBlock + 1;
  meta.mean_pages = mean_pages_for(meta.code_dims);
  meta.first_record_block = meta.mean_block + meta.mean_pages;
  return meta;
}

Plan plan_build(const Layout &layout, int ef_construction) {
  Plan plan;
  plan.params.graph.degree = layout.degree;
  // Three quarters of ef_construction give the default 64 the measured 48 (core/build/README.md).
  plan.params.graph.candidates =
      std::max<uint32_t>(layout.degree, static_cast<uint32_t>(ef_construction) * 3 / 4);
  plan.params.graph.threads = am::build_threads();
  plan.params.graph.seed = kSeed;
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
