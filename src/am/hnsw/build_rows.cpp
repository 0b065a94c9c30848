// build_rows.cpp — collapses equal codes as they come, and numbers elements.
#include "am/hnsw/build_rows.hpp"

#include <algorithm>

extern "C" {
#include "common/hashfn.h"
}

namespace vann::hnsw {

namespace {

uint64_t tid_key(const HeapTid &tid) {
  return uint64_t{tid.block_high} << 32 | uint64_t{tid.block_low} << 16 | tid.offset;
}

// Brings fixed-size items to the order that `rank_of` gives, in place: item i goes to rank_of[i].
void permute(uint8_t *items, size_t bytes, const uint32_t *rank_of, size_t count, uint8_t *moved,
             bool *done) {
  std::fill(done, done + count, false);
  for (size_t start = 0; start < count; ++start) {
    if (done[start]) continue;
    memcpy(moved, items + start * bytes, bytes);
    size_t at = start;
    do {
      at = rank_of[at];
      std::swap_ranges(moved, moved + bytes, items + at * bytes);
      done[at] = true;
    } while (at != start);
  }
}

}  // namespace

BuildRows::BuildRows(const Layout &layout, MemoryContext context)
    : allocator_(pg::allocator_in(context)), stride_(quantize::padded_dims(layout.shape.dims)) {}

void BuildRows::add(const int8_t *values, const quantize::ByteCode &code, const HeapTid &tid) {
  const uint32_t element = find_or_add(values, code);
  rows_.push(allocator_, {tid, element, kNone});
}

// Arrival in a parallel scan has no order: numbers are given by the smallest TID.
void BuildRows::finish() {
  const size_t elements = codes_.size;
  allocator_.resize(allocator_.context, table_.data, 0);
  table_ = {};
  std::sort(rows_.begin(), rows_.end(),
            [](const Row &a, const Row &b) { return tid_key(a.tid) < tid_key(b.tid); });
  Array<uint32_t> rank_of, last_row;
  rank_of.reserve(allocator_, elements);
  last_row.reserve(allocator_, elements);
  first_row_.reserve(allocator_, elements);
  std::fill(rank_of.data, rank_of.data + elements, kNone);
  for (uint32_t i = 0; i < rows_.size; ++i) {
    uint32_t &rank = rank_of[rows_[i].element];
    if (rank == kNone) {
      rank = static_cast<uint32_t>(first_row_.size);
      first_row_.push(allocator_, i);
    } else {
      rows_[last_row[rank]].next = i;
    }
    last_row[rank] = i;
  }
  Array<uint8_t> moved;
  Array<bool> done;
  moved.reserve(allocator_, std::max(stride_, sizeof(quantize::ByteCode)));
  done.reserve(allocator_, elements);
  permute(reinterpret_cast<uint8_t *>(values_.data), stride_, rank_of.data, elements, moved.data,
          done.data);
  permute(reinterpret_cast<uint8_t *>(codes_.data), sizeof(quantize::ByteCode), rank_of.data,
          elements, moved.data, done.data);
  for (void *memory : {static_cast<void *>(rank_of.data), static_cast<void *>(last_row.data),
                       static_cast<void *>(moved.data), static_cast<void *>(done.data)})
    allocator_.resize(allocator_.context, memory, 0);
}

uint64_t BuildRows::hash(const int8_t *values, const quantize::ByteCode &code) const {
  const auto *bytes = reinterpret_cast<const unsigned char *>(values);
  return hash_bytes_extended(bytes, static_cast<int>(stride_), 0) ^
         hash_bytes_extended(reinterpret_cast<const unsigned char *>(&code.factors),
                             sizeof(code.factors), 1);
}

uint32_t BuildRows::find_or_add(const int8_t *values, const quantize::ByteCode &code) {
  if (codes_.size * 2 >= table_.size) grow_table();
  size_t at = hash(values, code) & (table_.size - 1);
  for (; table_[at] != kNone; at = (at + 1) & (table_.size - 1)) {
    const uint32_t element = table_[at];
    if (memcmp(&codes_[element].factors, &code.factors, sizeof(code.factors)) == 0 &&
        memcmp(values_.data + element * stride_, values, stride_) == 0)
      return element;
  }
  const uint32_t element = static_cast<uint32_t>(codes_.size);
  table_[at] = element;
  values_.reserve(allocator_, values_.size + stride_);
  memcpy(values_.end(), values, stride_);
  values_.size += stride_;
  codes_.push(allocator_, code);
  return element;
}

void BuildRows::grow_table() {
  const size_t wanted = std::max<size_t>(1024, table_.size * 2);
  table_.reserve(allocator_, wanted);
  table_.size = wanted;
  std::fill(table_.begin(), table_.end(), kNone);
  for (uint32_t element = 0; element < codes_.size; ++element) {
    size_t at = hash(values_.data + element * stride_, codes_[element]) & (wanted - 1);
    while (table_[at] != kNone) at = (at + 1) & (wanted - 1);
    table_[at] = element;
  }
}

}  // namespace vann::hnsw
