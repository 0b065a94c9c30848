// tid_set.cpp — see tid_set.hpp.
#include "am/ivfpq/tid_set.hpp"

#include <algorithm>

namespace vann::ivfpq {

namespace {

constexpr size_t kFirstSlots = 1024;

constexpr uint64_t mixed(uint64_t key) { return key * 0x9e3779b97f4a7c15ull; }

}  // namespace

void TidSet::clear() noexcept {
  std::fill(slots_.begin(), slots_.end(), 0);
  used_ = 0;
}

// Where the key is, or the empty slot where it would be.
size_t TidSet::place_of(uint64_t key) const noexcept {
  const size_t mask = slots_.size - 1;
  size_t place = mixed(key) >> 32 & mask;
  while (slots_[place] != 0 && slots_[place] != key) place = (place + 1) & mask;
  return place;
}

bool TidSet::contains(const am::HeapTid &tid) const noexcept {
  return slots_.size > 0 && slots_[place_of(am::tid_key(tid))] != 0;
}

bool TidSet::insert(const Allocator &allocator, const am::HeapTid &tid) {
  if (2 * (used_ + 1) > slots_.size) grow(allocator);
  const uint64_t key = am::tid_key(tid);
  const size_t place = place_of(key);
  if (slots_[place] == key) return false;
  slots_[place] = key;
  ++used_;
  return true;
}

void TidSet::grow(const Allocator &allocator) {
  Array<uint64_t> old = slots_;
  slots_ = {};
  slots_.reserve(allocator, std::max(kFirstSlots, 2 * old.size));
  slots_.size = slots_.capacity;
  std::fill(slots_.begin(), slots_.end(), 0);
  for (const uint64_t key : old)
    if (key != 0) slots_[place_of(key)] = key;
  if (old.data != nullptr) allocator.resize(allocator.context, old.data, 0);
}

}  // namespace vann::ivfpq
