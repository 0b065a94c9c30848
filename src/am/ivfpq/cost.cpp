// cost.cpp — amcostestimate. See README.md, "Cost model".
#include "am/ivfpq/cost.hpp"

#include "am/common/cost.hpp"
#include "am/ivfpq/index.hpp"
#include "am/ivfpq/options.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "optimizer/optimizer.h"
#include "storage/lockdefs.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

// CPU costs in the planner's units, where 1.0 is some 8 microseconds on current machines (README.md):
// a row of a list scanned, a row reranked from the heap.
constexpr double kScanCost = 0.0006;
constexpr double kRerankCost = 0.4;
// Rows reranked beyond those returned.
constexpr double kRerankExtra = 12;
// Refine pages read per page of a list, in the lists of a scan's first probes.
constexpr double kRefinePages = 0.7;

MetaPage meta_of_index(Oid oid) {
  Relation index = index_open(oid, NoLock);  // the planner has locked it
  const MetaPage meta = read_meta(index);
  index_close(index, NoLock);
  return meta;
}

}  // namespace

extern "C" void ivfpq_costestimate(PlannerInfo *root, IndexPath *path, double, Cost *startup,
                                   Cost *total, Selectivity *selectivity, double *correlation,
                                   double *pages) {
  const IndexOptInfo &index = *path->indexinfo;
  // Without ORDER BY there is nothing this index can do; a parameterized path loses its order.
  if (path->indexorderbys == NIL || path->path.param_info != nullptr || index.hypothetical) {
    am::refuse(path, startup, total, selectivity, correlation, pages);
    return;
  }
  const MetaPage meta = meta_of_index(index.indexoid);
  Layout layout;
  const double tuples = std::max(1.0, index.tuples);
  const double share = layout_from_meta(meta, &layout) ? 1.0 / (1 + layout.refine_pages) : 0.2;
  const double lists = std::max(1.0, static_cast<double>(lists_for(meta, tuples)));
  const double probed = std::min(1.0, probes_for(meta) / lists);
  const double scan_pages = std::max(1.0, index.pages * share);
  const double page_cost = am::page_cost(index);
  const double rerank_cost = kRerankCost + cpu_tuple_cost;
  const double per_list_pages = scan_pages * (1 + kRefinePages);

  *startup = (probed * per_list_pages + lists / layout.directory_page_rows()) * page_cost +
             (probed * tuples + lists) * kScanCost +
             std::min(tuples, kRerankExtra) * rerank_cost;
  // Further rows: those of the lists that are added when a share of what was scanned has been returned.
  *total = *startup + tuples * rerank_cost + per_list_pages * page_cost + tuples * kScanCost;
  // Whoever wants every row is better served by sorting.
  if (root->tuple_fraction == 0) *total += am::kUnwanted;
  *selectivity = std::min(1.0, tuples / std::max(1.0, index.rel->tuples));
  *correlation = 0;
  *pages = probed * per_list_pages;
}

}  // namespace vann::ivfpq
