// row_store.hpp — the rows of a table as they come, in memory: distinct codes, the least key of each, and
// the further keys of those that came more than once.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/pages.hpp"
#include "core/build/graph_builder.hpp"
#include "core/bulk/level.hpp"

namespace vann::bulk {

// Of a row's code; equal codes have equal ones. `values` has `stride` digits.
uint64_t hash_code(const quantize::ByteCode &code, const int8_t *values, size_t stride) noexcept;

class RowStore {
 public:
  // A row's further key: (row, key).
  using Further = std::pair<uint32_t, RowKey>;

  // Room for `capacity` distinct rows of `dims` dimensions. Throws std::bad_alloc.
  RowStore(size_t dims, size_t capacity);

  // What became of a row: a new row, which is the last one now, or a further key of a known one; or
  // there is no room for it and it was not taken.
  enum class Added { kNew, kKnown, kNoRoom };
  // Throws std::bad_alloc.
  Added add(RowKey key, const quantize::ByteCode &code, const int8_t *values);

  // Frees what only add() needs.
  void finish() { table_ = {}; }

  size_t size() const noexcept { return size_; }
  build::VectorSet set() const noexcept { return {size_, dims_, values_.data(), codes_.data(), {}}; }
  const RowKey *keys() const noexcept { return keys_.data(); }
  RowKey key(size_t row) const noexcept { return keys_[row]; }
  const int8_t *values(size_t row) const noexcept { return values_.data() + row * stride_; }
  const quantize::ByteCode &code(size_t row) const noexcept { return codes_[row]; }
  std::vector<Further> &further() noexcept { return further_; }

  // Rows in ascending order of keys.
  std::vector<uint32_t> by_key() const;
  // Forgets all rows and keeps the room.
  void reset();

 private:
  // A place of the hash table: the hash's high half above row + 1; 0 is free.
  using Place = uint64_t;

  bool equals(size_t row, const quantize::ByteCode &code, const int8_t *values) const noexcept;
  void grow_table();
  bool is_full() const noexcept;

  size_t dims_;
  size_t stride_;
  size_t capacity_;
  size_t size_ = 0;
  AlignedBuffer<int8_t> values_;             // [capacity][stride]
  AlignedBuffer<quantize::ByteCode> codes_;  // [capacity]
  AlignedBuffer<RowKey> keys_;               // [capacity]
  PageVector<Place> table_;                  // a power of two, at most half full
  std::vector<Further> further_;
};

}  // namespace vann::bulk
