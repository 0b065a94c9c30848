// problems.cpp — the list of problems and the running of a check; check_heap.cpp has the table's side.
#include "am/common/problems.hpp"

#include <algorithm>

#include "pg/compat.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_index.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
}

namespace vann::am {

void Problems::add(int64_t place, const char *format, ...) {
  pg::ContextScope scope(context_);
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  list_.push(pg::allocator_in(context_), {place, pstrdup(text)});
}

void Problems::intersect(const Problems &other) {
  const Array<Problem> &theirs = other.list_;
  size_t kept = 0;
  for (const Problem &mine : list_) {
    const bool both = std::any_of(theirs.data, theirs.data + theirs.size, [&](const Problem &p) {
      return p.place == mine.place && strcmp(p.text, mine.text) == 0;
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

Problems check_once(const Inspected &inspected, CheckPass check, MemoryContext context) {
  const Snapshot snapshot = RegisterSnapshot(GetTransactionSnapshot());
  check_usable(inspected, snapshot);
  Problems problems(context);
  check(inspected, snapshot, context, &problems);
  UnregisterSnapshot(snapshot);
  return problems;
}

Problems find_problems(const Inspected &inspected, CheckPass check, MemoryContext context) {
  Problems problems = check_once(inspected, check, context);
  if (problems.list().size > 0) problems.intersect(check_once(inspected, check, context));
  return problems;
}

void return_row(ReturnSetInfo *result, int64_t place, const char *text) {
  Datum values[2] = {Int64GetDatum(place), CStringGetTextDatum(text)};
  bool nulls[2] = {place < 0, false};
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

void return_problems(ReturnSetInfo *result, const Array<Problem> &problems) {
  for (size_t i = 0; i < problems.size && i < kMaxRows; ++i)
    return_row(result, problems[i].place, problems[i].text);
  if (problems.size > kMaxRows)
    return_row(result, -1, psprintf("%zu more problems", problems.size - kMaxRows));
}

}  // namespace

void run_check(FunctionCallInfo fcinfo, ambulkdelete_function mark, const char *am_name,
               CheckPass check) {
  InitMaterializedSRF(fcinfo, 0);
  const Inspected inspected = open_inspected(PG_GETARG_OID(0), mark, am_name);
  const MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "index check", ALLOCSET_DEFAULT_SIZES);

  // Index expressions and predicates run as the table's owner, as when the index is built.
  Oid user;
  int security;
  GetUserIdAndSecContext(&user, &security);
  SetUserIdAndSecContext(inspected.heap->rd_rel->relowner,
                         security | SECURITY_RESTRICTED_OPERATION);
  const int nest_level = NewGUCNestLevel();
  pg::restrict_search_path();
  const Problems problems = find_problems(inspected, check, context);
  AtEOXact_GUC(false, nest_level);
  SetUserIdAndSecContext(user, security);

  return_problems(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo), problems.list());
  MemoryContextDelete(context);
  close_inspected(inspected);
}

}  // namespace vann::am
