// aggregates.cpp — avg() of `vector` and `halfvec`. The state is float8[]: the number of values,
// then their sum in each dimension; {0} before the first value. sum() needs no state of its own, it
// runs on vector_add and halfvec_add.
#include "types/vector.hpp"

#include "core/simd/kernels.hpp"
#include "pg/array.hpp"

#include <algorithm>

extern "C" {
#include "utils/float.h"
}

namespace vann::types {
namespace {

struct State {
  ArrayType *array;
  double *count;
  double *sums;  // [dims]
  int dims;      // 0 before the first value
};

State view(ArrayType *array) {
  double *values = pg::array_elements<double>(array);
  return {array, values, values + 1, ARR_DIMS(array)[0] - 1};
}

// Anyone may call these functions with any array; `caller` is the function's name.
State state_arg(FunctionCallInfo fcinfo, int argument, const char *caller) {
  ArrayType *array = PG_GETARG_ARRAYTYPE_P(argument);
  if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] < 1 || ARR_HASNULL(array) ||
      ARR_ELEMTYPE(array) != FLOAT8OID)
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("%s: expected state array", caller)));
  return view(array);
}

State allocate_state(int dims) {
  return view(pg::allocate_array(FLOAT8OID, dims + 1, sizeof(double)));
}

// A state to change: the first argument itself where it belongs to an aggregate, else a copy.
State writable_state(FunctionCallInfo fcinfo, const State &state) {
  const bool original =
      reinterpret_cast<char *>(state.array) == DatumGetPointer(PG_GETARG_DATUM(0));
  if (original && AggCheckCallContext(fcinfo, nullptr)) return state;
  State copy = allocate_state(state.dims);
  std::memcpy(copy.count, state.count, (state.dims + 1) * sizeof(double));
  return copy;
}

// `plus` holds what to add in each dimension: floats of a value, or the sums of another state.
template <typename Number>
void add_to(State &state, double count, const Number *plus) {
  bool overflow = false;
  for (int i = 0; i < state.dims; i++) {
    state.sums[i] += plus[i];
    overflow |= std::isinf(state.sums[i]);
  }
  if (overflow) float_overflow_error();
  *state.count += count;
}

const float *floats_of(const Vector *vector) { return vector->elements; }

const float *floats_of(const HalfVector *halfvec) {
  float *floats = static_cast<float *>(palloc(halfvec->dims * sizeof(float)));
  simd::kernels().f16_to_f32(halfvec->elements, floats, halfvec->dims);
  return floats;
}

template <DenseVector V>
Datum accumulate(FunctionCallInfo fcinfo, const char *caller) {
  const State state = state_arg(fcinfo, 0, caller);
  const V *value = detoast<V>(PG_GETARG_DATUM(1));
  State result;
  if (state.dims == 0) {
    result = allocate_state(value->dims);
    *result.count = *state.count;
    std::fill_n(result.sums, value->dims, -0.0);  // -0 + x is x, also where x is -0
  } else {
    check_expected_dims(state.dims, value->dims);
    result = writable_state(fcinfo, state);
  }
  add_to(result, 1, floats_of(value));
  PG_RETURN_ARRAYTYPE_P(result.array);
}

// A parallel worker that saw no rows hands in {0}.
Datum combine_states(FunctionCallInfo fcinfo) {
  const State first = state_arg(fcinfo, 0, "vector_combine");
  const State second = state_arg(fcinfo, 1, "vector_combine");
  if (*second.count == 0 && AggCheckCallContext(fcinfo, nullptr))
    PG_RETURN_ARRAYTYPE_P(first.array);
  if (*first.count == 0 || *second.count == 0) {
    const State &filled = *first.count == 0 ? second : first;
    check_dims<Vector>(filled.dims);
    State result = allocate_state(filled.dims);
    std::memcpy(result.count, filled.count, (filled.dims + 1) * sizeof(double));
    PG_RETURN_ARRAYTYPE_P(result.array);
  }
  check_dims<Vector>(first.dims);
  check_expected_dims(first.dims, second.dims);
  State result = writable_state(fcinfo, first);
  add_to(result, *second.count, second.sums);
  PG_RETURN_ARRAYTYPE_P(result.array);
}

// SQL defines the average of no values as NULL.
template <DenseVector V>
Datum average(FunctionCallInfo fcinfo, const char *caller) {
  const State state = state_arg(fcinfo, 0, caller);
  if (*state.count == 0) PG_RETURN_NULL();
  check_dims<V>(state.dims);
  V *result = allocate<V>(state.dims);
  for (int i = 0; i < state.dims; i++)
    result->elements[i] = checked_element<V>(static_cast<float>(state.sums[i] / *state.count));
  PG_RETURN_POINTER(result);
}

}  // namespace
}  // namespace vann::types

using namespace vann::types;

VANN_FUNCTION(vector_accum) { return accumulate<Vector>(fcinfo, "vector_accum"); }
VANN_FUNCTION(vector_avg) { return average<Vector>(fcinfo, "vector_avg"); }
VANN_FUNCTION(vector_combine) { return combine_states(fcinfo); }

VANN_FUNCTION(halfvec_accum) { return accumulate<HalfVector>(fcinfo, "halfvec_accum"); }
VANN_FUNCTION(halfvec_avg) { return average<HalfVector>(fcinfo, "halfvec_avg"); }
