// reverse_edges.hpp — all kept edges of a graph, grouped by the row they lead to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/build/candidate_lists.hpp"
#include "core/parallel/team.hpp"

namespace vann::build {

class ReverseEdges {
 public:
  // Collects the first kept[row] entries of every list: 8 bytes per edge and row. Reports as the
  // first two thirds of Stage::kReverse. Throws parallel::Cancelled, std::bad_alloc.
  ReverseEdges(const CandidateLists &lists, std::span<const uint16_t> kept, parallel::Team &team);

  // The edges into `row`, as (distance, source). Their order depends on the threads; their set does
  // not. The caller may reorder them.
  std::span<Candidate> into(uint32_t row) noexcept {
    return {edges_.get() + (row == 0 ? 0 : end_[row - 1]), edges_.get() + end_[row]};
  }

 private:
  std::vector<uint64_t> end_;  // [rows] end of each row's edges
  std::unique_ptr<Candidate[]> edges_;
};

}  // namespace vann::build
