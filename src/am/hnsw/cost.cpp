// cost.cpp — amcostestimate. See README.md, "Cost model".
#include "am/hnsw/cost.hpp"

#include "am/hnsw/options.hpp"
#include "am/hnsw/page.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/spccache.h"
}

#include <algorithm>

namespace vann::hnsw {

namespace {

// CPU costs in the planner's units, where 1.0 is some 8 microseconds on current machines (README.md):
// one record expanded (own code, 32 neighbor codes, heap operations), one row reranked from the heap.
constexpr double kHopCost = 0.12;
constexpr double kRerankCost = 0.4;
// Records expanded per unit of beam width, and by the descent per level.
constexpr double kHopsPerWidth = 1.2;
constexpr double kHopsPerLevel = 6;
// Rows reranked beyond those returned.
constexpr double kRerankExtra = 8;
// A wider beam for later rows (scan_state.cpp, kWidthPerRow).
constexpr double kHopsPerRow = 2 * kHopsPerWidth;
// Even a cached page costs something against a sequential one.
constexpr double kLeastMissRate = 0.1;
// Dearer than any plan, yet below what enable_* settings add: a last resort.
constexpr double kUnwanted = 1.0e9;
// Dearer than what enable_* settings add: for scans that would fail.
constexpr double kImpossible = 1.0e15;

// What fetching one random page of the index costs, given how much of it the cache may hold.
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

}  // namespace

extern "C" void hnsw_costestimate(PlannerInfo *root, IndexPath *path, double, Cost *startup,
                                  Cost *total, Selectivity *selectivity, double *correlation,
                                  double *pages) {
  const IndexOptInfo &index = *path->indexinfo;
  // Without ORDER BY there is nothing this index can do; a parameterized path loses its order.
  if (path->indexorderbys == NIL || path->path.param_info != nullptr) {
    refuse(path, startup, total, selectivity, correlation, pages);
    return;
  }
  const double tuples = std::max(1.0, index.tuples);
  const double levels = std::log(tuples) / std::log(level_divisor(degree_for(kDefaultM)));
  const double hops = std::min(tuples, kHopsPerWidth * ef_search + kHopsPerLevel * levels);
  const double hop_cost = kHopCost + page_cost(index);
  const double rerank_cost = kRerankCost + cpu_tuple_cost;

  *startup = hops * hop_cost + std::min(tuples, kRerankExtra) * rerank_cost;
  *total = *startup + tuples * (rerank_cost + kHopsPerRow * hop_cost);
  // Whoever wants every row is better served by sorting: the index would visit all of them in the
  // order of its pages' distances, and leave out NULLs.
  if (root->tuple_fraction == 0) *total += kUnwanted;
  *selectivity = std::min(1.0, tuples / std::max(1.0, index.rel->tuples));
  *correlation = 0;
  *pages = hops;
}

}  // namespace vann::hnsw
