// reverse_edges.cpp — a parallel counting sort of edges by target: count, sum, place. Sources are
// taken in rank order, so targets are mostly near each other in memory.
#include "core/build/reverse_edges.hpp"

#include <atomic>

#include "core/base/no_postgres.hpp"

namespace vann::build {

ReverseEdges::ReverseEdges(const CandidateLists &lists, std::span<const uint16_t> kept,
                           parallel::Team &team)
    : end_(lists.rows()) {
  const size_t rows = lists.rows();
  const auto for_each_edge = [&](uint64_t done_before, auto &&visit) {
    const parallel::Loop loop{static_cast<int>(Stage::kReverse), rows, 4096, done_before, 3 * rows};
    team.run(loop, [&](parallel::Worker &, size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const auto source = static_cast<uint32_t>(i);
        for (const Candidate edge : lists.list(source).first(kept[source])) visit(source, edge);
      }
    });
  };

  for_each_edge(0, [&](uint32_t, Candidate edge) {
    std::atomic_ref(end_[row_of(edge)]).fetch_add(1, std::memory_order_relaxed);
  });
  // Each end starts as its row's beginning and is moved to the end by the placing itself.
  uint64_t edges = 0;
  for (uint64_t &end : end_) {
    const uint64_t count = end;
    end = edges;
    edges += count;
  }
  edges_ = std::make_unique_for_overwrite<Candidate[]>(edges);
  for_each_edge(rows, [&](uint32_t source, Candidate edge) {
    const uint64_t slot =
        std::atomic_ref(end_[row_of(edge)]).fetch_add(1, std::memory_order_relaxed);
    edges_[slot] = make_candidate(distance_of(edge), source);
  });
}

}  // namespace vann::build
