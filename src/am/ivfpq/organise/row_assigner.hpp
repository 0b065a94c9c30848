// row_assigner.hpp — core's training and assignment of rows, inside a backend that organises lists. Works in
// one thread: VACUUM runs beside others.
#pragma once

#include "am/ivfpq/index.hpp"
#include "core/cluster/assigner.hpp"
#include "core/cluster/train.hpp"

namespace vann::ivfpq {

// Byte codes of vectors that are assigned to lists: of unit length under the inner product, where lists are
// directions; else of what they differ from a reference in their midst, because eight bits of vectors that
// lie far from the centre would not tell them apart.
struct CodedRows {
  size_t dims;
  const float *reference;     // dims floats; null: unit length
  int8_t *values;             // [rows][padded_dims(dims)]
  quantize::ByteCode *codes;  // [rows]
  size_t rows;
};

CodedRows allocate_rows(size_t dims, size_t capacity, const float *reference,
                        MemoryContext context);
constexpr size_t coded_row_bytes(size_t dims) {
  return quantize::padded_dims(dims) + sizeof(quantize::ByteCode);
}
// What is coded for x: out[0..dims). Also for centroids that rows are compared with.
void relate(const float *x, const float *reference, size_t dims, float *out);
// Adds x; `scratch`: dims floats.
void add_row(CodedRows *rows, const float *x, float *scratch);

// Trains at most `lists` centroids, [lists][dims], as relate() leaves them; returns how many there are.
// ERROR when memory is short or the work is cancelled.
uint32_t train_centroids(const CodedRows &rows, uint32_t lists, float *centroids);

// A handle on core's Assigner. It goes with `context`, so it may be abandoned.
class RowAssigner {
 public:
  // centroids: [count][dims], as relate() leaves them, copied; count at most cluster::kFlatLists, so that every row is compared
  // with all.
  RowAssigner(const float *centroids, uint32_t count, size_t dims, MemoryContext context);
  // The nearest centroid of each row.
  void nearest(const CodedRows &rows, cluster::Match *out) const;

 private:
  struct State;
  State *state_;
};

}  // namespace vann::ivfpq
