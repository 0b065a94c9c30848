// plan.cpp — a planner hook. ORDER BY makes the distance a column of the scan, also where the query does
// not show it; an index scan under a LIMIT has its order from the index, so that nobody reads that
// column, but the executor computes it, which reads the vector of every row. See
// am/hnsw/README.md, "Plans".
#include "am/common/plan.hpp"

#include "am/common/property.hpp"

extern "C" {
#include "access/genam.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planner.h"
#include "utils/rel.h"
}

namespace vann::am {

namespace {

planner_hook_type previous_hook = nullptr;

bool is_nearest_scan(const Plan *plan) {
  if (plan == nullptr || !IsA(plan, IndexScan)) return false;
  const IndexScan *scan = reinterpret_cast<const IndexScan *>(plan);
  if (scan->indexorderby == NIL) return false;
  Relation index = index_open(scan->indexid, NoLock);  // the planner has locked it
  const bool ours = index->rd_indam->amproperty == nearest_property;
  index_close(index, NoLock);
  return ours;
}

// `scan` hands its rows to the end of its query level: sort keys that are not shown are read by no one.
void drop_hidden_keys(Plan *scan) {
  ListCell *cell;
  foreach (cell, scan->targetlist) {
    TargetEntry *entry = lfirst_node(TargetEntry, cell);
    if (!entry->resjunk || entry->ressortgroupref == 0) continue;
    Node *key = reinterpret_cast<Node *>(entry->expr);
    entry->expr =
        reinterpret_cast<Expr *>(makeNullConst(exprType(key), exprTypmod(key), exprCollation(key)));
  }
}

void visit(Plan *plan);

void visit_all(List *plans) {
  ListCell *cell;
  foreach (cell, plans) visit(static_cast<Plan *>(lfirst(cell)));
}

void visit(Plan *plan) {
  if (plan == nullptr) return;
  check_stack_depth();
  // WITH TIES compares sort keys.
  if (IsA(plan, Limit) && reinterpret_cast<Limit *>(plan)->limitOption == LIMIT_OPTION_COUNT &&
      is_nearest_scan(plan->lefttree))
    drop_hidden_keys(plan->lefttree);
  visit(plan->lefttree);
  visit(plan->righttree);
  if (IsA(plan, Append)) visit_all(reinterpret_cast<Append *>(plan)->appendplans);
  if (IsA(plan, MergeAppend)) visit_all(reinterpret_cast<MergeAppend *>(plan)->mergeplans);
  if (IsA(plan, SubqueryScan)) visit(reinterpret_cast<SubqueryScan *>(plan)->subplan);
}

PlannedStmt *plan_query(Query *query, const char *text, int options, ParamListInfo parameters) {
  PlannedStmt *statement = previous_hook != nullptr
                               ? previous_hook(query, text, options, parameters)
                               : standard_planner(query, text, options, parameters);
  visit(statement->planTree);
  visit_all(statement->subplans);
  return statement;
}

}  // namespace

void install_plan_hook() {
  previous_hook = planner_hook;
  planner_hook = plan_query;
}

}  // namespace vann::am
