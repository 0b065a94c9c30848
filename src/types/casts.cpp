// casts.cpp — conversions between `vector`, `halfvec` and arrays of numbers. Every way in refuses
// NaN, infinity and values beyond the range of the element type.
#include "types/vector.hpp"

#include "core/simd/kernels.hpp"
#include "pg/array.hpp"

extern "C" {
#include "utils/fmgrprotos.h"
}

namespace vann::types {
namespace {

// A type modifier as an explicit or assignment cast applies it; the value itself is unchanged.
template <DenseVector V>
Datum apply_typmod(FunctionCallInfo fcinfo) {
  const V *vector = detoast<V>(PG_GETARG_DATUM(0));
  check_expected_dims(PG_GETARG_INT32(1), vector->dims);
  PG_RETURN_POINTER(vector);
}

template <typename Number, DenseVector V>
void convert_numbers(ArrayType *array, V *result) {
  const Number *numbers = pg::array_elements<Number>(array);
  for (int i = 0; i < result->dims; i++)
    result->elements[i] = checked_element<V>(static_cast<float>(numbers[i]));
}

template <DenseVector V>
void convert_numerics(ArrayType *array, V *result) {
  Datum *numerics;
  int count;
  deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &numerics, nullptr, &count);
  for (int i = 0; i < result->dims; i++) {
    const Datum value = DirectFunctionCall1(numeric_float4, numerics[i]);
    result->elements[i] = checked_element<V>(DatumGetFloat4(value));
  }
  pfree(numerics);
}

template <DenseVector V>
Datum from_array(FunctionCallInfo fcinfo) {
  ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
  if (ARR_NDIM(array) > 1)
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("array must be 1-D")));
  if (array_contains_nulls(array))
    ereport(ERROR,
            (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
  const int dims = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
  check_dims<V>(dims);
  check_expected_dims(PG_GETARG_INT32(1), dims);

  V *result = allocate<V>(dims);
  switch (ARR_ELEMTYPE(array)) {
    case INT4OID:
      convert_numbers<int32>(array, result);
      break;
    case FLOAT4OID:
      convert_numbers<float4>(array, result);
      break;
    case FLOAT8OID:
      convert_numbers<float8>(array, result);
      break;
    case NUMERICOID:
      convert_numerics(array, result);
      break;
    default:
      ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("unsupported array type")));
  }
  PG_RETURN_POINTER(result);
}

void copy_floats(const Vector *vector, float *to) noexcept {
  std::memcpy(to, vector->elements, vector->dims * sizeof(float));
}

void copy_floats(const HalfVector *vector, float *to) noexcept {
  simd::kernels().f16_to_f32(vector->elements, to, vector->dims);
}

template <DenseVector V>
Datum to_float4_array(FunctionCallInfo fcinfo) {
  const V *vector = detoast<V>(PG_GETARG_DATUM(0));
  ArrayType *result = pg::allocate_array(FLOAT4OID, vector->dims, sizeof(float4));
  copy_floats(vector, pg::array_elements<float4>(result));
  PG_RETURN_ARRAYTYPE_P(result);
}

}  // namespace
}  // namespace vann::types

using namespace vann::types;

VANN_FUNCTION(vector_typmod_cast) { return apply_typmod<Vector>(fcinfo); }
VANN_FUNCTION(array_to_vector) { return from_array<Vector>(fcinfo); }
VANN_FUNCTION(vector_to_float4) { return to_float4_array<Vector>(fcinfo); }

VANN_FUNCTION(halfvec_typmod_cast) { return apply_typmod<HalfVector>(fcinfo); }
VANN_FUNCTION(array_to_halfvec) { return from_array<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_to_float4) { return to_float4_array<HalfVector>(fcinfo); }

VANN_FUNCTION(halfvec_to_vector) {
  const HalfVector *halfvec = halfvec_arg(PG_GETARG_DATUM(0));
  check_expected_dims(PG_GETARG_INT32(1), halfvec->dims);
  Vector *result = allocate<Vector>(halfvec->dims);
  copy_floats(halfvec, result->elements);
  PG_RETURN_POINTER(result);
}

VANN_FUNCTION(vector_to_halfvec) {
  const Vector *vector = vector_arg(PG_GETARG_DATUM(0));
  check_expected_dims(PG_GETARG_INT32(1), vector->dims);
  HalfVector *result = allocate<HalfVector>(vector->dims);
  for (int i = 0; i < vector->dims; i++)
    result->elements[i] = checked_element<HalfVector>(vector->elements[i]);
  PG_RETURN_POINTER(result);
}
