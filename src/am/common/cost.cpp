// cost.cpp — see cost.hpp.
#include "am/common/cost.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/spccache.h"
}

#include <algorithm>

namespace vann::am {

namespace {

// Even a cached page costs something against a sequential one.
constexpr double kLeastMissRate = 0.1;

}  // namespace

double page_cost(const IndexOptInfo &index) {
  double random_page_cost;
  get_tablespace_page_costs(index.reltablespace, &random_page_cost, nullptr);
  const double footprint = static_cast<double>(index.pages) + index.rel->pages;
  const double cached = footprint > 0 ? std::min(1.0, effective_cache_size / footprint) : 1.0;
  return random_page_cost * std::max(kLeastMissRate, 1.0 - cached);
}

void refuse(IndexPath *path, Cost *startup, Cost *total, Selectivity *selectivity,
            double *correlation, double *pages) {
  pg::forbid_path(&path->path);
  *startup = kImpossible;
  *total = kImpossible;
  *selectivity = 1;
  *correlation = 0;
  *pages = 1;
}

}  // namespace vann::am
