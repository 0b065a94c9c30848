// bitmap.hpp — a set of numbers below a limit, one bit each, walked in ascending order.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vann::build {

class Bitmap {
 public:
  static constexpr size_t kWordBits = 64;

  // Of the numbers below `size`; empty. Throws std::bad_alloc.
  explicit Bitmap(size_t size) : size_(size), words_((size + kWordBits - 1) / kWordBits) {}

  size_t size() const noexcept { return size_; }
  std::span<const uint64_t> words() const noexcept { return words_; }
  bool has(size_t i) const noexcept { return (words_[i / kWordBits] >> i % kWordBits & 1) != 0; }
  void add(size_t i) noexcept { words_[i / kWordBits] |= uint64_t{1} << i % kWordBits; }
  void clear() noexcept { std::fill(words_.begin(), words_.end(), 0); }
  void remove(size_t i) noexcept { words_[i / kWordBits] &= ~(uint64_t{1} << i % kWordBits); }

  // The first member of [begin, end), end <= size(); `end` when there is none.
  size_t first(size_t begin, size_t end) const noexcept {
    if (begin >= end) return end;
    size_t i = begin / kWordBits;
    uint64_t rest = words_[i] >> begin % kWordBits << begin % kWordBits;
    while (rest == 0) {
      if (++i * kWordBits >= end) return end;
      rest = words_[i];
    }
    return std::min(end, i * kWordBits + static_cast<size_t>(std::countr_zero(rest)));
  }

 private:
  size_t size_;
  std::vector<uint64_t> words_;
};

}  // namespace vann::build
