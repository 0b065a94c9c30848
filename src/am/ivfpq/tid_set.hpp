// tid_set.hpp — the TIDs that a scan has taken up. Open addressing, linear probing; trivially destructible.
#pragma once

#include "am/common/page_format.hpp"
#include "core/base/array.hpp"

namespace vann::ivfpq {

class TidSet {
 public:
  void clear() noexcept;
  bool contains(const am::HeapTid &tid) const noexcept;
  // False when it was there already.
  bool insert(const Allocator &allocator, const am::HeapTid &tid);
  size_t bytes() const noexcept { return slots_.capacity * sizeof(uint64_t); }

 private:
  size_t place_of(uint64_t key) const noexcept;
  void grow(const Allocator &allocator);

  Array<uint64_t> slots_;  // 0 = empty: no TID has offset 0; a power of two
  size_t used_ = 0;
};

}  // namespace vann::ivfpq
