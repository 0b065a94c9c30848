// row_check.hpp — whether the codes of a row are those of its vector.
#pragma once

#include "am/ivfpq/check/check.hpp"

namespace vann::ivfpq {

// How far a code may be from its vector follows from the row's factors. With E, the length by which the
// scaled levels miss the residual, which a refine code's error factor says:
//
//   coded once         |x - decoded| <= E
//   coded again        |x - decoded| <= sum of 2 E_i over its codings, where E^2 = sum of E_i^2: the last
//                      error, those before it, and what the larger E shortens the last multiple by
//
// so that kCodeErrors E allows for several codings, while the code of another row misses by about the
// length of a residual, E being a tenth of that for 4 bits. The scan code must estimate the row's distance
// to itself, which is 0 (inner product: -|x|^2), within kDeviations of its own standard deviations.
class RowCheck {
 public:
  // Memory lives in `context`. The census stays with the caller.
  RowCheck(const Census &census, MemoryContext context);
  const Census &census() const { return census_; }
  // False also when the row is not at that place any more. Locks: one page at a time, shared. Palloc's.
  bool holds(const RowPlace &place, Datum value);

 private:
  bool read_pages(const RowPlace &place);
  bool read_anchor(uint32_t anchor);
  bool refine_agrees(const RowPlace &place) const;
  bool scan_agrees(const RowPlace &place);
  const quantize::ListModel &model_for(uint8_t codebook_version);

  const Census &census_;
  const Layout &layout_;
  MemoryContext context_;
  uint8_t *page_;         // [kPageBytes] the row's scan page
  uint8_t *refine_;       // [kPageBytes] and its refine page
  float *x_;              // [rotated_dims] its vector
  float *anchor_;         // [rotated_dims] decoded
  float *decoded_;        // [rotated_dims]
  uint32_t anchor_list_;  // that anchor_ is of
  uint8_t *query_memory_;
  quantize::ListModel model_;
  quantize::ListModel untrained_;  // of pages of codebook version 0
};

}  // namespace vann::ivfpq
