// row_encoder.hpp — turns indexed values into byte codes, row after row, for builds.
#pragma once

#include "am/hnsw/index.hpp"
#include "pg/toast.hpp"

namespace vann::hnsw {

class RowEncoder {
 public:
  // `index.cache` is read at each row: its mean may change in between. Memory comes from `context`.
  RowEncoder(const Index &index, Relation heap, MemoryContext context);
  // Closes what was opened to read out-of-line values.
  void close() { toast_.close(); }

  // The prepared vector (prepare_element), valid until the next call.
  const float *prepare(Datum value);
  // The value's code; its digits, valid until the next call, are in values().
  quantize::ByteCode encode(Datum value);
  const int8_t *values() const { return values_; }
  size_t values_bytes() const { return quantize::padded_dims(index_.layout().shape.dims); }

 private:
  Index index_;
  MemoryContext row_context_;
  pg::ToastReader toast_;
  float *prepared_;
  int8_t *values_;
};

}  // namespace vann::hnsw
