// offer_map.hpp — which nodes a search has seen: node -> best estimate offered, or "expanded".
// Open addressing, linear probing, grows at half load. Memory: 24 to 48 bytes per node seen.
#pragma once

#include <limits>

#include "core/base/array.hpp"

namespace vann::graph {

class OfferMap {
 public:
  // Takes no time: slots of earlier rounds count as empty. Starts small again: a scan that follows a
  // huge one must not miss the cache for its table.
  void clear() noexcept {
    if (slots_.size > kInitialSlots) slots_.size = kInitialSlots;
    used_ = 0;
    if (++round_ < kRounds) return;
    round_ = 1;
    for (size_t i = 0; i < slots_.capacity; ++i) slots_[i].round = 0;
  }

  enum class Seen { kFirst, kBetter, kNothingNew };

  // Records an offer for a node < 2^32 - 1: its first, a better one for a node not yet expanded, or
  // neither.
  Seen offer(const Allocator &allocator, uint32_t node, float estimate) {
    Slot &slot = find(allocator, node);
    if (empty(slot)) {
      slot = {node, estimate, round_, false};
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
    if (empty(slot)) {
      slot = {node, 0.0f, round_, true};
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
    if (empty(slot)) return;
    slot.expanded = false;
    slot.best = std::numeric_limits<float>::infinity();
  }

  bool expanded(uint32_t node) const noexcept {
    if (slots_.size == 0) return false;
    for (size_t i = hash(node);; i = (i + 1) & (slots_.size - 1)) {
      const Slot &slot = slots_[i];
      if (empty(slot)) return false;
      if (slot.key == node) return slot.expanded;
    }
  }

  size_t used() const noexcept { return used_; }
  size_t bytes() const noexcept { return slots_.capacity * sizeof(Slot); }

 private:
  static constexpr size_t kInitialSlots = 1024;
  static constexpr uint32_t kRounds = 1u << 31;

  struct Slot {
    uint32_t key;
    float best;
    uint32_t round : 31;  // that filled it; no round has number 0
    uint32_t expanded : 1;
  };

  bool empty(const Slot &slot) const noexcept { return slot.round != round_; }

  size_t hash(uint32_t node) const noexcept {
    return (node * 0x9e3779b97f4a7c15ull >> 32) & (slots_.size - 1);
  }

  Slot &find(const Allocator &allocator, uint32_t node) {
    if (used_ * 2 >= slots_.size) grow(allocator);
    size_t i = hash(node);
    while (!empty(slots_[i]) && slots_[i].key != node) i = (i + 1) & (slots_.size - 1);
    return slots_[i];
  }

  void grow(const Allocator &allocator) {
    const Array<Slot> old = slots_;
    slots_ = {};
    const size_t wanted = old.size == 0 ? kInitialSlots : old.size * 2;
    slots_.reserve(allocator, wanted);
    slots_.size = wanted;
    for (Slot &slot : slots_) slot.round = 0;
    for (const Slot &slot : old) {
      if (empty(slot)) continue;
      size_t i = hash(slot.key);
      while (!empty(slots_[i])) i = (i + 1) & (wanted - 1);
      slots_[i] = slot;
    }
    if (old.data != nullptr) allocator.resize(allocator.context, old.data, 0);
  }

  Array<Slot> slots_;
  size_t used_ = 0;
  uint32_t round_ = 1;
};

}  // namespace vann::graph
