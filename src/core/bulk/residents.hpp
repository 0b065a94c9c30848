// residents.hpp — the rows whose codes a stretch of work needs in memory, and stages that name rows by
// their place there.
#pragma once

#include <span>
#include <vector>

#include "core/build/candidate.hpp"
#include "core/build/code_group.hpp"
#include "core/bulk/row_file.hpp"

namespace vann::bulk {

class Residents {
 public:
  // Of rows below `rows`; `capacity` of them at once, and what one row more brings.
  Residents(size_t rows, size_t dims, size_t capacity)
      : capacity_(capacity), members_(rows), codes_(dims) {}

  void clear() noexcept { members_.clear(); }
  void add(uint32_t row) noexcept { members_.add(row); }
  bool contains(uint32_t row) const noexcept { return members_.contains(row); }
  size_t size() const noexcept { return members_.size(); }
  bool is_full() const noexcept { return members_.size() >= capacity_; }
  // Reads the codes; no add() after that. There are more than `least` members then, if there are so
  // many rows. Throws spill::SpillFailed, std::bad_alloc.
  void load(RowFile &rows, size_t least) {
    for (uint32_t row = 0; members_.size() <= least && row < rows.rows(); ++row) members_.add(row);
    members_.index();
    rows.gather(members_, codes_);
    numbers_.clear();
    members_.for_each([this](uint32_t row) { numbers_.push_back(row); });
    set_ = codes_.set();
  }

  const IdSet &members() const noexcept { return members_; }
  const RowBlock &codes() const noexcept { return codes_; }
  build::RowView view() const noexcept { return {set_, nullptr, set_.rows}; }
  uint32_t place(uint32_t row) const noexcept { return members_.rank(row); }
  uint32_t number(uint32_t place) const noexcept { return numbers_[place]; }

  // Candidates with places for row numbers, and back. Both keep their order. Free slots stay.
  void to_places(std::span<build::Candidate> list) const noexcept {
    for (build::Candidate &candidate : list) {
      if (candidate == build::kNoCandidate) continue;
      candidate = renamed(candidate, members_.rank(build::row_of(candidate)));
    }
  }
  void to_numbers(std::span<build::Candidate> list) const noexcept {
    for (build::Candidate &candidate : list) {
      if (candidate == build::kNoCandidate) continue;
      candidate = renamed(candidate, numbers_[build::row_of(candidate)]);
    }
  }

 private:
  static build::Candidate renamed(build::Candidate candidate, uint32_t row) noexcept {
    return build::make_candidate(build::distance_of(candidate), row);
  }

  size_t capacity_;
  IdSet members_;
  RowBlock codes_;
  build::VectorSet set_{};
  PageVector<uint32_t> numbers_;  // [members]
};

}  // namespace vann::bulk
