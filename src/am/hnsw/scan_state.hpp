// scan_state.hpp — one ordered scan between calls: candidates found in the index, rows reranked from the
// heap, and what comes next. Trivially destructible; everything lives in the scan's context.
#pragma once

#include "am/hnsw/rerank.hpp"
#include "am/hnsw/search.hpp"

namespace vann::hnsw {

// A live element that the search expanded. TIDs are copied under its page's lock.
struct Found {
  uint32_t record;
  uint32_t chain;
  uint8_t generation;
  uint8_t tid_count;
  HeapTid tids[kInlineTids];
  XLogRecPtr page_lsn;  // of its page when it was read
};

// A found element whose rows have not been read, ordered by the least distance they can have.
struct Pending {
  double bound;
  uint32_t found;    // index into `found`
  uint32_t next_tid; // index into `tids` for a chain being read
  uint32_t tids_end;
  uint32_t member;   // next chain member to read, or kNoRecord
  bool chained;      // false: the inline TIDs come first

  friend bool operator<(const Pending &a, const Pending &b) { return a.bound > b.bound; }
};

// A visible row with its exact distance.
struct Ready {
  double distance;
  HeapTid tid;

  friend bool operator<(const Ready &a, const Ready &b) { return a.distance > b.distance; }
};

// Order in which a sweep takes elements up.
struct Swept {
  double bound;
  uint32_t record;

  friend bool operator<(const Swept &a, const Swept &b) {
    return a.bound < b.bound || (a.bound == b.bound && a.record < b.record);
  }
};

// How far the search has gone.
enum class Phase : uint8_t {
  kStart,   // nothing read yet
  kGraph,   // following edges
  kSweep,   // the graph is exhausted or too big for memory: reading what is left page by page
  kLate,    // handing out rows that came too late for their place
  kDone,
};

class ScanState {
 public:
  void open(IndexScanDesc scan, MemoryContext context);
  void rescan();
  void close();
  // The next row's TID in order; false when there is none.
  bool next(HeapTid *tid);

 private:
  void open_view();
  void start();
  void search();
  bool produce(Ready *out);
  bool extend();
  void widen_for_returned();
  void rerank_nearest();
  void rerank_row(uint32_t found, const HeapTid &tid, double *nearest);
  void remove_dead(const Found &found, const HeapTid &tid);
  void note(uint32_t id, ConstRecord record, const Expanded &expanded);
  bool sweep();
  template <class Visit>
  void visit_unseen(Visit &&visit);
  double lower_bound(const Expanded &expanded) const;
  bool over_memory() const;
  bool out_of_budget() const;

  IndexScanDesc scan_;
  MemoryContext context_;
  Allocator allocator_;
  Index index_;
  quantize::PreparedQuery query_;
  SearchPlan plan_;
  float *rotated_;
  uint8_t *query_memory_;
  uint64_t prepared_build_;
  Reranker reranker_;
  graph::Frontier frontier_;
  Array<Found> found_;
  Array<Pending> pending_;  // heap
  Array<Ready> ready_;      // heap
  Array<Ready> late_;       // heap
  Array<HeapTid> tids_;
  Phase phase_;
  bool unordered_;     // the query has no order: NULL, or zero under cosine
  double query_bias_;  // inner product: what centring took from every distance
  double prefix_noise_;  // relative deviation of squared distances from codes of a prefix
  double last_distance_;
  uint64_t returned_;
  uint64_t rows_read_;
  Swept swept_;  // elements up to this one have been swept
};

}  // namespace vann::hnsw
