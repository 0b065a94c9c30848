// reverse_block.hpp — the edges into the rows of one block, from a file, grouped by target.
#pragma once

#include <span>
#include <vector>

#include "core/base/pages.hpp"
#include "core/build/candidate.hpp"
#include "core/spill/buffered_file.hpp"

namespace vann::bulk {

// An edge as the file of its target's block has it.
struct ReverseEdge {
  uint32_t target;
  uint32_t source;
  float distance;
};

class ReverseBlock {
 public:
  // Reads the edges into rows [base, base + rows) and keeps the nearest of each row: as many as the
  // second prune looks at, or fewer where that would be more than `most` edges in all; a row's fair
  // share of `most` is always kept. Throws spill::SpillFailed, std::bad_alloc.
  ReverseBlock(spill::BufferedFile file, uint32_t base, uint32_t rows, size_t most);

  // Edges into row base + row as (distance, source), in any order; the caller may change them.
  std::span<build::Candidate> into(uint32_t row) noexcept {
    return {edges_.data() + begin_[row], edges_.data() + begin_[row] + filled_[row]};
  }

 private:
  void allot(size_t most);
  void offer(uint32_t row, build::Candidate edge);

  std::vector<uint32_t> filled_;  // [rows] edges so far; while counting, all there are
  std::vector<size_t> begin_;     // [rows + 1] room of each row
  PageVector<build::Candidate> edges_;
};

}  // namespace vann::bulk
