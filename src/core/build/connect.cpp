// connect.cpp — a search from the entry in passes over the rows, with repair as it goes. Edges of the
// search tree are marked in their slots, and only others are ever replaced: a repair cannot cut off
// what was reached.
#include "core/build/connect.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>
#include <span>
#include <vector>

#include "core/build/bitmap.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::build {
namespace {

// A poll comes after this many accesses, each of which may wait for a disk; every so many rows of a
// load count as one more.
constexpr size_t kPollAccesses = 256;
constexpr size_t kRowsPerAccess = 64;
// Waiting rows this far apart are not loaded together, so no graph makes a search load more than this
// many rows for each.
constexpr size_t kGap = 64;
// Reached rows that are compared with a row whose own neighbors are all unreached.
constexpr size_t kProbes = 1024;
constexpr int kStage = static_cast<int>(Stage::kConnect);

class Connector {
 public:
  Connector(Links &links, parallel::Team &team)
      : links_(links), team_(team), rows_(links.rows()), degree_(links.degree()), reached_(rows_),
        waiting_(rows_), waiting_blocks_((rows_ + kBlockRows - 1) / kBlockRows) {}

  size_t run(uint32_t entry);

 private:
  static constexpr size_t kBlockRows = Links::kRowsAtOnce;

  void poll() { team_.poll(kStage, reached_rows_, rows_); }
  void count_accesses(size_t count);
  Candidate *load(uint32_t row, bool changes);
  void reach(uint32_t row) noexcept;
  void search();
  void expand_block(size_t block);
  size_t end_of_stretch(size_t begin, size_t limit) const noexcept;
  void expand_stretch(size_t begin, size_t end);
  void expand(size_t row, Candidate *slots) noexcept;
  bool link_from(uint32_t source, float distance, uint32_t row);
  bool link_from_neighbors(uint32_t row);
  void link_from_anywhere(uint32_t row);
  std::vector<uint32_t> spread_over_reached() const;

