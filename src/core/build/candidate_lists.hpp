// candidate_lists.hpp — the bounded candidate list of every row, filled by many threads at once,
// and the stage that fills them: all pairs of every leaf.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "core/build/candidate.hpp"
#include "core/build/code_group.hpp"
#include "core/build/partition.hpp"
#include "core/parallel/team.hpp"

namespace vann::build {

// One ascending list of fixed length per row, in one array; free slots hold kNoCandidate. The
// contents depend only on which candidates were merged, so any order of leaves gives the same.
class CandidateLists {
 public:
  // All lists empty. Throws parallel::Cancelled, std::bad_alloc.
  CandidateLists(size_t rows, size_t length, parallel::Team &team);

  // Empties all lists and makes them `rows` lists, in the same memory if it suffices. Throws
  // parallel::Cancelled, std::bad_alloc.
  void reset(size_t rows, Stage stage, parallel::Team &team);

  size_t rows() const noexcept { return rows_; }
  size_t length() const noexcept { return length_; }

  // Merges ascending candidates into a row's list; any thread.
  void merge(uint32_t row, std::span<const Candidate> candidates) noexcept;
  // Candidates at or beyond this need not be merged; any thread.
  Candidate bound(uint32_t row) noexcept;

  // Unlocked access for stages in which each row has one owner.
  std::span<Candidate> list(uint32_t row) noexcept {
    return {slots_.data() + row * length_, length_};
  }
  std::span<const Candidate> list(uint32_t row) const noexcept {
    return {slots_.data() + row * length_, length_};
  }

 private:
  static constexpr size_t kLocks = 4096;  // a power of two; neighbors in rank use different ones

  size_t rows_;
  size_t length_;
  AlignedBuffer<Candidate> slots_;  // [rows][length]
  std::vector<std::mutex> locks_;
};

// Measures all pairs of every leaf and merges the `kept` nearest of each row and leaf. `view`
// numbers rows by rank, as the partition's members do. Throws parallel::Cancelled, std::bad_alloc.
void fill_from_leaves(const RowView &view, const Partition &partition, size_t kept,
                      CandidateLists &lists, parallel::Team &team);

}  // namespace vann::build
