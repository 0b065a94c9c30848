// functions.cpp — functions of one `vector` or `halfvec`: dimensions, norm, normalization, signs as
// bits, and a range of elements.
#include "types/vector.hpp"

extern "C" {
#include "utils/varbit.h"
}

namespace vann::types {
namespace {

// In double: neither the square of a large float overflows nor that of a subnormal vanishes. The
// partial sums let the compiler use vector registers without reordering a single sum.
template <DenseVector V>
double norm_of(const V *vector) noexcept {
  constexpr int kLanes = 8;
  double sums[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= vector->dims; i += kLanes) {
    for (int lane = 0; lane < kLanes; lane++) {
      const double x = to_float(vector->elements[i + lane]);
      sums[lane] += x * x;
    }
  }
  for (; i < vector->dims; i++) {
    const double x = to_float(vector->elements[i]);
    sums[0] += x * x;
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
}

template <DenseVector V>
Datum dims(FunctionCallInfo fcinfo) {
  PG_RETURN_INT32(detoast<V>(PG_GETARG_DATUM(0))->dims);
}

template <DenseVector V>
Datum norm(FunctionCallInfo fcinfo) {
  PG_RETURN_FLOAT8(norm_of(detoast<V>(PG_GETARG_DATUM(0))));
}

// No element of the result exceeds 1, so nothing can overflow. Zero, of either sign, gives zero.
template <DenseVector V>
Datum normalize(FunctionCallInfo fcinfo) {
  const V *vector = detoast<V>(PG_GETARG_DATUM(0));
  const double norm = norm_of(vector);
  V *result = allocate<V>(vector->dims);
  for (int i = 0; i < vector->dims; i++) {
    const double x = to_float(vector->elements[i]);
    result->elements[i] = round_to<V>(static_cast<float>(norm > 0 ? x / norm : 0));
  }
  PG_RETURN_POINTER(result);
}

// Bit i, counted from the left, tells whether element i is positive.
template <DenseVector V>
Datum positive_bits(FunctionCallInfo fcinfo) {
  const V *vector = detoast<V>(PG_GETARG_DATUM(0));
  VarBit *result = static_cast<VarBit *>(palloc0(VARBITTOTALLEN(vector->dims)));
  SET_VARSIZE(result, VARBITTOTALLEN(vector->dims));
  VARBITLEN(result) = vector->dims;
  bits8 *bytes = VARBITS(result);
  for (int i = 0; i < vector->dims; i++) {
    const int positive = to_float(vector->elements[i]) > 0;
    bytes[i / BITS_PER_BYTE] |= positive << (BITS_PER_BYTE - 1 - i % BITS_PER_BYTE);
  }
  PG_RETURN_VARBIT_P(result);
}

// Elements [start, start + count), counted from 1, as far as they exist, like substring().
template <DenseVector V>
Datum slice(FunctionCallInfo fcinfo) {
  const V *vector = detoast<V>(PG_GETARG_DATUM(0));
  const int64 start = PG_GETARG_INT32(1);
  const int64 count = PG_GETARG_INT32(2);
  const int64 first = Max(start, 1);
  const int64 end = Min(start + count, vector->dims + 1);
  const int dims = static_cast<int>(Max(end - first, 0));
  check_dims<V>(dims);
  V *result = allocate<V>(dims);
  std::memcpy(result->elements, vector->elements + first - 1, dims * sizeof(typename V::Element));
  PG_RETURN_POINTER(result);
}

}  // namespace
}  // namespace vann::types

using namespace vann::types;

VANN_FUNCTION(vector_dims) { return dims<Vector>(fcinfo); }
VANN_FUNCTION(vector_norm) { return norm<Vector>(fcinfo); }
VANN_FUNCTION(l2_normalize) { return normalize<Vector>(fcinfo); }
VANN_FUNCTION(binary_quantize) { return positive_bits<Vector>(fcinfo); }
VANN_FUNCTION(subvector) { return slice<Vector>(fcinfo); }

VANN_FUNCTION(halfvec_vector_dims) { return dims<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_l2_norm) { return norm<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_l2_normalize) { return normalize<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_binary_quantize) { return positive_bits<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_subvector) { return slice<HalfVector>(fcinfo); }
