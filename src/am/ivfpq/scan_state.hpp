// scan_state.hpp — one ordered scan between calls: lists probed, rows that their codes leave in question,
// and what comes next. Trivially destructible; everything lives in the scan's context. See README.md,
// "Search".
#pragma once

#include "am/common/rerank.hpp"
#include "am/ivfpq/directory.hpp"
#include "am/ivfpq/tid_set.hpp"

namespace vann::ivfpq {

using am::HeapTid;

// A row that the scan codes of its list leave in question.
struct Candidate {
  float bound;  // the least that its distance is reckoned to be
  float upper;  // and the most
  BlockNumber refine;
  uint32_t slot;      // on the refine page
  BlockNumber scan_page;
  HeapTid tid;
  uint8_t codebook_version;
  quantize::AnchorDistance anchor;
};

// A row on its way to the executor, ordered by the least distance that it can have, in the operator's units.
struct Pending {
  double bound;
  HeapTid tid;
  bool exact;  // the bound is the distance

  friend bool operator<(const Pending &a, const Pending &b) {
    return a.bound > b.bound || (a.bound == b.bound && b.exact && !a.exact);
  }
};

class ScanState {
 public:
  void open(IndexScanDesc scan, MemoryContext context);
  void rescan();
  void close();
  // The next row's TID in order; false when there is none.
  bool next(HeapTid *tid);
  // Rows are returned when they have been found visible: there is nothing to remove.
  void kill_last() {}

 private:
  enum class Phase : uint8_t { kStart, kLists, kLate, kDone };

  void open_view();
  void start();
  const quantize::ListQuery &query_for(uint8_t codebook_version);
  uint32_t first_probes() const;
  bool may_probe_more() const;
  void prefetch(BlockNumber block) const;
  bool probe(uint32_t lists);
  void forget_window();
  void read_list(const RoutedList &list);
  BlockNumber read_page(const RoutedList &list, BlockNumber block);
  void read_block(const RoutedList &list, const uint8_t *page, uint32_t number, BlockNumber block);
  quantize::AnchorDistance anchor_distance(const RoutedList &list, uint32_t anchor);
  void keep_nearest();
  void refine_candidates();
  void take_up(const Candidate &candidate, double bound, double upper);
  bool extend();
  bool produce(Pending *out);
  void rerank(const Pending &row);
  double in_operator_units(double distance) const;

  IndexScanDesc scan_;
  MemoryContext context_;
  Allocator allocator_;
  Index index_;
  uint64_t prepared_build_;
  float *rotated_;
  quantize::ListQuery query_;
  quantize::ListQuery untrained_;  // for pages of codebook version 0, once one is met
  bool has_untrained_;
  uint8_t *query_memory_;
  uint8_t *untrained_memory_;
  am::Reranker reranker_;
  DirectorySearch directory_;
  Array<RoutedList> probed_;
  struct OtherAnchor {
    uint32_t list;
    quantize::AnchorDistance distance;
  };
  Array<OtherAnchor> anchors_;
  Array<Candidate> candidates_;  // of the list being read
  Array<float> scratch_;
  Array<float> uppers_;  // max-heap: the `window_` least upper bounds of rows taken up
  size_t window_;
  float limit_;  // rows whose bound is not below are left behind
  float list_limit_;  // the same within the list that is being read
  float left_;   // no row that was left behind has a bound below
  Array<Pending> pending_;  // heap
  Array<Pending> late_;     // heap
  TidSet seen_;
  Phase phase_;
  bool unordered_;  // the query has no order: NULL, or zero under cosine
  bool exhausted_;  // no list is left
  double last_;     // distance that was returned last
  uint64_t rows_scanned_;
  uint64_t rows_read_;
  uint64_t returned_;
};

}  // namespace vann::ivfpq
