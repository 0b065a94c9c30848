// rows.hpp — rows in lists: encoding them, and putting them into a list's chain.
#pragma once

#include "am/ivfpq/lists.hpp"

namespace vann::ivfpq {

// A row as pages hold it. `scan` has scan_code_bytes(), `refine` refine_code_bytes(); owned by whoever made it.
struct EncodedRow {
  HeapTid tid;
  uint32_t anchor;  // list record
  quantize::ScanFactors scan_factors;
  quantize::RefineFactors refine_factors;
  const uint8_t *scan;
  const uint8_t *refine;
};

// Room for one encoded row and its making. Memory from `context`.
class RowEncoder {
 public:
  void init(const Index &index, MemoryContext context);
  // x: prepared vector; anchor: decoded centroid of list `list`, both rotated_dims. The row's codes live
  // until the next call.
  EncodedRow encode(const float *x, const float *anchor, uint32_t list, const HeapTid &tid);

 private:
  Index index_;
  float *scratch_;
  uint8_t *scan_;
  uint8_t *refine_;
};

// Puts rows into the list's chain; the pages of a row change in one WAL record. Looks for room from the page
// `open` on (the record's) and adds pages at the end of the chain. Returns how many rows were put: fewer than
// `count` when the list has been closed meanwhile, or has pages of newer codebooks than the view; then the
// caller routes the others anew, with a new view. The caller holds no page lock.
size_t append_rows(const Index &index, uint32_t list, BlockNumber open, const EncodedRow *rows,
                   size_t count);

}  // namespace vann::ivfpq
