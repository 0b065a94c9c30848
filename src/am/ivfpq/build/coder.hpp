// coder.hpp — rows of the table as rows of lists: prepared, assigned to the nearest centroids in
// batches, and coded.
#pragma once

#include "am/ivfpq/build/model.hpp"
#include "am/ivfpq/rows.hpp"

namespace vann::ivfpq {

// A coded row in messages and files; the scan code and the refine code follow.
struct CodedRow {
  uint32_t list;  // number among the model's
  HeapTid tid;
  quantize::ScanFactors scan;
  quantize::RefineFactors refine;

  uint8_t *codes() { return reinterpret_cast<uint8_t *>(this + 1); }
  const uint8_t *codes() const { return reinterpret_cast<const uint8_t *>(this + 1); }
};
static_assert(sizeof(CodedRow) == 28 && alignof(CodedRow) == 4);

inline size_t coded_row_bytes(const Layout &layout) {
  const size_t codes =
      quantize::scan_code_bytes(layout.rows) + quantize::refine_code_bytes(layout.rows);
  return (sizeof(CodedRow) + codes + 3) / 4 * 4;
}

// Receives one row, which goes after the call. May raise an ERROR, but not throw.
struct CodedRowSink {
  void (*add)(void *state, const CodedRow *row);
  void *state;
};

class RowCoder {
 public:
  // Memory comes from `context` and goes with it. `model` stays.
  RowCoder(Relation index, Relation heap, const BuildModel &model, MemoryContext context,
           const CodedRowSink &sink);
  void add(Datum value, const HeapTid &tid);
  // Codes what has been added since the last batch was full.
  void flush();
  void close() { reader_.close(); }
  // That a coder of the model takes: at the beginning, and later.
  static size_t bytes(const BuildModel &model);

 private:
  struct Assignment;

  static size_t batch_rows(const Layout &layout);
  void build_assigner();

  const BuildModel &model_;
  MemoryContext context_;
  RowReader reader_;
  CodedRowSink sink_;
  Assignment *assignment_;
  size_t capacity_;  // rows of a batch
  size_t count_;
  float *vectors_;             // [capacity][rotated_dims]
  int8_t *values_;             // [capacity][padded_dims]
  quantize::ByteCode *codes_;  // [capacity]
  HeapTid *tids_;              // [capacity]
  float *anchor_;
  float *scratch_;
  CodedRow *row_;
};

}  // namespace vann::ivfpq
