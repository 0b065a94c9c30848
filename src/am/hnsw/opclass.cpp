// opclass.cpp — the operator classes' descriptions and the reading of indexed values.
#include "am/hnsw/opclass.hpp"

#include "types/vector.hpp"

#include "core/simd/kernels.hpp"

extern "C" {
#include "access/genam.h"
}

namespace vann::hnsw {

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

}  // namespace vann::hnsw

VANN_FUNCTION(hnsw_vector_l2_support) { PG_RETURN_POINTER(&vann::hnsw::kVectorL2); }
VANN_FUNCTION(hnsw_vector_ip_support) { PG_RETURN_POINTER(&vann::hnsw::kVectorIp); }
VANN_FUNCTION(hnsw_vector_cosine_support) { PG_RETURN_POINTER(&vann::hnsw::kVectorCosine); }
VANN_FUNCTION(hnsw_halfvec_l2_support) { PG_RETURN_POINTER(&vann::hnsw::kHalfvecL2); }
VANN_FUNCTION(hnsw_halfvec_ip_support) { PG_RETURN_POINTER(&vann::hnsw::kHalfvecIp); }
VANN_FUNCTION(hnsw_halfvec_cosine_support) { PG_RETURN_POINTER(&vann::hnsw::kHalfvecCosine); }
