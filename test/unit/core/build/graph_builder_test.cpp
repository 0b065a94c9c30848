// graph_builder_test.cpp — what every graph promises, for all sizes and shapes of data, any number
// of threads, and under cancellation; and the recall it gives.
#include "core/build/graph_builder.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "../parallel/monitors.hpp"
#include "byte_set.hpp"

namespace vann::build {
namespace {

using parallel::test::CancellingMonitor;
using parallel::test::RecordingMonitor;
using test::ByteSet;
using test::clustered_vectors;
using test::Vectors;

// Small leaves take a few thousand rows through every path of a large build.
GraphParams small_leaves(unsigned threads = 2) {
  GraphParams params;
  params.leaf_rows = 100;
  params.fanout = 6;
  params.threads = threads;
  return params;
}

Graph build(const VectorSet &set, const GraphParams &params) {
  RecordingMonitor monitor;
  return test::by_position(build_graph(set, params, monitor));
}

void expect_reachable(const Graph &graph) {
  std::vector<uint8_t> seen(graph.rows);
  std::vector<uint32_t> stack{graph.entry};
  seen[graph.entry] = 1;
  size_t reached = 0;
  while (!stack.empty()) {
    const uint32_t row = stack.back();
    stack.pop_back();
    ++reached;
    for (size_t i = 0; i < graph.degree; ++i) {
      const uint32_t other = graph.neighbors[row * size_t{graph.degree} + i];
      if (other == kNoRow || seen[other]) continue;
      seen[other] = 1;
      stack.push_back(other);
    }
  }
  EXPECT_EQ(reached, graph.rows);
}

void expect_sound(const Graph &graph, size_t rows, uint32_t degree) {
  ASSERT_EQ(graph.rows, rows);
  ASSERT_EQ(graph.degree, degree);
  ASSERT_EQ(graph.neighbors.size(), rows * degree);
  std::vector<uint32_t> order = graph.order;
  std::sort(order.begin(), order.end());
  std::vector<uint32_t> identity(rows);
  std::iota(identity.begin(), identity.end(), 0u);
  EXPECT_EQ(order, identity);
  if (rows == 0) {
    EXPECT_EQ(graph.entry, kNoRow);
    return;
  }
  ASSERT_LT(graph.entry, rows);
  const size_t expected = std::min<size_t>(degree, rows - 1);
  for (size_t row = 0; row < rows; ++row) {
    const uint32_t *list = graph.neighbors.data() + row * degree;
    const std::set<uint32_t> distinct(list, list + expected);
    ASSERT_EQ(distinct.size(), expected) << "row " << row;
    ASSERT_EQ(distinct.count(static_cast<uint32_t>(row)), 0u);
    for (const uint32_t neighbor : distinct) ASSERT_LT(neighbor, rows);
    for (size_t i = expected; i < degree; ++i) ASSERT_EQ(list[i], kNoRow);
  }
  expect_reachable(graph);
}

class GraphOf : public testing::TestWithParam<size_t> {};

TEST_P(GraphOf, IsSound) {
  const size_t rows = GetParam();
  const ByteSet data(clustered_vectors(rows, 40, 5, 0.6f, 17));
  for (const uint32_t degree : {32u, 64u}) {
    GraphParams params = small_leaves();
    params.degree = degree;
    expect_sound(build(data.set(), params), rows, degree);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, GraphOf,
                         testing::Values(0, 1, 2, 31, 32, 33, 34, 64, 65, 100, 301, 1000, 4000));

TEST(Graph, ListsAreSortedByDistance) {
  const ByteSet data(clustered_vectors(2000, 40, 5, 0.6f, 18));
  const Graph graph = build(data.set(), small_leaves());
  for (uint32_t row = 0; row < graph.rows; ++row) {
    const std::vector<float> decoded = data.decoded(row);
    float last = 0;
    for (size_t i = 0; i < graph.degree; ++i) {
      const float distance =
          data.distance(decoded, graph.neighbors[row * size_t{graph.degree} + i]);
      EXPECT_GE(distance, last - 1e-3f * (1 + last));
      last = distance;
    }
  }
}

TEST(Graph, LinksAllRowsOfATinySet) {
  const ByteSet data(clustered_vectors(20, 24, 2, 0.6f, 18));
  const Graph graph = build(data.set(), {});
  for (size_t row = 0; row < 20; ++row) {
    const auto list = graph.neighbors.begin() + static_cast<ptrdiff_t>(row * graph.degree);
    const auto nearest = test::exact_search(data, data.decoded(row), 20);
    EXPECT_EQ(nearest[0], row);
    EXPECT_TRUE(std::equal(nearest.begin() + 1, nearest.end(), list));
  }
}

TEST(Graph, IsTheSameForAnyNumberOfThreads) {
  const ByteSet data(clustered_vectors(6000, 40, 30, 0.4f, 19));
  const Graph one = build(data.set(), small_leaves(1));
  for (const unsigned threads : {2u, 3u}) {
    for (int repeat = 0; repeat < 2; ++repeat) {
      const Graph other = build(data.set(), small_leaves(threads));
      EXPECT_EQ(other.neighbors, one.neighbors);
      EXPECT_EQ(other.order, one.order);
      EXPECT_EQ(other.entry, one.entry);
    }
  }
}

TEST(Graph, DependsOnTheSeed) {
  const ByteSet data(clustered_vectors(3000, 40, 30, 0.4f, 19));
  GraphParams params = small_leaves();
  const Graph one = build(data.set(), params);
  params.seed = 1;
  EXPECT_NE(build(data.set(), params).neighbors, one.neighbors);
}

TEST(Graph, OfASubsetEqualsTheGraphOfACopy) {
  const Vectors vectors = clustered_vectors(3000, 40, 30, 0.4f, 23);
  const ByteSet data(vectors);
  std::vector<uint32_t> subset;
  for (uint32_t row = 5; row < 3000; row += 2) subset.push_back(row);
  std::reverse(subset.begin(), subset.end());

  const size_t stride = quantize::padded_dims(data.set().dims);
  std::vector<int8_t> values;
  std::vector<quantize::ByteCode> codes;
  for (const uint32_t row : subset) {
    const int8_t *from = data.set().values + row * stride;
    values.insert(values.end(), from, from + stride);
    codes.push_back(data.set().codes[row]);
  }
  const VectorSet copy{subset.size(), data.set().dims, values.data(), codes.data(), {}};
  const Graph graph = build(data.set(subset), small_leaves());
  expect_sound(graph, subset.size(), 32);
  const Graph expected = build(copy, small_leaves());
  EXPECT_EQ(graph.neighbors, expected.neighbors);
  EXPECT_EQ(graph.entry, expected.entry);
}

TEST(Graph, ReachesClustersFarApart) {
  // Each cluster is larger than all candidate lists together and far from every other.
  Vectors vectors = clustered_vectors(4000, 24, 1, 1.0f, 29);
  for (size_t row = 0; row < vectors.size(); ++row) {
    vectors[row][row % 8] += 1000.0f * static_cast<float>(1 + row % 16 / 8);
  }
  const ByteSet data(vectors);
  expect_sound(build(data.set(), small_leaves()), 4000, 32);
}

TEST(Graph, AcceptsManyNearDuplicates) {
  Vectors vectors = clustered_vectors(3000, 24, 3, 1.0f, 37);
  for (size_t row = 0; row < 2000; ++row) {
    vectors[row] = vectors[row % 4];
    vectors[row][row % 24] += 1e-4f * static_cast<float>(row);
  }
  const ByteSet data(vectors);
  expect_sound(build(data.set(), small_leaves()), 3000, 32);
}

TEST(Graph, AcceptsEqualCodes) {
  Vectors vectors = clustered_vectors(1500, 24, 3, 1.0f, 41);
  for (size_t row = 0; row < 900; ++row) vectors[row] = vectors[0];
  const ByteSet data(vectors);
  expect_sound(build(data.set(), small_leaves()), 1500, 32);
  const ByteSet zeros(Vectors(500, std::vector<float>(24, 0.0f)));
  expect_sound(build(zeros.set(), small_leaves()), 500, 32);
}

TEST(Graph, AcceptsDistancesThatOverflow) {
  Vectors vectors = clustered_vectors(1500, 24, 3, 1.0f, 43);
  for (size_t row = 0; row < vectors.size(); ++row) {
    for (float &x : vectors[row]) x *= row % 3 == 0 ? 1e30f : 1e18f;
  }
  const ByteSet data(vectors);
  expect_sound(build(data.set(), small_leaves()), 1500, 32);
}

TEST(Graph, ReportsEveryStageInOrderOnTheStartingThread) {
  const ByteSet data(clustered_vectors(4000, 24, 5, 0.6f, 47));
  RecordingMonitor monitor;
  build_graph(data.set(), small_leaves(), monitor);
  EXPECT_TRUE(monitor.on_starting_thread);
  std::set<int> stages;
  int last_stage = 0;
  for (const auto &report : monitor.reports) {
    EXPECT_GE(report.stage, last_stage);
    EXPECT_LE(report.done, report.total);
    last_stage = report.stage;
    stages.insert(report.stage);
  }
  EXPECT_EQ(stages.size(), static_cast<size_t>(Stage::kCount));
  EXPECT_EQ(monitor.reports.back().done, monitor.reports.back().total);
}

TEST(Graph, CancelsAtAnyPoll) {
  const ByteSet data(clustered_vectors(4000, 24, 5, 0.6f, 47));
  RecordingMonitor monitor;
  build_graph(data.set(), small_leaves(1), monitor);
  const auto tasks = [] {
    const std::filesystem::directory_iterator threads("/proc/self/task");
    return std::distance(begin(threads), end(threads));
  };
  const auto before = tasks();
  // Loops poll at their start and end at least, so a third of the polls of one run come again.
  for (int polls = 0; polls < 12; ++polls) {
    CancellingMonitor cancelling(polls);
    EXPECT_THROW(build_graph(data.set(), small_leaves(3), cancelling), parallel::Cancelled);
    EXPECT_EQ(tasks(), before);
  }
}

// Query recall of a graph over decoded codes against exact search over the same.
std::vector<std::vector<uint32_t>> true_neighbors(const ByteSet &data) {
  std::vector<std::vector<uint32_t>> truth;
  for (const auto &query : data.queries()) truth.push_back(test::exact_search(data, query, 10));
  return truth;
}

TEST(GraphRecall, OfClusteredVectors) {
  Vectors vectors = clustered_vectors(12200, 64, 100, 0.5f, 53, 16);
  const Vectors queries(vectors.end() - 200, vectors.end());
  vectors.resize(12000);
  const ByteSet data(vectors, queries);
  const Graph graph = build(data.set(), GraphParams{.threads = 2});
  const auto truth = true_neighbors(data);
  EXPECT_GE(test::mean_recall(data, graph, truth, 64), 0.97);
  EXPECT_GE(test::mean_recall(data, graph, truth, 200), 0.99);
}

// The 20,000 words, to unit length; the last of each hundred are the queries.
Vectors read_words() {
  const auto here = std::filesystem::absolute(__FILE__).parent_path();
  const auto path = here / "../../../data/words.tsv.gz";
  const std::string command = "gzip -dc '" + path.string() + "'";
  FILE *pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  Vectors words;
  char *line = nullptr;
  size_t capacity = 0;
  while (getline(&line, &capacity, pipe) > 0) {
    std::vector<float> word;
    double norm = 0;
    for (char *at = std::strchr(line, '['); at != nullptr && *at != ']';) {
      word.push_back(std::strtof(at + 1, &at));
      norm += static_cast<double>(word.back()) * static_cast<double>(word.back());
    }
    for (float &x : word) x /= static_cast<float>(std::sqrt(norm));
    words.push_back(std::move(word));
  }
  std::free(line);
  pclose(pipe);
  return words;
}

TEST(GraphRecall, OfWords) {
  Vectors base;
  Vectors queries;
  for (auto &word : read_words()) {
    ((base.size() + queries.size()) % 100 == 99 ? queries : base).push_back(std::move(word));
  }
  ASSERT_EQ(base.size(), 19800u);
  const ByteSet data(base, queries);
  const Graph graph = build(data.set(), GraphParams{.threads = 2});
  expect_sound(graph, 19800, 32);
  const auto truth = true_neighbors(data);
  EXPECT_GE(test::mean_recall(data, graph, truth, 64), 0.985);
  EXPECT_GE(test::mean_recall(data, graph, truth, 100), 0.993);
  EXPECT_GE(test::mean_recall(data, graph, truth, 200), 0.998);
}

}  // namespace
}  // namespace vann::build
