// candidate.hpp — a neighbor candidate as one integer that sorts by (distance, row), and the
// bounded lists that hold them. Ties are settled by row, so a list is a function of the set of
// candidates that were offered, never of their order.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace vann::build {

// Bits of the distance (a float >= +0, whose bits sort like its value) above the row number.
using Candidate = uint64_t;

inline constexpr Candidate kNoCandidate = std::numeric_limits<Candidate>::max();

// Rounding can put the distance of near-equal rows slightly below zero; that counts as zero.
constexpr Candidate make_candidate(float distance, uint32_t row) noexcept {
  const float clamped = distance > 0.0f ? distance : 0.0f;
  return static_cast<Candidate>(std::bit_cast<uint32_t>(clamped)) << 32 | row;
}

constexpr uint32_t row_of(Candidate candidate) noexcept { return static_cast<uint32_t>(candidate); }

// In a row number of a list while a graph is being connected: the edge is part of the search tree.
// Rows are below 2^31. Whoever reads a list of a connected graph reads unmarked() entries.
inline constexpr uint32_t kTreeEdge = 0x80000000u;

constexpr bool is_tree_edge(Candidate entry) noexcept { return (entry & kTreeEdge) != 0; }
constexpr Candidate unmarked(Candidate entry) noexcept { return entry & ~Candidate{kTreeEdge}; }

// Infinite for kNoCandidate.
constexpr float distance_of(Candidate candidate) noexcept {
  return candidate == kNoCandidate ? std::numeric_limits<float>::infinity()
                                   : std::bit_cast<float>(static_cast<uint32_t>(candidate >> 32));
}

// An ascending list without its free slots.
inline std::span<Candidate> without_free_slots(std::span<Candidate> list) noexcept {
  const auto end = std::lower_bound(list.begin(), list.end(), kNoCandidate);
  return list.first(static_cast<size_t>(end - list.begin()));
}

// Puts `candidate` into an ascending list of fixed length, dropping the last; free slots hold
// kNoCandidate. False: it was there already, or is beyond the end.
inline bool insert_candidate(std::span<Candidate> list, Candidate candidate) noexcept {
  if (candidate >= list.back()) return false;
  const auto slot = std::lower_bound(list.begin(), list.end(), candidate);
  if (*slot == candidate) return false;
  std::copy_backward(slot, list.end() - 1, list.end());
  *slot = candidate;
  return true;
}

// The nearest `count` of the candidates offered since reset(). Not for sharing between threads.
class NearestList {
 public:
  // Candidates at or beyond `bound` are not taken; count > 0.
  void reset(size_t count, Candidate bound) {
    list_.assign(count, kNoCandidate);
    bound_ = bound;
  }

  Candidate bound() const noexcept { return std::min(bound_, list_.back()); }

  void offer(Candidate candidate) noexcept {
    if (candidate < bound_) insert_candidate(list_, candidate);
  }

  // Offers every column of a row of distances; NaN is never taken. `distances` holds `columns`
  // floats, a multiple of 16; ids[column] is the row number to store.
  void offer_all(const float *distances, size_t columns, const uint32_t *ids) noexcept;

  // Ascending; shorter than `count` when fewer were taken.
  std::span<const Candidate> list() const noexcept {
    const auto end = std::lower_bound(list_.begin(), list_.end(), kNoCandidate);
    return {list_.data(), static_cast<size_t>(end - list_.begin())};
  }

 private:
  std::vector<Candidate> list_;
  Candidate bound_ = kNoCandidate;
};

}  // namespace vann::build