  Links &links_;
  parallel::Team &team_;
  size_t rows_;
  size_t degree_;
  Bitmap reached_;
  Bitmap waiting_;         // reached, and their neighbors are not yet
  Bitmap waiting_blocks_;  // blocks that hold such rows
  size_t reached_rows_ = 0;
  uint32_t last_reached_ = kNoRow;
  size_t accesses_ = 0;  // since the last poll
};

void Connector::count_accesses(size_t count) {
  accesses_ += count;
  if (accesses_ < kPollAccesses) return;
  accesses_ = 0;
  poll();
}

// One row's slots.
Candidate *Connector::load(uint32_t row, bool changes) {
  count_accesses(1);
  return links_.load(row, 1, changes).first;
}

void Connector::reach(uint32_t row) noexcept {
  reached_.add(row);
  waiting_.add(row);
  waiting_blocks_.add(row / kBlockRows);
  ++reached_rows_;
  last_reached_ = row;
}

// Waves: passes over the blocks in which rows wait, in ascending order, until none waits.
void Connector::search() {
  const size_t blocks = waiting_blocks_.size();
  for (size_t block = waiting_blocks_.first(0, blocks); block < blocks;) {
    expand_block(block);
    block = waiting_blocks_.first(block + 1, blocks);
    if (block == blocks) block = waiting_blocks_.first(0, blocks);
  }
}

// Expands rows of the block until none waits: those that it reaches in the block itself, too.
void Connector::expand_block(size_t block) {
  const size_t begin = block * kBlockRows;
  const size_t end = std::min(begin + kBlockRows, rows_);
  for (size_t first = begin; (first = waiting_.first(begin, end)) < end;) {
    expand_stretch(first, end_of_stretch(first, end));
  }
  waiting_blocks_.remove(block);
}

// The end of the waiting rows from `begin` on that are less than kGap apart.
size_t Connector::end_of_stretch(size_t begin, size_t limit) const noexcept {
  for (size_t end = begin + 1;;) {
    const size_t farthest = std::min(end + kGap, limit);
    const size_t next = waiting_.first(end, farthest);
    if (next == farthest) return end;
    end = next + 1;
  }
}

void Connector::expand_stretch(size_t begin, size_t end) {
  count_accesses(1 + (end - begin) / kRowsPerAccess);
  const Links::Rows loaded = links_.load(static_cast<uint32_t>(begin), end - begin, true);
  for (size_t row = begin; row < end;) {
    expand(row, loaded.first + (row - begin) * loaded.stride);
    row = waiting_.first(row + 1, end);
    if (row == end) row = waiting_.first(begin, end);
  }
}

void Connector::expand(size_t row, Candidate *slots) noexcept {
  waiting_.remove(row);
  for (Candidate &slot : std::span(slots, degree_)) {
    const uint32_t neighbor = row_of(unmarked(slot));
    if (reached_.has(neighbor)) continue;
    slot |= kTreeEdge;
    reach(neighbor);
  }
}

// Replaces the last slot of a reached row that is not an edge of the tree: fillers come last, far
// ones after near ones. False when all are.
bool Connector::link_from(uint32_t source, float distance, uint32_t row) {
  Candidate *const slots = load(source, true);
  for (size_t i = degree_; i-- > 0;) {
    if (is_tree_edge(slots[i])) continue;
    slots[i] = make_candidate(distance, row) | kTreeEdge;
    reach(row);
    return true;
  }
  return false;
}

bool Connector::link_from_neighbors(uint32_t row) {
  const Candidate *const slots = load(row, false);
  std::vector<Candidate> reached;
  std::copy_if(slots, slots + degree_, std::back_inserter(reached),
               [&](Candidate slot) { return reached_.has(row_of(slot)); });
  // Its first slots are its kept neighbors, nearest first, which is near enough to the best order.
  return std::any_of(reached.begin(), reached.end(), [&](Candidate source) {
    return link_from(row_of(source), distance_of(source), row);
  });
}

void Connector::link_from_anywhere(uint32_t row) {
  std::vector<Candidate> nearest;
  for (const uint32_t source : spread_over_reached()) {
    count_accesses(1);
    nearest.push_back(make_candidate(links_.distance(source, row), source));
  }
  std::sort(nearest.begin(), nearest.end());
  for (const Candidate source : nearest) {
    if (link_from(row_of(source), distance_of(source), row)) return;
  }
  // The last row reached has no children yet: all its slots can be replaced.
  const uint32_t source = last_reached_;
  link_from(source, links_.distance(source, row), row);
}

// Up to kProbes reached rows, by equal steps among all of them.
std::vector<uint32_t> Connector::spread_over_reached() const {
  const size_t count = std::min(kProbes, reached_rows_);
  std::vector<uint32_t> probes(count);
  const auto words = reached_.words();
  size_t word = 0;
  size_t before = 0;  // reached rows in the words before
  for (size_t i = 0; i < count; ++i) {
    const size_t wanted = reached_rows_ * i / count;
    size_t inside = std::popcount(words[word]);
    while (before + inside <= wanted) {
      before += inside;
      inside = std::popcount(words[++word]);
    }
    uint64_t rest = words[word];
    for (size_t skipped = before; skipped < wanted; ++skipped) rest &= rest - 1;
    probes[i] = static_cast<uint32_t>(word * Bitmap::kWordBits + std::countr_zero(rest));
  }
  return probes;
}

size_t Connector::run(uint32_t entry) {
  size_t replaced = 0;
  reach(entry);
  search();
  for (uint32_t row = 0; row < rows_ && reached_rows_ < rows_; ++row) {
    if (reached_.has(row)) continue;
    // All reached rows are expanded, so a slot that is not marked leads to a row that is reached
    // without it.
    if (!link_from_neighbors(row)) link_from_anywhere(row);
    ++replaced;
    search();
  }
  poll();
  return replaced;
}

}  // namespace

size_t connect_rows(Links &links, uint32_t entry, parallel::Team &team) {
  return Connector(links, team).run(entry);
}

}  // namespace vann::build
