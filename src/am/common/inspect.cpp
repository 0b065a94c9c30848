// inspect.cpp — see inspect.hpp.
#include "am/common/inspect.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/index.h"
#include "funcapi.h"
#include "utils/lsyscache.h"
}

namespace vann::am {

namespace {

[[noreturn]] void report_other_kind(Oid oid, const char *am_name) {
  const char *name = get_rel_name(oid);
  if (name == nullptr)
    ereport(ERROR,
            (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", oid)));
  ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                  errmsg("\"%s\" is not an %s index", name, am_name),
                  get_rel_relkind(oid) == RELKIND_PARTITIONED_INDEX
                      ? errhint("Name the index of one of its partitions.")
                      : 0));
  pg_unreachable();
}

}  // namespace

Inspected open_inspected(Oid oid, ambulkdelete_function mark, const char *am_name) {
  const char kind = get_rel_relkind(oid);
  const Oid heap_oid = kind == RELKIND_INDEX ? IndexGetRelation(oid, true) : InvalidOid;
  if (!OidIsValid(heap_oid)) report_other_kind(oid, am_name);
  // The table first, as everything that locks both does.
  const Inspected inspected{table_open(heap_oid, AccessShareLock),
                            index_open(oid, AccessShareLock)};
  Relation index = inspected.index;
  if (index->rd_indam->ambulkdelete != mark) report_other_kind(oid, am_name);
  if (!pg::owns_relation(oid))
    aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, RelationGetRelationName(index));
  if (RELATION_IS_OTHER_TEMP(index))
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot access temporary indexes of other sessions")));
  return inspected;
}

void close_inspected(const Inspected &inspected) {
  index_close(inspected.index, AccessShareLock);
  table_close(inspected.heap, AccessShareLock);
}

Datum one_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls) {
  TupleDesc descriptor;
  if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "return type must be a row type");
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}

const char *metric_name(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return "l2";
    case Metric::kInnerProduct:
      return "ip";
    case Metric::kCosine:
      break;
  }
  return "cosine";
}

}  // namespace vann::am
