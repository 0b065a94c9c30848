// graph_builder.cpp — runs the stages of a build in turn. Rows are numbered by rank (partition
// order), so that near rows are near in memory.
#include "core/build/graph_builder.hpp"

#include <algorithm>
#include <numeric>

#include "core/build/candidate_lists.hpp"
#include "core/build/code_group.hpp"
#include "core/build/connect.hpp"
#include "core/build/entry.hpp"
#include "core/build/partition.hpp"
#include "core/build/prune.hpp"
#include "core/parallel/team.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::build {
namespace {

// Every row linked to every other: sets of at most degree + 1 rows.
void link_all(const RowView &view, Graph &graph) {
  const auto rows = static_cast<uint32_t>(view.size());
  std::vector<Candidate> list;
  for (uint32_t row = 0; row < rows; ++row) {
    list.clear();
    for (uint32_t other = 0; other < rows; ++other) {
      if (other != row) list.push_back(make_candidate(view.distance(row, other), other));
    }
    std::sort(list.begin(), list.end());
    std::transform(list.begin(), list.end(),
                   graph.neighbors.begin() + static_cast<ptrdiff_t>(size_t{row} * graph.degree),
                   row_of);
  }
}

// Takes the marks of connecting off the neighbors and sorts them by distance.
void write_neighbors(CandidateLists &lists, parallel::Team &team, Graph &graph) {
  const parallel::Loop loop{static_cast<int>(Stage::kConnect), graph.rows, 4096, graph.rows,
                            graph.rows};
  team.run(loop, [&](parallel::Worker &, size_t begin, size_t end) {
    for (size_t rank = begin; rank < end; ++rank) {
      const auto list = lists.list(static_cast<uint32_t>(rank)).first(graph.degree);
      std::transform(list.begin(), list.end(), list.begin(), unmarked);
      std::sort(list.begin(), list.end());
      uint32_t *out = graph.neighbors.data() + rank * graph.degree;
      for (const Candidate neighbor : list) *out++ = row_of(neighbor);
    }
  });
}

// Room for all lists. The first touch of gigabytes takes long, so it is done in steps.
void allocate_neighbors(parallel::Team &team, Graph &graph) {
  constexpr size_t kStep = size_t{8} << 20;
  const size_t total = graph.rows * graph.degree;
  graph.neighbors.reserve(total);
  while (graph.neighbors.size() < total) {
    team.poll(static_cast<int>(Stage::kConnect), graph.rows, graph.rows);
    graph.neighbors.resize(std::min(total, graph.neighbors.size() + kStep));
  }
}

// The view by rank, given the numbering by position.
std::vector<uint32_t> numbers_by_rank(const RowView &view, std::span<const uint32_t> order) {
  std::vector<uint32_t> numbers(order.size());
  std::transform(order.begin(), order.end(), numbers.begin(),
                 [&](uint32_t position) { return static_cast<uint32_t>(view.number(position)); });
  return numbers;
}

void build_links(const VectorSet &set, const RowView &by_position, const GraphParams &params,
                 parallel::Team &team, Graph &graph) {
  Partition partition = partition_rows(by_position, params, team);
  graph.order = std::move(partition.order);
  const std::vector<uint32_t> numbers = numbers_by_rank(by_position, graph.order);
  const RowView view(set, numbers.data(), numbers.size());

  const size_t length = std::max(params.candidates, params.degree);
  const size_t kept_per_leaf = partition.exhaustive ? length : params.kept_per_leaf;
  CandidateLists lists(view.size(), length, team);
  fill_from_leaves(view, partition, kept_per_leaf, lists, team);
  partition = {};

  KeptCounts kept = prune_candidates(view, params.degree, lists, team);
  prune_with_reverse(view, params.degree, params.seed, lists, kept, team);
  graph.entry = find_entry(view, team);
  ListLinks links(view, params.degree, lists);
  connect_rows(links, graph.entry, team);
  allocate_neighbors(team, graph);
  write_neighbors(lists, team, graph);
}

}  // namespace

Graph build_graph(const VectorSet &set, const GraphParams &params, parallel::Monitor &monitor) {
  Graph graph;
  graph.rows = set.size();
  graph.degree = params.degree;
  if (graph.rows == 0) return graph;

  parallel::Team team(params.threads, monitor);
  const RowView by_position(set, set.subset.empty() ? nullptr : set.subset.data(), graph.rows);
  if (graph.rows > params.degree) {
    build_links(set, by_position, params, team, graph);
    return graph;
  }
  graph.order.resize(graph.rows);
  std::iota(graph.order.begin(), graph.order.end(), 0u);
  graph.entry = find_entry(by_position, team);
  graph.neighbors.assign(graph.rows * graph.degree, kNoRow);
  link_all(by_position, graph);
  return graph;
}

}  // namespace vann::build
