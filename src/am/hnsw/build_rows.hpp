// build_rows.hpp — the table's rows as a build needs them: distinct byte codes, and the heap TIDs that
// belong to each. Arrays live in one memory context.
#pragma once

#include "am/hnsw/index.hpp"

namespace vann::hnsw {

class BuildRows {
 public:
  // `cache` describes the index to be; its mean is computed here, from the first rows.
  BuildRows(const Index &index, IndexCache *cache, MemoryContext context);

  // One row of the table. The datum is not kept.
  void add(Datum value, const HeapTid &tid);
  // To be called after the last row.
  void finish();

  size_t elements() const { return codes_.size; }
  uint64_t tuples() const { return tuples_; }
  const int8_t *values() const { return values_.data; }
  const quantize::ByteCode *codes() const { return codes_.data; }

  // Calls visit(tid) for the element's TIDs, in the order of the scan.
  template <class Visit>
  void for_each_tid(size_t element, Visit &&visit) const {
    for (uint32_t at = first_tid_[element]; at != kNone; at = tids_[at].next) visit(tids_[at].tid);
  }
  size_t tid_count(size_t element) const {
    size_t count = 0;
    for_each_tid(element, [&](const HeapTid &) { ++count; });
    return count;
  }

 private:
  static constexpr uint32_t kNone = 0xffffffffu;

  struct LinkedTid {
    HeapTid tid;
    uint32_t next;
  };

  void add_prepared(const float *prepared, const HeapTid &tid);
  void end_sample();
  uint32_t find_or_add(const int8_t *values, const quantize::ByteCode &code, bool *added);
  void grow_table();
  uint64_t hash(const int8_t *values, const quantize::ByteCode &code) const;

  Index index_;
  IndexCache *cache_;
  MemoryContext context_;
  MemoryContext row_context_;
  Allocator allocator_;
  size_t stride_;
  float *prepared_;
  bool sampling_;
  Array<float> sample_;         // [rows][shape.dims], not centred
  Array<HeapTid> sample_tids_;
  Array<int8_t> values_;        // [elements][stride_]
  Array<quantize::ByteCode> codes_;
  Array<uint32_t> first_tid_;   // per element, into tids_
  Array<uint32_t> last_tid_;
  Array<LinkedTid> tids_;
  Array<uint32_t> table_;       // open addressing: element or kNone
  uint64_t tuples_;
};

}  // namespace vann::hnsw
