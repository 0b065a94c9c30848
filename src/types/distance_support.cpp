// distance_support.cpp — tells the planner what one call of a distance function costs.
//
// Without it a distance between 1,536 dimensions fetched from TOAST costs as much as `1 < 2`, and
// the planner prefers a sequential scan that takes a hundred times longer than it believes. The
// cost is a multiple of cpu_operator_cost:
//   kCall + dims * kPerDimension [+ kFetch + bytes * kFetchPerByte for each out-of-line argument]
// How the constants were found: see README.md, "What a distance costs".
#include "types/vector.hpp"

extern "C" {
#include "access/heaptoast.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace vann::types {
namespace {

constexpr double kCall = 3.0;
constexpr double kPerDimension = 0.08;
constexpr double kFetch = 250.0;
constexpr double kFetchPerByte = 0.065;

// A column of a table as an argument of the function; `relid` is invalid for anything else.
struct Column {
  Oid relid;
  AttrNumber number;
};

Column column_of(const PlannerInfo *root, const Node *node) {
  constexpr Column kNone{InvalidOid, 0};
  if (root == nullptr || !IsA(node, Var)) return kNone;
  const Var *var = reinterpret_cast<const Var *>(node);
  if (var->varlevelsup != 0 || IS_SPECIAL_VARNO(var->varno) || var->varattno <= 0) return kNone;
  const RangeTblEntry *table = planner_rt_fetch(var->varno, root);
  if (table->rtekind != RTE_RELATION) return kNone;
  return {table->relid, var->varattno};
}

const Node *strip_relabel(const Node *node) {
  while (IsA(node, RelabelType))
    node = reinterpret_cast<const Node *>(reinterpret_cast<const RelabelType *>(node)->arg);
  return node;
}

int dims_of_constant(Datum value) {
  const struct varlena *datum = PG_DETOAST_DATUM_PACKED(value);
  int16 dims = 0;  // both layouts begin with it
  if (VARSIZE_ANY_EXHDR(datum) >= sizeof dims) std::memcpy(&dims, VARDATA_ANY(datum), sizeof dims);
  return Max(dims, 0);
}

// The dimensions of an argument as its type modifier or its constant value tells; 0 if unknown.
int known_dims(const Node *node) {
  if (const int32 typmod = exprTypmod(node); typmod > 0) return typmod;
  if (!IsA(node, Const)) return 0;
  const Const *constant = reinterpret_cast<const Const *>(node);
  return constant->constisnull ? 0 : dims_of_constant(constant->constvalue);
}

bool is_halfvec(Oid type) {
  HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
  if (!HeapTupleIsValid(tuple)) return false;
  const Form_pg_type form = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
  const bool matches = std::strcmp(NameStr(form->typname), HalfVector::kName) == 0;
  ReleaseSysCache(tuple);
  return matches;
}

bool may_move_out_of_line(const Column &column) {
  HeapTuple tuple =
      SearchSysCache2(ATTNUM, ObjectIdGetDatum(column.relid), Int16GetDatum(column.number));
  if (!HeapTupleIsValid(tuple)) return false;
  const char storage = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->attstorage;
  ReleaseSysCache(tuple);
  return storage == TYPSTORAGE_EXTERNAL || storage == TYPSTORAGE_EXTENDED;
}

// Whether values of `bytes` bytes lie outside the rows. The average width in the statistics counts
// such a value as the 18 bytes of its pointer; without statistics the size alone decides.
bool is_out_of_line(const Column &column, size_t bytes) {
  if (!OidIsValid(column.relid) || !may_move_out_of_line(column)) return false;
  const int32 average_width = get_attavgwidth(column.relid, column.number);
  if (average_width > 0) return static_cast<size_t>(average_width) < bytes / 2;
  return bytes > TOAST_TUPLE_THRESHOLD;
}

List *arguments_of(Node *call) {
  if (call != nullptr && IsA(call, OpExpr)) return reinterpret_cast<OpExpr *>(call)->args;
  if (call != nullptr && IsA(call, FuncExpr)) return reinterpret_cast<FuncExpr *>(call)->args;
  return NIL;
}

// Cost in units of cpu_operator_cost; 0 when the dimensions are not known.
double units_per_call(const PlannerInfo *root, Node *call) {
  List *arguments = arguments_of(call);
  if (list_length(arguments) != 2) return 0;
  const Node *sides[2] = {strip_relabel(static_cast<const Node *>(linitial(arguments))),
                          strip_relabel(static_cast<const Node *>(lsecond(arguments)))};
  const int dims = Max(known_dims(sides[0]), known_dims(sides[1]));
  if (dims == 0) return 0;

  const bool half = is_halfvec(exprType(sides[0]));
  const size_t bytes = half ? datum_bytes<HalfVector>(dims) : datum_bytes<Vector>(dims);
  double units = kCall + dims * kPerDimension;
  for (const Node *side : sides) {
    if (is_out_of_line(column_of(root, side), bytes)) units += kFetch + bytes * kFetchPerByte;
  }
  return units;
}

}  // namespace
}  // namespace vann::types

VANN_FUNCTION(vann_distance_support) {
  Node *request = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
  if (!IsA(request, SupportRequestCost)) PG_RETURN_POINTER(nullptr);
  SupportRequestCost *cost = reinterpret_cast<SupportRequestCost *>(request);
  const double units = vann::types::units_per_call(cost->root, cost->node);
  if (units == 0) PG_RETURN_POINTER(nullptr);  // the planner falls back on the function's COST
  cost->startup = 0;
  cost->per_tuple = units * cpu_operator_cost;
  PG_RETURN_POINTER(cost);
}
