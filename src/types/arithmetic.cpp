// arithmetic.cpp — `+ - * ||` of `vector` and `halfvec`, element by element in float, rounded once
// to the element type. A result beyond its range is an error, never an infinity.
#include "types/vector.hpp"

extern "C" {
#include "utils/float.h"
}

namespace vann::types {
namespace {

enum class Operation { kAdd, kSubtract, kMultiply };

template <Operation operation>
float apply(float x, float y) noexcept {
  if constexpr (operation == Operation::kAdd)
    return x + y;
  else if constexpr (operation == Operation::kSubtract)
    return x - y;
  else
    return x * y;
}

// As the transition function of sum(), the first argument is a value that the aggregate owns.
template <DenseVector V>
V *target_of_sum(FunctionCallInfo fcinfo, const V *state) {
  const bool owned = reinterpret_cast<const char *>(state) == DatumGetPointer(PG_GETARG_DATUM(0));
  if (owned && AggCheckCallContext(fcinfo, nullptr) == AGG_CONTEXT_AGGREGATE)
    return const_cast<V *>(state);
  return allocate<V>(state->dims);
}

template <Operation operation, DenseVector V>
Datum elementwise(FunctionCallInfo fcinfo) {
  const V *a = detoast<V>(PG_GETARG_DATUM(0));
  const V *b = detoast<V>(PG_GETARG_DATUM(1));
  check_same_dims(a, b);
  V *result = operation == Operation::kAdd ? target_of_sum(fcinfo, a) : allocate<V>(a->dims);

  bool overflow = false;
  bool underflow = false;
  for (int i = 0; i < a->dims; i++) {
    const float x = to_float(a->elements[i]);
    const float y = to_float(b->elements[i]);
    result->elements[i] = round_to<V>(apply<operation>(x, y));
    const float rounded = to_float(result->elements[i]);
    overflow |= std::isinf(rounded);
    if constexpr (operation == Operation::kMultiply) underflow |= rounded == 0 && x != 0 && y != 0;
  }
  if (overflow) float_overflow_error();
  if (underflow) float_underflow_error();
  PG_RETURN_POINTER(result);
}

template <DenseVector V>
Datum concatenate(FunctionCallInfo fcinfo) {
  const V *a = detoast<V>(PG_GETARG_DATUM(0));
  const V *b = detoast<V>(PG_GETARG_DATUM(1));
  check_dims<V>(a->dims + b->dims);
  V *result = allocate<V>(a->dims + b->dims);
  std::memcpy(result->elements, a->elements, a->dims * sizeof(typename V::Element));
  std::memcpy(result->elements + a->dims, b->elements, b->dims * sizeof(typename V::Element));
  PG_RETURN_POINTER(result);
}

}  // namespace
}  // namespace vann::types

using namespace vann::types;

VANN_FUNCTION(vector_add) { return elementwise<Operation::kAdd, Vector>(fcinfo); }
VANN_FUNCTION(vector_sub) { return elementwise<Operation::kSubtract, Vector>(fcinfo); }
VANN_FUNCTION(vector_mul) { return elementwise<Operation::kMultiply, Vector>(fcinfo); }
VANN_FUNCTION(vector_concat) { return concatenate<Vector>(fcinfo); }

VANN_FUNCTION(halfvec_add) { return elementwise<Operation::kAdd, HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_sub) { return elementwise<Operation::kSubtract, HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_mul) { return elementwise<Operation::kMultiply, HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_concat) { return concatenate<HalfVector>(fcinfo); }
