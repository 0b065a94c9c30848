// sample.hpp — rows of the table that a build learns from.
#pragma once

#include "am/ivfpq/index.hpp"
#include "core/build/code_group.hpp"
#include "pg/toast.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace vann::ivfpq {

// Turns indexed values into prepared vectors, one after another.
class RowReader {
 public:
  // `index.cache` is read at each row. Memory comes from `context`.
  RowReader(const Index &index, Relation heap, MemoryContext context);
  // Closes what was opened to read out-of-line values.
  void close() { toast_.close(); }
  // The prepared vector, rotated_dims floats.
  void prepare(Datum value, float *out);
  const Index &index() const { return index_; }

 private:
  Index index_;
  MemoryContext row_context_;
  pg::ToastReader toast_;
};

// The number of indexed rows, estimated, and the mean of a few hundred of them as `reader` prepares them:
// rotated_dims floats, zeros if no row was met.
double survey_rows(Relation heap, IndexInfo *info, RowReader *reader, float *mean);

// Prepared rows as byte codes. Under the inner product rows are scaled to unit length, and zero vectors
// left out: they have no direction.
struct Sample {
  size_t rows;
  size_t dims;
  int8_t *values;             // [rows][padded_dims]
  quantize::ByteCode *codes;  // [rows]
  float *lengths;             // [rows] as they were, inner product; else null

  build::VectorSet set() const { return {rows, dims, values, codes, {}}; }
};

// At most `wanted` rows from all over the table, the same for the same table; `*rows` becomes a better
// estimate of their number. Memory comes from the current context.
Sample sample_rows(Relation heap, IndexInfo *info, RowReader *reader, uint32_t wanted,
                   double *rows);

// Makes the code that of the vector at unit length; returns its length.
float scale_to_unit(quantize::ByteCode *code);

}  // namespace vann::ivfpq
