// id_set.hpp — a set of row numbers as a bitmap that also tells a member's rank: which rows are in
// memory, and where. A bit and a half per possible row.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vann::bulk {

class IdSet {
 public:
  // Numbers below `limit`.
  explicit IdSet(size_t limit) : words_((limit + kWordBits - 1) / kWordBits), ranks_(words_.size()) {}

  // Any order. False: it was there. rank() needs index() afterwards.
  bool add(uint32_t id) noexcept {
    uint64_t &word = words_[id / kWordBits];
    const uint64_t bit = uint64_t{1} << id % kWordBits;
    const bool added = (word & bit) == 0;
    word |= bit;
    size_ += added;
    return added;
  }
  bool contains(uint32_t id) const noexcept {
    return (words_[id / kWordBits] >> id % kWordBits & 1) != 0;
  }
  size_t size() const noexcept { return size_; }

  // Makes ranks; to be called after the last add() and before rank().
  void index() noexcept {
    uint32_t before = 0;
    for (size_t i = 0; i < words_.size(); ++i) {
      ranks_[i] = before;
      before += static_cast<uint32_t>(std::popcount(words_[i]));
    }
  }
  // How many members are below this member.
  uint32_t rank(uint32_t id) const noexcept {
    const uint64_t below = words_[id / kWordBits] & ((uint64_t{1} << id % kWordBits) - 1);
    return ranks_[id / kWordBits] + static_cast<uint32_t>(std::popcount(below));
  }

  // Members in ascending order.
  template <class Visit>
  void for_each(Visit &&visit) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t rest = words_[i]; rest != 0; rest &= rest - 1) {
        visit(static_cast<uint32_t>(i * kWordBits + static_cast<size_t>(std::countr_zero(rest))));
      }
    }
  }

  void clear() noexcept {
    std::fill(words_.begin(), words_.end(), 0);
    size_ = 0;
  }

 private:
  static constexpr size_t kWordBits = 64;

  std::vector<uint64_t> words_;
  std::vector<uint32_t> ranks_;  // [words] members before the word
  size_t size_ = 0;
};

}  // namespace vann::bulk
