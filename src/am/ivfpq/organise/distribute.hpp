// distribute.hpp — rows of lists on their way to other lists: assigned, coded against where they go, and
// appended there, many at a time.
#pragma once

#include "am/ivfpq/organise/page_rows.hpp"
#include "am/ivfpq/organise/row_assigner.hpp"

namespace vann::ivfpq {

// A list that takes rows. A row whose codes are too coarse for the shorter residual keeps its anchor in any
// case: coded again it would seem to be known better than it is.
struct Target {
  uint32_t list;
  bool recode;           // rows are coded against the centroid, else they keep their anchors
  float *centroid;       // decoded, rotated_dims floats
  uint64_t rows;         // that have been appended
  double squared_error;  // sum of their squared error factors
};

class Distributor {
 public:
  // Does not own the targets. `reference` as for CodedRows, as long-lived as this. Takes up to about half
  // of maintenance_work_mem from `context`, less when `rows` are not that many.
  void init(const Index &index, Target *targets, uint32_t count, const float *reference,
            uint64_t rows, MemoryContext context);
  // Copies the row; the nearest target gets it, or the one that is named, at the next flush at the latest.
  void add(const PageRow &row) { add_to(row, kAnyTarget); }
  void add_to(const PageRow &row, uint32_t target);
  // Appends what was added. No page lock may be held.
  void flush();

 private:
  static constexpr uint32_t kAnyTarget = 0xffffffffu;
  // A row that waits; its vector and codes are in the arrays below.
  struct Waiting {
    HeapTid tid;
    uint32_t anchor;
    uint32_t target;
    bool untrained;  // the scan code is of other codebooks than the index has now
    quantize::ScanFactors scan_factors;
    quantize::RefineFactors refine_factors;
  };

  bool survives(const Waiting &row, const float *x, const float *centroid) const;
  EncodedRow encoded(uint32_t row);
  void append(Target *target, const uint32_t *rows, size_t count);

  Index index_;
  Target *targets_;
  uint32_t target_count_;
  RowAssigner *assigner_;
  RowEncoder encoder_;
  AnchorCache anchors_;
  size_t capacity_;
  CodedRows coded_;
  Waiting *waiting_;
  float *vectors_;
  uint8_t *scans_;
  uint8_t *refines_;
  uint32_t *order_;
  EncodedRow *outgoing_;
  cluster::Match *matches_;
  float *scratch_;
};

}  // namespace vann::ivfpq
