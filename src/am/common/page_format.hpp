// page_format.hpp — what the pages of all access methods have in common. PostgreSQL-free, so that unit
// tests can encode, decode and damage pages; pages.cpp asserts it against PostgreSQL's own structs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/quantize/query.hpp"

namespace vann::am {

inline constexpr size_t kPageBytes = 8192;
inline constexpr size_t kPageHeaderBytes = 24;  // PostgreSQL's PageHeaderData
inline constexpr size_t kSpecialBytes = 16;
inline constexpr size_t kUsableBytes = kPageBytes - kPageHeaderBytes - kSpecialBytes;

// Stored in metapages: numbers are never reused.
enum class Metric : uint8_t { kL2 = 0, kInnerProduct = 1, kCosine = 2 };

constexpr quantize::Geometry geometry_of(Metric metric) noexcept {
  return metric == Metric::kInnerProduct ? quantize::Geometry::kInnerProduct
                                         : quantize::Geometry::kL2;
}

// The end of every page. `page_id` stands in the last two bytes, for tools that look at files.
struct PageSpecial {
  uint32_t reserved[3];
  uint16_t kind;     // as the access method numbers its pages
  uint16_t page_id;  // of the access method
};
static_assert(sizeof(PageSpecial) == kSpecialBytes);

// A heap TID as PostgreSQL stores it (ItemPointerData): no alignment above 2.
struct HeapTid {
  uint16_t block_high;
  uint16_t block_low;
  uint16_t offset;

  friend bool operator==(const HeapTid &, const HeapTid &) = default;
};
static_assert(sizeof(HeapTid) == 6);

// A TID as one number, block << 16 | offset, in the order of the table; and back.
constexpr uint64_t tid_key(const HeapTid &tid) noexcept {
  return uint64_t{tid.block_high} << 32 | uint64_t{tid.block_low} << 16 | tid.offset;
}
constexpr HeapTid heap_tid(uint64_t key) noexcept {
  return {static_cast<uint16_t>(key >> 32), static_cast<uint16_t>(key >> 16),
          static_cast<uint16_t>(key)};
}

}  // namespace vann::am
