// check.cpp — hnsw_check(): rows for what is wrong with an index, none when it is sound.
#include "am/hnsw/check.hpp"

#include <algorithm>

#include "pg/compat.hpp"

extern "C" {
#include "access/relscan.h"
#include "access/xact.h"
#include "catalog/pg_index.h"
#include "funcapi.h"
#include "utils/snapmgr.h"
}

namespace vann::hnsw {

void Problems::add(int64_t record, const char *format, ...) {
  pg::ContextScope scope(context_);
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  list_.push(pg::allocator_in(context_), {record, pstrdup(text)});
}

void Problems::intersect(const Problems &other) {
  const Array<Problem> &theirs = other.list_;
  size_t kept = 0;
  for (const Problem &mine : list_) {
    const bool both = std::any_of(theirs.data, theirs.data + theirs.size, [&](const Problem &p) {
      return p.record == mine.record && strcmp(p.text, mine.text) == 0;
    });
    if (both) list_[kept++] = mine;
  }
  list_.size = kept;
}

namespace {

// As many rows are returned; a damaged index could have millions.
constexpr size_t kMaxRows = 1000;

void check_usable(const Inspected &inspected, Snapshot snapshot) {
  Relation index = inspected.index;
  if (!index->rd_index->indisvalid)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot check index \"%s\"", RelationGetRelationName(index)),
                    errdetail("The index is not valid.")));
  // A snapshot of an old transaction may see rows that the index need not hold.
  if (IsolationUsesXactSnapshot() && index->rd_index->indcheckxmin &&
      !TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), snapshot->xmin))
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("index \"%s\" cannot be checked with this transaction's snapshot",
                           RelationGetRelationName(index))));
}

Problems check_once(const Inspected &inspected, MemoryContext context) {
  // Before any page is read: rows that it sees have their TIDs in the index by now.
  const Snapshot snapshot = RegisterSnapshot(GetTransactionSnapshot());
  check_usable(inspected, snapshot);
  const Index index = open_index(inspected.index);
  Problems problems(context);
  Array<IndexedTid> tids;
  check_graph(index, context, &problems, &tids);
  check_heap(inspected, index, snapshot, tids, context, &problems);
  UnregisterSnapshot(snapshot);
  return problems;
}

Problems find_problems(const Inspected &inspected, MemoryContext context) {
  Problems problems = check_once(inspected, context);
  if (problems.list().size > 0) problems.intersect(check_once(inspected, context));
  return problems;
}

void return_row(ReturnSetInfo *result, int64_t record, const char *text) {
  Datum values[2] = {Int64GetDatum(record), CStringGetTextDatum(text)};
  bool nulls[2] = {record < 0, false};
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

void return_problems(ReturnSetInfo *result, const Array<Problem> &problems) {
  for (size_t i = 0; i < problems.size && i < kMaxRows; ++i)
    return_row(result, problems[i].record, problems[i].text);
  if (problems.size > kMaxRows)
    return_row(result, -1, psprintf("%zu more problems", problems.size - kMaxRows));
}

void run_check(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  const Inspected inspected = open_inspected(PG_GETARG_OID(0));
  const MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "hnsw check", ALLOCSET_DEFAULT_SIZES);

  // Index expressions and predicates run as the table's owner, as when the index is built.
  Oid user;
  int security;
  GetUserIdAndSecContext(&user, &security);
  SetUserIdAndSecContext(inspected.heap->rd_rel->relowner,
                         security | SECURITY_RESTRICTED_OPERATION);
  const int nest_level = NewGUCNestLevel();
  pg::restrict_search_path();
  const Problems problems = find_problems(inspected, context);
  AtEOXact_GUC(false, nest_level);
  SetUserIdAndSecContext(user, security);

  return_problems(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo), problems.list());
  MemoryContextDelete(context);
  close_inspected(inspected);
}

}  // namespace

}  // namespace vann::hnsw

VANN_FUNCTION(hnsw_check) {
  vann::hnsw::run_check(fcinfo);
  return static_cast<Datum>(0);
}
