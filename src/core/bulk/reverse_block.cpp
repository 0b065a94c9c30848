// reverse_block.cpp — two passes over the file: count, then place. A row with more edges than room
// keeps the nearest in a heap.
#include "core/bulk/reverse_block.hpp"

#include <algorithm>
#include <numeric>

#include "core/build/prune.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

constexpr size_t kReadEdges = size_t{64} << 10;

template <class Visit>
void for_each_edge(spill::BufferedFile &file, Visit &&visit) {
  std::vector<ReverseEdge> edges;
  const uint64_t count = file.size() / sizeof(ReverseEdge);
  for (uint64_t first = 0; first < count; first += edges.size()) {
    edges.resize(static_cast<size_t>(std::min<uint64_t>(kReadEdges, count - first)));
    file.read(first * sizeof(ReverseEdge), edges.data(), edges.size() * sizeof(ReverseEdge));
    for (const ReverseEdge &edge : edges) visit(edge);
  }
}

}  // namespace

ReverseBlock::ReverseBlock(spill::BufferedFile file, uint32_t base, uint32_t rows, size_t most)
    : filled_(rows), begin_(size_t{rows} + 1) {
  for_each_edge(file, [&](const ReverseEdge &edge) { ++filled_[edge.target - base]; });
  allot(most);
  for_each_edge(file, [&](const ReverseEdge &edge) {
    offer(edge.target - base, build::make_candidate(edge.distance, edge.source));
  });
}

void ReverseBlock::allot(size_t most) {
  const auto room = [&](size_t cap) {
    return std::accumulate(filled_.begin(), filled_.end(), size_t{0}, [cap](size_t sum, uint32_t n) {
      return sum + std::min<size_t>(n, cap);
    });
  };
  const size_t share = std::max<size_t>(1, most / std::max<size_t>(1, filled_.size()));
  size_t cap = build::kReverseCap;
  while (cap > share && room(cap) > most) cap = std::max(share, cap - (cap + 3) / 4);
  for (size_t row = 0; row < filled_.size(); ++row)
    begin_[row + 1] = begin_[row] + std::min<size_t>(filled_[row], cap);
  edges_.resize(begin_.back());
  std::fill(filled_.begin(), filled_.end(), 0);
}

void ReverseBlock::offer(uint32_t row, build::Candidate edge) {
  const auto first = edges_.begin() + static_cast<ptrdiff_t>(begin_[row]);
  const auto end = edges_.begin() + static_cast<ptrdiff_t>(begin_[row + 1]);
  const auto last = first + filled_[row];
  if (last != end) {
    *last = edge;
    if (++filled_[row] == end - first) std::make_heap(first, end);
    return;
  }
  if (edge >= *first) return;
  std::pop_heap(first, end);
  *(end - 1) = edge;
  std::push_heap(first, end);
}

}  // namespace vann::bulk
