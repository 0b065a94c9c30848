// build_rows.hpp — the table's rows as a build needs them: distinct byte codes, and the heap TIDs that
// belong to each. Arrays live in one memory context.
#pragma once

#include "am/hnsw/index.hpp"

namespace vann::hnsw {

class BuildRows {
 public:
  BuildRows(const Layout &layout, MemoryContext context);

  // One row of the table, in any order; nothing is kept but copies.
  void add(const int8_t *values, const quantize::ByteCode &code, const HeapTid &tid);
  // To be called after the last row, before anything below: numbers the elements in the order of
  // their smallest TIDs, whatever the order of add() was.
  void finish();

  size_t elements() const { return codes_.size; }
  const int8_t *values() const { return values_.data; }
  const quantize::ByteCode *codes() const { return codes_.data; }

  // Calls visit(tid) for the element's TIDs, ascending.
  template <class Visit>
  void for_each_tid(size_t element, Visit &&visit) const {
    for (uint32_t at = first_row_[element]; at != kNone; at = rows_[at].next) visit(rows_[at].tid);
  }
  size_t tid_count(size_t element) const {
    size_t count = 0;
    for_each_tid(element, [&](const HeapTid &) { ++count; });
    return count;
  }

 private:
  static constexpr uint32_t kNone = 0xffffffffu;

  struct Row {
    HeapTid tid;
    uint32_t element;  // by the order of arrival
    uint32_t next;     // row of the same element, after finish()
  };

  uint32_t find_or_add(const int8_t *values, const quantize::ByteCode &code);
  void grow_table();
  uint64_t hash(const int8_t *values, const quantize::ByteCode &code) const;

  Allocator allocator_;
  size_t stride_;
  Array<int8_t> values_;  // [elements][stride_]
  Array<quantize::ByteCode> codes_;
  Array<Row> rows_;
  Array<uint32_t> first_row_;  // per element, after finish()
  Array<uint32_t> table_;      // open addressing: element or kNone
};

}  // namespace vann::hnsw
