// id_set.hpp — a set of row numbers as a bitmap that also tells a member's rank: which rows are in
// memory, and where. A bit and a half per possible row.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/build/bitmap.hpp"

namespace vann::bulk {

class IdSet {
 public:
  // Of numbers below `limit`; empty. Throws std::bad_alloc.
  explicit IdSet(size_t limit) : bits_(limit), ranks_(bits_.words().size()) {}

  // In any order. rank() needs index() afterwards.
  void add(uint32_t id) noexcept {
    size_ += !bits_.has(id);
    bits_.add(id);
  }
  bool contains(uint32_t id) const noexcept { return bits_.has(id); }
  size_t size() const noexcept { return size_; }
  void clear() noexcept {
    bits_.clear();
    size_ = 0;
  }

  // Makes ranks; to be called after the last add() and before rank().
  void index() noexcept {
    uint32_t before = 0;
    for (size_t i = 0; i < ranks_.size(); ++i) {
      ranks_[i] = before;
      before += static_cast<uint32_t>(std::popcount(bits_.words()[i]));
    }
  }
  // How many members are below this member.
  uint32_t rank(uint32_t id) const noexcept {
    constexpr size_t kBits = build::Bitmap::kWordBits;
    const uint64_t below = bits_.words()[id / kBits] & ((uint64_t{1} << id % kBits) - 1);
    return ranks_[id / kBits] + static_cast<uint32_t>(std::popcount(below));
  }

  // Members in ascending order.
  template <class Visit>
  void for_each(Visit &&visit) const {
    for (size_t id = bits_.first(0, bits_.size()); id < bits_.size();
         id = bits_.first(id + 1, bits_.size()))
      visit(static_cast<uint32_t>(id));
  }

 private:
  build::Bitmap bits_;
  std::vector<uint32_t> ranks_;  // [words] members before the word
  size_t size_ = 0;
};

}  // namespace vann::bulk
