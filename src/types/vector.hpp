// vector.hpp — the datum layout of `vector` and `halfvec`, checked access to it, and the checks and
// errors that every function of the two types shares. The layouts are pgvector's, byte for byte, so
// that heap files, dumps and binary clients agree.
//
// The bodies of SQL functions are templates over one of the two layouts; each file of this folder
// holds one family of functions for both types.
#pragma once

#include "pg/postgres.hpp"
#include "pg/compat.hpp"

#include "core/base/half.hpp"

#include <concepts>

namespace vann::types {

using Half = uint16_t;  // IEEE half-precision bit pattern

inline constexpr int kMaxDims = 16000;

struct Vector {
  using Element = float;
  static constexpr const char *kName = "vector";

  int32 vl_len_;                          // varlena header, see VARSIZE
  int16 dims;                             // 1..kMaxDims
  int16 unused;                           // zero
  float elements[FLEXIBLE_ARRAY_MEMBER];  // [dims], finite
};

struct HalfVector {
  using Element = Half;
  static constexpr const char *kName = "halfvec";

  int32 vl_len_;
  int16 dims;
  int16 unused;
  Half elements[FLEXIBLE_ARRAY_MEMBER];
};

static_assert(offsetof(Vector, elements) == 8 && offsetof(HalfVector, elements) == 8);

template <typename V>
concept DenseVector = std::same_as<V, Vector> || std::same_as<V, HalfVector>;

template <DenseVector V>
constexpr size_t datum_bytes(int dims) noexcept {
  return offsetof(V, elements) + static_cast<size_t>(dims) * sizeof(typename V::Element);
}

// Errors. `type` is V::kName.
[[noreturn]] void report_corrupt_datum(const char *type, size_t bytes, int dims);
[[noreturn]] void report_bad_dims(const char *type, int dims);
[[noreturn]] void report_different_dims(const char *type, int a, int b);
[[noreturn]] void report_unexpected_dims(int32 expected, int dims);
[[noreturn]] void report_not_finite(const char *type, float value);
[[noreturn]] void report_half_range(float value);

// The detoasted value of an SQL argument: the datum itself when it is plain, else a palloc'd copy
// (compare the pointer with the datum to know). ERROR, SQLSTATE data_corrupted, when the datum's
// size is not the one its dimensions call for.
template <DenseVector V>
const V *detoast(Datum datum) {
  const struct varlena *value = PG_DETOAST_DATUM(datum);
  const size_t bytes = VARSIZE(value);
  const V *vector = reinterpret_cast<const V *>(value);
  const int dims = bytes >= offsetof(V, elements) ? vector->dims : 0;
  if (dims < 1 || dims > kMaxDims || bytes != datum_bytes<V>(dims))
    report_corrupt_datum(V::kName, bytes, dims);
  return vector;
}

inline const Vector *vector_arg(Datum datum) { return detoast<Vector>(datum); }
inline const HalfVector *halfvec_arg(Datum datum) { return detoast<HalfVector>(datum); }

// Releases what detoast() copied. Functions called in a long-lived context need it: comparisons
// inside a sort, distances inside an index build.
template <DenseVector V>
void free_if_copy(const V *vector, Datum datum) {
  if (reinterpret_cast<const char *>(vector) != DatumGetPointer(datum))
    pfree(const_cast<V *>(vector));
}

// Palloc's a vector of `dims` (in 1..kMaxDims) dimensions; the elements are not initialized.
template <DenseVector V>
V *allocate(int dims) {
  V *vector = static_cast<V *>(palloc(datum_bytes<V>(dims)));
  SET_VARSIZE(vector, datum_bytes<V>(dims));
  vector->dims = static_cast<int16>(dims);
  vector->unused = 0;
  return vector;
}

template <DenseVector V>
void check_dims(int dims) {
  if (dims < 1 || dims > kMaxDims) report_bad_dims(V::kName, dims);
}

template <DenseVector V>
void check_same_dims(const V *a, const V *b) {
  if (a->dims != b->dims) report_different_dims(V::kName, a->dims, b->dims);
}

// A type modifier of -1 expects nothing.
inline void check_expected_dims(int32 typmod, int dims) {
  if (typmod != -1 && typmod != dims) report_unexpected_dims(typmod, dims);
}

inline float to_float(float value) noexcept { return value; }
inline float to_float(Half value) noexcept { return from_half(value); }

// Rounds to nearest even; a float beyond the half range becomes infinity.
template <DenseVector V>
typename V::Element round_to(float value) noexcept {
  if constexpr (std::same_as<V, HalfVector>)
    return to_half(value);
  else
    return value;
}

// An element from a float of unknown origin: ERROR unless it is finite and in the type's range.
template <DenseVector V>
typename V::Element checked_element(float value) {
  if (!std::isfinite(value)) report_not_finite(V::kName, value);
  const typename V::Element element = round_to<V>(value);
  if constexpr (std::same_as<V, HalfVector>) {
    if (!std::isfinite(to_float(element))) report_half_range(value);
  }
  return element;
}

}  // namespace vann::types
