// scan_state.hpp — one ordered scan between calls: candidates found in the index, rows reranked from the
// heap, and what comes next. Trivially destructible; everything lives in the scan's context.
#pragma once

#include "am/common/rerank.hpp"
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

// What codes tell of an element's distances, in the operator's units.
struct Reach {
  double bound;  // the least that the search reckons with
  double least;  // the distance is certain to lie between these two; infinite where codes give no
  double most;   // certainty
};

// A found element whose rows have not been read, ordered by the least distance they can have.
struct Pending {
  double bound;
  double least;  // see Reach
  double most;
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

// The row that was handed out last.
struct Last {
  double least;  // its distance, or what its codes tell of it
  double most;
  HeapTid tid;
  uint32_t found;  // index into `found`, until the next sweep
  bool read;       // whether the distance is exact
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
  // The executor has found the row that was handed out last dead to all.
  void kill_last();

 private:
  void open_view();
  void start();
  void search();
  bool produce(Last *out);
  bool order_is_known(const Pending &pending) const;
  bool comes_late(const Last &row);
  void read_last();
  bool extend();
  void widen_for_returned();
  void rerank_nearest();
  void rerank_row(uint32_t found, const HeapTid &tid, double *nearest);
  void remove_dead(const Found &found, const HeapTid &tid);
  void note(uint32_t id, ConstRecord record, const Expanded &expanded);
  bool sweep();
  template <class Visit>
  void visit_unseen(Visit &&visit);
  Reach reach(const Expanded &expanded, const quantize::CodeFactors &factors) const;
  double in_operator_units(double distance) const;
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
  am::Reranker reranker_;
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
  double rounding_;      // relative error of distances that floats were summed for
  double mean_squared_;  // |mean|^2 as codes see it
  Last last_;
  uint64_t returned_;
  uint64_t rows_read_;
  Swept swept_;  // elements up to this one have been swept
};

}  // namespace vann::hnsw
