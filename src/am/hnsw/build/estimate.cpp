// estimate.cpp — hnsw_build_estimate(): what building an index on a column would take. Sizes are computed
// as a build computes them; the time comes from building a small graph of rows of the table.
#include "am/common/inspect.hpp"
#include "am/common/row_sample.hpp"
#include "am/hnsw/build/pages.hpp"
#include "am/hnsw/build/plan.hpp"
#include "am/hnsw/options.hpp"
#include "am/hnsw/row_encoder.hpp"
#include "pg/compat.hpp"
#include "pg/stopwatch.hpp"

#include "types/vector.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

#include <algorithm>

namespace vann::hnsw {

namespace {

// Rows of the trial build: enough for several leaves, few enough for a moment's wait.
constexpr uint32_t kTrialRows = 4096;
constexpr uint32_t kLeastTrialRows = 2048;
constexpr uint32_t kTrialDims = 4096 * 256;  // rows * dimensions, between these two
// They are read from so many places of the table, up to so many pages of each.
constexpr BlockNumber kPlaces = 64;
constexpr BlockNumber kPagesPerPlace = 64;

struct Column {
  Relation heap;
  AttrNumber number;
  const OperatorClass *opclass;
  int dims;
  bool declared;  // by the type: all values have them
};

// ---- The column -----------------------------------------------------------------------------------

void check_relation(Relation heap) {
  const char kind = heap->rd_rel->relkind;
  if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW)
    ereport(ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE),
             errmsg("\"%s\" is not a table or materialized view", RelationGetRelationName(heap)),
             kind == RELKIND_PARTITIONED_TABLE ? errhint("Name one of its partitions.") : 0));
  if (RELATION_IS_OTHER_TEMP(heap))
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot access temporary tables of other sessions")));
}

void check_may_read(Relation heap, AttrNumber column) {
  const Oid table = RelationGetRelid(heap);
  const Oid user = GetUserId();
  if (pg_class_aclcheck(table, user, ACL_SELECT) != ACLCHECK_OK &&
      pg_attribute_aclcheck(table, column, user, ACL_SELECT) != ACLCHECK_OK)
    aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(heap->rd_rel->relkind),
                   RelationGetRelationName(heap));
}

Oid type_in(Oid schema, const char *name) {
  return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name),
                         ObjectIdGetDatum(schema));
}

// `schema` is the extension's.
void read_type(Oid schema, const char *name, Column *column) {
  Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(column->heap), column->number - 1);
  column->dims = attribute->atttypmod;  // -1: any
  const Oid type = getBaseTypeAndTypmod(attribute->atttypid, &column->dims);
  if (type == type_in(schema, "vector"))
    column->opclass = &am::l2_operator_class(ElementType::kVector);
  else if (type == type_in(schema, "halfvec"))
    column->opclass = &am::l2_operator_class(ElementType::kHalfVector);
  else
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("column \"%s\" is not of type vector or halfvec", name)));
}

Column open_column(Oid table, const char *name, Oid schema) {
  Column column{relation_open(table, AccessShareLock), InvalidAttrNumber, nullptr, -1, true};
  check_relation(column.heap);
  column.number = get_attnum(table, name);
  if (column.number <= 0)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" of relation \"%s\" does not exist", name,
                           RelationGetRelationName(column.heap))));
  check_may_read(column.heap, column.number);
  read_type(schema, name, &column);
  return column;
}

template <class V>
int take_dims(const V *vector, Datum value) {
  const int dims = vector->dims;
  types::free_if_copy(vector, value);
  return dims;
}

int dims_of(const OperatorClass &opclass, Datum value) {
  return opclass.type == ElementType::kVector ? take_dims(types::vector_arg(value), value)
                                              : take_dims(types::halfvec_arg(value), value);
}

// ---- Sampled rows ---------------------------------------------------------------------------------

am::SampleCounts visit_rows(const Column &column, uint32_t wanted,
                            const am::SampleVisitor &visitor) {
  const am::SamplePlan plan{kPlaces, wanted, kPagesPerPlace, 0, true};
  return am::sample_rows(column.heap, am::index_info_of_column(column.number), plan, visitor);
}

// Of a column that does not declare them: those of the first row found.
void sample_dims(Column *column) {
  column->declared = false;
  const auto take = [](void *state, Datum value, const HeapTid &) {
    Column *wanted = static_cast<Column *>(state);
    wanted->dims = dims_of(*wanted->opclass, value);
    return true;
  };
  visit_rows(*column, 1, {take, column});
  if (column->dims < 0)
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("column does not have dimensions"),
                    errdetail("Neither does its type declare them, nor was there a row to read.")));
}

// ---- The trial ------------------------------------------------------------------------------------

struct Trial {
  am::SampleCounts sample;
  double scan;  // seconds
  double link;
  double write;  // encoding of pages alone
};

void drop_pages(void *, uint8_t *, uint32_t) {}

