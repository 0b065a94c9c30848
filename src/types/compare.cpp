// compare.cpp — order and equality of `vector` and `halfvec`: elements first, then dimensions, as
// arrays compare. -0 equals 0; NaN cannot occur.
#include "types/vector.hpp"

namespace vann::types {
namespace {

template <DenseVector V>
int compare_values(const V *a, const V *b) noexcept {
  const int common = Min(a->dims, b->dims);
  for (int i = 0; i < common; i++) {
    const float x = to_float(a->elements[i]);
    const float y = to_float(b->elements[i]);
    if (x != y) return x < y ? -1 : 1;
  }
  return (a->dims > b->dims) - (a->dims < b->dims);
}

// Frees detoasted copies: a sort compares in one memory context from beginning to end.
template <DenseVector V>
int compare(FunctionCallInfo fcinfo) {
  const Datum left = PG_GETARG_DATUM(0);
  const Datum right = PG_GETARG_DATUM(1);
  const V *a = detoast<V>(left);
  const V *b = detoast<V>(right);
  const int order = compare_values(a, b);
  free_if_copy(a, left);
  free_if_copy(b, right);
  return order;
}

}  // namespace
}  // namespace vann::types

using namespace vann::types;

VANN_FUNCTION(vector_lt) { PG_RETURN_BOOL(compare<Vector>(fcinfo) < 0); }
VANN_FUNCTION(vector_le) { PG_RETURN_BOOL(compare<Vector>(fcinfo) <= 0); }
VANN_FUNCTION(vector_eq) { PG_RETURN_BOOL(compare<Vector>(fcinfo) == 0); }
VANN_FUNCTION(vector_ne) { PG_RETURN_BOOL(compare<Vector>(fcinfo) != 0); }
VANN_FUNCTION(vector_ge) { PG_RETURN_BOOL(compare<Vector>(fcinfo) >= 0); }
VANN_FUNCTION(vector_gt) { PG_RETURN_BOOL(compare<Vector>(fcinfo) > 0); }
VANN_FUNCTION(vector_cmp) { PG_RETURN_INT32(compare<Vector>(fcinfo)); }

VANN_FUNCTION(halfvec_lt) { PG_RETURN_BOOL(compare<HalfVector>(fcinfo) < 0); }
VANN_FUNCTION(halfvec_le) { PG_RETURN_BOOL(compare<HalfVector>(fcinfo) <= 0); }
VANN_FUNCTION(halfvec_eq) { PG_RETURN_BOOL(compare<HalfVector>(fcinfo) == 0); }
VANN_FUNCTION(halfvec_ne) { PG_RETURN_BOOL(compare<HalfVector>(fcinfo) != 0); }
VANN_FUNCTION(halfvec_ge) { PG_RETURN_BOOL(compare<HalfVector>(fcinfo) >= 0); }
VANN_FUNCTION(halfvec_gt) { PG_RETURN_BOOL(compare<HalfVector>(fcinfo) > 0); }
VANN_FUNCTION(halfvec_cmp) { PG_RETURN_INT32(compare<HalfVector>(fcinfo)); }
