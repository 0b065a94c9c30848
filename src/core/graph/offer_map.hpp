// offer_map.hpp — which nodes a search has seen: node -> best estimate offered, or "expanded".
// Open addressing, linear probing, grows at half load. Memory: 24 to 48 bytes per node seen.
#pragma once

#include <limits>

#include "core/base/array.hpp"

namespace vann::graph {

class OfferMap {
 public:
  // Starts small again: a scan that follows a huge one must not pay for its table.
  void clear() noexcept {
    if (slots_.size > kInitialSlots) slots_.size = kInitialSlots;
    for (size_t i = 0; i < slots_.size; ++i) slots_[i].key = kEmpty;
    used_ = 0;
  }

  enum class Seen { kFirst, kBetter, kNothingNew };

  // Records an offer for a node < 2^32 - 1: its first, a better one for a node not yet expanded, or
  // neither.
  Seen offer(const Allocator &allocator, uint32_t node, float estimate) {
    Slot &slot = find(allocator, node);
    if (slot.key == kEmpty) {
      slot = {node, estimate, false};
      ++used_;
      return Seen::kFirst;
    }
    if (slot.expanded || estimate >= slot.best) return Seen::kNothingNew;
    slot.best = estimate;
    return Seen::kBetter;
  }

  // Marks the node expanded; false when it already was.
  bool expand(const Allocator &allocator, uint32_t node) {
    Slot &slot = find(allocator, node);
    if (slot.key == kEmpty) {
      slot = {node, 0.0f, true};
      ++used_;
      return true;
    }
    const bool first = !slot.expanded;
    slot.expanded = true;
    return first;
  }

  // Takes back an expansion that found another node in the place of the one offered: whoever offers the
  // right one shall be heard.
  void forget(const Allocator &allocator, uint32_t node) {
    Slot &slot = find(allocator, node);
    if (slot.key == kEmpty) return;
    slot.expanded = false;
    slot.best = std::numeric_limits<float>::infinity();
  }

  bool expanded(uint32_t node) const noexcept {
    if (slots_.size == 0) return false;
    for (size_t i = hash(node);; i = (i + 1) & (slots_.size - 1)) {
      const Slot &slot = slots_[i];
      if (slot.key == kEmpty) return false;
      if (slot.key == node) return slot.expanded;
    }
  }

  size_t used() const noexcept { return used_; }
  size_t bytes() const noexcept { return slots_.capacity * sizeof(Slot); }

 private:
  static constexpr uint32_t kEmpty = 0xffffffffu;
  static constexpr size_t kInitialSlots = 1024;

  struct Slot {
    uint32_t key;
    float best;
    bool expanded;
  };

  size_t hash(uint32_t node) const noexcept {
    return (node * 0x9e3779b97f4a7c15ull >> 32) & (slots_.size - 1);
  }

  Slot &find(const Allocator &allocator, uint32_t node) {
    if (used_ * 2 >= slots_.size) grow(allocator);
    size_t i = hash(node);
    while (slots_[i].key != kEmpty && slots_[i].key != node) i = (i + 1) & (slots_.size - 1);
    return slots_[i];
  }

  void grow(const Allocator &allocator) {
    const Array<Slot> old = slots_;
    slots_ = {};
    const size_t wanted = old.size == 0 ? kInitialSlots : old.size * 2;
    slots_.reserve(allocator, wanted);
    slots_.size = wanted;
    for (size_t i = 0; i < wanted; ++i) slots_[i].key = kEmpty;
    for (const Slot &slot : old) {
      if (slot.key == kEmpty) continue;
      size_t i = hash(slot.key);
      while (slots_[i].key != kEmpty) i = (i + 1) & (wanted - 1);
      slots_[i] = slot;
    }
    if (old.data != nullptr) allocator.resize(allocator.context, old.data, 0);
  }

  Array<Slot> slots_;
  size_t used_ = 0;
};

}  // namespace vann::graph