struct TrialBuild {
  const Column *column;
  RowEncoder *encoder;
  BuildGraph *graph;
};

bool add_row(void *state, Datum value, const HeapTid &tid) {
  const TrialBuild &build = *static_cast<TrialBuild *>(state);
  const Column &column = *build.column;
  if (!column.declared && dims_of(*column.opclass, value) != column.dims) return false;
  const quantize::ByteCode code = build.encoder->encode(value);
  build.graph->add(build.encoder->values(), code, tid);
  return true;
}

Trial build_trial(const Column &column, const IndexCache &cache, bulk::Params params) {
  const uint32_t wanted =
      std::clamp(kTrialDims / params.dims, size_t{kLeastTrialRows}, size_t{kTrialRows});
  params.memory = std::max(bulk::kLeastMemory, bulk::one_pass_bytes(params, wanted));
  const Index index{column.heap, &cache, column.opclass, {kNoRecord, -1, 0}};
  RowEncoder encoder(index, column.heap, CurrentMemoryContext);
  BuildGraph graph(params, CurrentMemoryContext, false);
  Trial trial{};
  pg::Stopwatch watch;
  TrialBuild build{&column, &encoder, &graph};
  trial.sample = visit_rows(column, wanted, {add_row, &build});
  encoder.close();
  trial.scan = watch.lap();
  if (trial.sample.indexed_rows > 0) {
    graph.link();
    trial.link = watch.lap();
    write_record_pages(graph, cache, params.graph.threads, CurrentMemoryContext,
                       {drop_pages, nullptr});
    trial.write = watch.lap();
  }
  graph.free();
  return trial;
}

// ---- The estimate ---------------------------------------------------------------------------------

double index_bytes(const MetaPage &meta, double rows) {
  if (rows == 0) return kPageBytes;
  const double records = rows * (1 + 1 / (static_cast<double>(level_divisor(meta.degree)) - 1));
  return (meta.first_record_block + std::ceil(records / meta.slots)) * kPageBytes;
}

// Pages go to the file and to WAL, both through the system's cache.
constexpr double kSecondsPerByte = 2.5e-9;
// What linking takes longer with temporary files (core/bulk/README.md, "Time").
constexpr double kSpillFactor = 1.4;

double build_seconds(const Trial &trial, const Plan &plan, double rows, double bytes, bool spills) {
  if (rows == 0) return 0;
  const double scale = rows / static_cast<double>(trial.sample.indexed_rows);
  const double scan = trial.scan / plan.params.graph.threads;
  const double link = trial.link * (spills ? kSpillFactor : 1);
  return scale * (scan + link + trial.write) + bytes * kSecondsPerByte;
}

void check_range(const char *name, int value, int least, int most) {
  if (value < least || value > most)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("value %d out of bounds for option \"%s\"", value, name),
                    errdetail("Valid values are between \"%d\" and \"%d\".", least, most)));
}

Datum estimate_row(FunctionCallInfo fcinfo) {
  const int m = PG_GETARG_INT32(2);
  const int ef_construction = PG_GETARG_INT32(3);
  check_range("m", m, kMinM, kMaxM);
  check_range("ef_construction", ef_construction, kMinEfConstruction, kMaxEfConstruction);
  Column column = open_column(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)),
                              get_func_namespace(fcinfo->flinfo->fn_oid));
  if (column.dims < 0) sample_dims(&column);
  const MetaPage meta = with_mean_pages(
      new_meta(static_cast<uint32_t>(column.dims), Metric::kL2, m, ef_construction));
  const IndexCache *cache = make_cache(column.heap, meta);
  const Plan plan = plan_build(cache->layout, ef_construction);
  const Trial trial = build_trial(column, *cache, plan.params);
  const double rows = am::indexed_rows(column.heap, trial.sample);
  const uint64_t whole_rows = static_cast<uint64_t>(rows);
  const size_t needed = one_pass_memory(plan, whole_rows);
  const size_t granted = plan.params.memory + plan.reserved;
  const bool spills = needed > granted;
  const double bytes = index_bytes(meta, rows);
  relation_close(column.heap, AccessShareLock);

  Datum values[] = {
      Int64GetDatum(static_cast<int64>(whole_rows)),
      Int32GetDatum(column.dims),
      Int64GetDatum(static_cast<int64>(bytes)),
      Int64GetDatum(static_cast<int64>(needed)),
      BoolGetDatum(spills),
      Int64GetDatum(spills ? static_cast<int64>(bulk::spilled_bytes(plan.params, whole_rows)) : 0),
      Int32GetDatum(plan.params.graph.threads),
      Float8GetDatum(build_seconds(trial, plan, rows, bytes, spills)),
  };
  bool nulls[lengthof(values)] = {};
  return am::one_row(fcinfo, values, nulls);
}

}  // namespace

}  // namespace vann::hnsw

VANN_FUNCTION(hnsw_build_estimate) { return vann::hnsw::estimate_row(fcinfo); }
