// opclass.cpp — the operator classes' descriptions and the reading of indexed values.
#include "am/common/opclass.hpp"

#include "types/vector.hpp"

#include "core/simd/kernels.hpp"

extern "C" {
#include "access/genam.h"
}

#include <cmath>

namespace vann::am {

namespace {

constexpr OperatorClass kVectorL2{Metric::kL2, ElementType::kVector, "vector"};
constexpr OperatorClass kVectorIp{Metric::kInnerProduct, ElementType::kVector, "vector"};
constexpr OperatorClass kVectorCosine{Metric::kCosine, ElementType::kVector, "vector"};
constexpr OperatorClass kHalfvecL2{Metric::kL2, ElementType::kHalfVector, "halfvec"};
constexpr OperatorClass kHalfvecIp{Metric::kInnerProduct, ElementType::kHalfVector, "halfvec"};
constexpr OperatorClass kHalfvecCosine{Metric::kCosine, ElementType::kHalfVector, "halfvec"};

}  // namespace

const OperatorClass &operator_class_of(Relation index) {
  FmgrInfo *describe = index_getprocinfo(index, 1, kDescribeProc);
  return *reinterpret_cast<const OperatorClass *>(
      DatumGetPointer(FunctionCall1(describe, PointerGetDatum(nullptr))));
}

const OperatorClass &l2_operator_class(ElementType type) {
  return type == ElementType::kVector ? kVectorL2 : kHalfvecL2;
}

void to_floats(const OperatorClass &opclass, Datum value, int dims, float *out) {
  if (opclass.type == ElementType::kVector) {
    const types::Vector *vector = types::vector_arg(value);
    if (vector->dims != dims) types::report_different_dims(opclass.type_name, dims, vector->dims);
    memcpy(out, vector->elements, sizeof(float) * static_cast<size_t>(dims));
    types::free_if_copy(vector, value);
  } else {
    const types::HalfVector *vector = types::halfvec_arg(value);
    if (vector->dims != dims) types::report_different_dims(opclass.type_name, dims, vector->dims);
    simd::kernels().f16_to_f32(vector->elements, out, static_cast<size_t>(dims));
    types::free_if_copy(vector, value);
  }
}

void normalize(float *x, uint32_t dims, bool *zero) {
  double squares = 0;
  for (uint32_t i = 0; i < dims; ++i) squares += static_cast<double>(x[i]) * x[i];
  *zero = squares == 0;
  if (*zero) return;
  const double scale = 1 / std::sqrt(squares);
  for (uint32_t i = 0; i < dims; ++i) x[i] = static_cast<float>(x[i] * scale);
}

int indexed_dims(Relation index, const char *am_name) {
  const int dims = TupleDescAttr(RelationGetDescr(index), 0)->atttypmod;
  if (dims < 0)
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("column does not have dimensions"),
                    errhint("Declare the column's dimensions, as in vector(768), or index an "
                            "expression with a cast to such a type.")));
  if (dims > types::kMaxDims)
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("column cannot have more than %d dimensions for %s index",
                           types::kMaxDims, am_name)));
  return dims;
}

}  // namespace vann::am

VANN_FUNCTION(vector_l2_support) { PG_RETURN_POINTER(&vann::am::kVectorL2); }
VANN_FUNCTION(vector_ip_support) { PG_RETURN_POINTER(&vann::am::kVectorIp); }
VANN_FUNCTION(vector_cosine_support) { PG_RETURN_POINTER(&vann::am::kVectorCosine); }
VANN_FUNCTION(halfvec_l2_support) { PG_RETURN_POINTER(&vann::am::kHalfvecL2); }
VANN_FUNCTION(halfvec_ip_support) { PG_RETURN_POINTER(&vann::am::kHalfvecIp); }
VANN_FUNCTION(halfvec_cosine_support) { PG_RETURN_POINTER(&vann::am::kHalfvecCosine); }
