// cost.cpp — amcostestimate. See README.md, "Cost model".
#include "am/hnsw/cost.hpp"

#include "am/common/cost.hpp"
#include "am/hnsw/options.hpp"
#include "am/hnsw/page.hpp"

extern "C" {
#include "optimizer/optimizer.h"
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

}  // namespace

extern "C" void hnsw_costestimate(PlannerInfo *root, IndexPath *path, double, Cost *startup,
                                  Cost *total, Selectivity *selectivity, double *correlation,
                                  double *pages) {
  const IndexOptInfo &index = *path->indexinfo;
  // Without ORDER BY there is nothing this index can do; a parameterized path loses its order.
  if (path->indexorderbys == NIL || path->path.param_info != nullptr) {
    am::refuse(path, startup, total, selectivity, correlation, pages);
    return;
  }
  const double tuples = std::max(1.0, index.tuples);
  const double levels = std::log(tuples) / std::log(level_divisor(degree_for(kDefaultM)));
  const double hops = std::min(tuples, kHopsPerWidth * ef_search + kHopsPerLevel * levels);
  const double hop_cost = kHopCost + am::page_cost(index);
  const double rerank_cost = kRerankCost + cpu_tuple_cost;

  *startup = hops * hop_cost + std::min(tuples, kRerankExtra) * rerank_cost;
  *total = *startup + tuples * (rerank_cost + kHopsPerRow * hop_cost);
  // Whoever wants every row is better served by sorting: the index would visit all of them in the
  // order of its pages' distances, and leave out NULLs.
  if (root->tuple_fraction == 0) *total += am::kUnwanted;
  *selectivity = std::min(1.0, tuples / std::max(1.0, index.rel->tuples));
  *correlation = 0;
  *pages = hops;
}

}  // namespace vann::hnsw
