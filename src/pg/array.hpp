// array.hpp — one-dimensional PostgreSQL arrays of fixed-width elements without nulls.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
}

namespace vann::pg {

// Palloc's an array of `count` >= 1 elements of `element_bytes` bytes each, lower bound 1; the
// elements are not initialized. `element_type` must be of fixed width and without padding.
inline ArrayType *allocate_array(Oid element_type, int count, size_t element_bytes) {
  const size_t bytes = ARR_OVERHEAD_NONULLS(1) + static_cast<size_t>(count) * element_bytes;
  ArrayType *array = static_cast<ArrayType *>(palloc(bytes));
  SET_VARSIZE(array, bytes);
  array->ndim = 1;
  array->dataoffset = 0;
  array->elemtype = element_type;
  ARR_DIMS(array)[0] = count;
  ARR_LBOUND(array)[0] = 1;
  return array;
}

// The elements of an array whose element type is `T`, stored back to back; valid while it holds
// no nulls.
template <typename T>
T *array_elements(ArrayType *array) {
  return reinterpret_cast<T *>(ARR_DATA_PTR(array));
}

}  // namespace vann::pg
