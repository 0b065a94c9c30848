// list_map.hpp — from list ids to places in an array. Open addressing, linear probing; trivially destructible.
#pragma once

#include "am/ivfpq/page.hpp"
#include "core/base/array.hpp"

#include <algorithm>

namespace vann::ivfpq {

class ListMap {
 public:
  static constexpr uint32_t kNone = 0xffffffffu;

  void put(const Allocator &allocator, uint32_t list, uint32_t place) {
    if (2 * (used_ + 1) > slots_.size) grow(allocator);
    Slot &slot = slots_[find(list)];
    used_ += slot.list == kNoList;
    slot = {list, place};
  }
  uint32_t at(uint32_t list) const {
    if (slots_.size == 0) return kNone;
    const Slot &slot = slots_[find(list)];
    return slot.list == list ? slot.place : kNone;
  }

 private:
  struct Slot {
    uint32_t list;
    uint32_t place;
  };

  // Where the list is, or the empty slot where it would be.
  size_t find(uint32_t list) const {
    const size_t mask = slots_.size - 1;
    size_t i = (list * uint64_t{0x9e3779b97f4a7c15u} >> 32) & mask;
    while (slots_[i].list != kNoList && slots_[i].list != list) i = (i + 1) & mask;
    return i;
  }
  void grow(const Allocator &allocator) {
    const Array<Slot> old = slots_;
    slots_ = {};
    slots_.reserve(allocator, std::max<size_t>(256, 2 * old.size));
    slots_.size = slots_.capacity;
    std::fill(slots_.begin(), slots_.end(), Slot{kNoList, kNone});
    for (const Slot &slot : old)
      if (slot.list != kNoList) slots_[find(slot.list)] = slot;
    if (old.data != nullptr) allocator.resize(allocator.context, old.data, 0);
  }

  Array<Slot> slots_;  // a power of two
  size_t used_ = 0;
};

}  // namespace vann::ivfpq
