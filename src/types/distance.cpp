// distance.cpp — distance functions of `vector` and `halfvec`: one kernel call each. Kernels sum
// in float, so a distance may overflow to infinity, which sorts last, but is never an error.
#include "types/vector.hpp"

#include "core/simd/kernels.hpp"

#include <algorithm>
#include <cfloat>
#include <numbers>

namespace vann::types {
namespace {

using simd::DotNorms;
using simd::kernels;

float l2_squared(const float *a, const float *b, int n) {
  return kernels().l2_squared_f32(a, b, n);
}
float l2_squared(const Half *a, const Half *b, int n) { return kernels().l2_squared_f16(a, b, n); }
float dot(const float *a, const float *b, int n) { return kernels().dot_f32(a, b, n); }
float dot(const Half *a, const Half *b, int n) { return kernels().dot_f16(a, b, n); }
float l1(const float *a, const float *b, int n) { return kernels().l1_f32(a, b, n); }
float l1(const Half *a, const Half *b, int n) { return kernels().l1_f16(a, b, n); }
DotNorms dot_norms(const float *a, const float *b, int n) {
  return kernels().dot_norms_f32(a, b, n);
}
DotNorms dot_norms(const Half *a, const Half *b, int n) { return kernels().dot_norms_f16(a, b, n); }

template <DenseVector V>
double cosine_in_double(const V *a, const V *b) noexcept {
  double dot = 0;
  double a_squared = 0;
  double b_squared = 0;
  for (int i = 0; i < a->dims; i++) {
    const double x = to_float(a->elements[i]);
    const double y = to_float(b->elements[i]);
    dot += x * y;
    a_squared += x * x;
    b_squared += y * y;
  }
  return dot / (std::sqrt(a_squared) * std::sqrt(b_squared));
}

// NaN when a vector is zero or a float sum overflows, as pgvector has it. Where squares fall below
// the float range a vector only looks like zero, so that case is computed again in double.
template <DenseVector V>
double cosine_similarity(const V *a, const V *b) noexcept {
  constexpr float kLeastSquare = FLT_MIN / FLT_EPSILON;
  const DotNorms sums = dot_norms(a->elements, b->elements, a->dims);
  const double similarity =
      sums.a_squared < kLeastSquare || sums.b_squared < kLeastSquare
          ? cosine_in_double(a, b)
          : sums.dot / std::sqrt(static_cast<double>(sums.a_squared) * sums.b_squared);
  if (std::isnan(similarity)) return similarity;
  return std::clamp(similarity, -1.0, 1.0);
}

// Calls `function(a, b)` on the two arguments, which must have the same number of dimensions.
template <DenseVector V, typename Function>
Datum distance(FunctionCallInfo fcinfo, Function function) {
  const Datum left = PG_GETARG_DATUM(0);
  const Datum right = PG_GETARG_DATUM(1);
  const V *a = detoast<V>(left);
  const V *b = detoast<V>(right);
  check_same_dims(a, b);
  const double result = function(a, b);
  free_if_copy(a, left);
  free_if_copy(b, right);
  PG_RETURN_FLOAT8(result);
}

template <DenseVector V>
Datum l2_distance(FunctionCallInfo fcinfo) {
  return distance<V>(fcinfo, [](const V *a, const V *b) {
    return std::sqrt(static_cast<double>(l2_squared(a->elements, b->elements, a->dims)));
  });
}

template <DenseVector V>
Datum l2_squared_distance(FunctionCallInfo fcinfo) {
  return distance<V>(
      fcinfo, [](const V *a, const V *b) { return l2_squared(a->elements, b->elements, a->dims); });
}

template <DenseVector V>
Datum inner_product(FunctionCallInfo fcinfo) {
  return distance<V>(fcinfo,
                     [](const V *a, const V *b) { return dot(a->elements, b->elements, a->dims); });
}

template <DenseVector V>
Datum negative_inner_product(FunctionCallInfo fcinfo) {
  return distance<V>(
      fcinfo, [](const V *a, const V *b) { return -dot(a->elements, b->elements, a->dims); });
}

template <DenseVector V>
Datum cosine_distance(FunctionCallInfo fcinfo) {
  return distance<V>(fcinfo, [](const V *a, const V *b) { return 1.0 - cosine_similarity(a, b); });
}

// The angle between unit vectors as a fraction of a half turn. Rounding may carry their product
// past 1, where acos has no value.
template <DenseVector V>
Datum spherical_distance(FunctionCallInfo fcinfo) {
  return distance<V>(fcinfo, [](const V *a, const V *b) {
    const double product = dot(a->elements, b->elements, a->dims);
    return std::acos(std::clamp(product, -1.0, 1.0)) / std::numbers::pi;
  });
}

template <DenseVector V>
Datum l1_distance(FunctionCallInfo fcinfo) {
  return distance<V>(fcinfo,
                     [](const V *a, const V *b) { return l1(a->elements, b->elements, a->dims); });
}

}  // namespace
}  // namespace vann::types

namespace types = vann::types;
using types::HalfVector;
using types::Vector;

VANN_FUNCTION(l2_distance) { return types::l2_distance<Vector>(fcinfo); }
VANN_FUNCTION(vector_l2_squared_distance) { return types::l2_squared_distance<Vector>(fcinfo); }
VANN_FUNCTION(inner_product) { return types::inner_product<Vector>(fcinfo); }
VANN_FUNCTION(vector_negative_inner_product) {
  return types::negative_inner_product<Vector>(fcinfo);
}
VANN_FUNCTION(cosine_distance) { return types::cosine_distance<Vector>(fcinfo); }
VANN_FUNCTION(vector_spherical_distance) { return types::spherical_distance<Vector>(fcinfo); }
VANN_FUNCTION(l1_distance) { return types::l1_distance<Vector>(fcinfo); }

VANN_FUNCTION(halfvec_l2_distance) { return types::l2_distance<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_l2_squared_distance) {
  return types::l2_squared_distance<HalfVector>(fcinfo);
}
VANN_FUNCTION(halfvec_inner_product) { return types::inner_product<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_negative_inner_product) {
  return types::negative_inner_product<HalfVector>(fcinfo);
}
VANN_FUNCTION(halfvec_cosine_distance) { return types::cosine_distance<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_spherical_distance) { return types::spherical_distance<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_l1_distance) { return types::l1_distance<HalfVector>(fcinfo); }
