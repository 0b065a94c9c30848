// list_files.hpp — candidate lists and edges between the stages over files, one file for each block of
// rows that will be worked on at once.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "core/build/candidate_lists.hpp"
#include "core/bulk/placed_rows.hpp"

namespace vann::bulk {

// Which block a row belongs to.
class BlockMap {
 public:
  explicit BlockMap(std::span<const uint32_t> block_begin) : begin_(block_begin) {}
  size_t block_of(uint32_t row) const noexcept {
    return static_cast<size_t>(std::upper_bound(begin_.begin(), begin_.end(), row) -
                               begin_.begin()) - 1;
  }

 private:
  std::span<const uint32_t> begin_;
};

// Lists of candidates that groups of cells found for the rows of a block: row, count, candidates.
struct PartialLists {
  spill::BufferedFile file;

  void append(uint32_t row, std::span<const build::Candidate> list) {
    const uint32_t head[2] = {row, static_cast<uint32_t>(list.size())};
    file.append(head, sizeof head);
    file.append(list.data(), list.size_bytes());
  }
};

// Makes one file per block.
std::vector<spill::BufferedFile> block_files(size_t blocks, const Context &context);

// Compares the rows of all leaves of all cells and writes what each row found, by block. Frees the
// entries.
std::vector<PartialLists> compare_cells(PlacedRows &placed, const Context &context);

// What pruning leaves of each row: its list, neighbors first, and how many these are.
struct PrunedLists {
  spill::BufferedFile lists;   // [rows][list_length]
  spill::BufferedFile kept;    // [rows] uint16_t
  std::vector<spill::BufferedFile> reverse;  // by block of the target
};

PrunedLists prune_lists(PlacedRows &placed, std::vector<PartialLists> partial,
                        const Context &context);

// Second prune, with the reverse edges: [rows][degree] candidates, kept ones first.
std::unique_ptr<spill::BufferedFile> add_reverse_edges(PlacedRows &placed, PrunedLists pruned,
                                                       const Context &context);

}  // namespace vann::bulk
