// page_rows.hpp — the rows of a scan page as vectors again: what organising works on. Vectors are the decoded
// refine codes, prepared (rotated, centred) as the index keeps them.
#pragma once

#include "am/ivfpq/rows.hpp"

namespace vann::ivfpq {

// Decoded centroids of list records that blocks refer to. Memory comes from the context given to init().
class AnchorCache {
 public:
  void init(const Index &index, MemoryContext context);
  // rotated_dims floats, valid until the next call.
  const float *decoded(uint32_t list);

 private:
  struct Entry {
    uint32_t list;
    float *centroid;
  };
  Index index_;
  MemoryContext context_;
  Allocator allocator_;
  Array<Entry> entries_;
  size_t used_;  // entries beyond have memory, but no list
};

// A row of the page that was read. Everything lives until the next row.
struct PageRow {
  HeapTid tid;
  uint32_t place;  // on the page
  uint32_t anchor;
  bool untrained;  // the scan code is of other codebooks than the index has now
  quantize::ScanFactors scan_factors;
  quantize::RefineFactors refine_factors;
  const uint8_t *scan;     // scan_code_bytes()
  const uint8_t *refine;   // refine_code_bytes()
  const float *x;          // rotated_dims floats
  float residual_squared;  // of x and its anchor
};

// Reads one scan page after another. Holds no lock between calls.
class PageReader {
 public:
  void init(const Index &index, BufferAccessStrategy strategy, MemoryContext context);

  // Takes a copy of a page of the list, and returns the next of the chain. With `seal` the page takes no
  // rows from then on, so that the copy stays true until the list is retired.
  BlockNumber read(uint32_t list, BlockNumber block, bool seal);
  BlockNumber block() const { return block_; }
  const uint8_t *image() const { return image_; }

  // The next row of the copy that has not moved away; false behind the last one.
  bool next(PageRow *row);

 private:
  void read_refine_page(uint32_t number);

  Index index_;
  BufferAccessStrategy strategy_;
  AnchorCache anchors_;
  BlockNumber block_;
  uint8_t *image_;
  uint8_t *refine_image_;
  uint32_t refine_number_;
  uint32_t place_;
  float *x_;
  uint8_t *scan_;
};

}  // namespace vann::ivfpq
