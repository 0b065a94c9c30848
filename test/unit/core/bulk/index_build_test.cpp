// index_build_test.cpp — what a writer of pages may rely on, with all rows in memory and with most of
// them in files: every element once, sound and reachable graphs on all levels, all keys.
#include "core/bulk/index_build.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "support/stdio_space.hpp"
#include "unit/core/build/byte_set.hpp"
#include "unit/core/parallel/monitors.hpp"

namespace vann::bulk {
namespace {

using build::test::ByteSet;
using build::test::clustered_vectors;
using build::test::Vectors;
using parallel::test::CancellingMonitor;
using parallel::test::RecordingMonitor;
using vann::test::StdioSpace;

constexpr size_t kAmple = size_t{1} << 30;
constexpr size_t kTight = size_t{2} << 20;

Params params_for(size_t dims, size_t memory, unsigned threads = 2) {
  Params params;
  params.graph.leaf_rows = 100;
  params.graph.fanout = 6;
  params.graph.threads = threads;
  params.dims = dims;
  params.memory = memory;
  params.level_divisor = 32;
  params.max_level = 3;
  return params;
}

// Adds rows of a set in some order; the key of row i is keys[i], by default 10 i.
void add_rows(const build::VectorSet &set, std::span<const uint32_t> order, IndexBuild &build) {
  const size_t stride = quantize::padded_dims(set.dims);
  for (const uint32_t row : order)
    build.add(RowKey{row} * 10, set.codes[row], set.values + row * stride);
}

std::vector<uint32_t> in_order(size_t rows) {
  std::vector<uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

// A level copied out through load(), with what it says of keys and codes.
struct Copy {
  build::Graph graph;
  std::vector<RowKey> keys;
  std::vector<uint32_t> elements;
};

Copy copy_level(Level &level, const ByteSet &data, uint32_t degree, bool bottom) {
  Copy copy;
  copy.graph.rows = level.rows();
  copy.graph.degree = degree;
  copy.graph.entry = level.entry();
  const auto set = data.set();
  for (uint32_t begin = 0; begin < level.rows();) {
    const Stretch &stretch = level.load(begin, 777);
    EXPECT_EQ(stretch.begin, begin);
    EXPECT_GT(stretch.end, begin);
    EXPECT_LE(stretch.end, begin + 777);
    for (uint32_t number = begin; number < stretch.end; ++number) {
      const uint32_t *list = stretch.neighbors(number);
      copy.graph.neighbors.insert(copy.graph.neighbors.end(), list, list + degree);
      copy.elements.push_back(level.element(number));
      EXPECT_EQ(level.number_of(level.element(number)), number);
      if (!bottom) continue;
      copy.keys.push_back(stretch.key(number));
      const size_t row = stretch.key(number) / 10;
      EXPECT_EQ(std::memcmp(stretch.values(number), set.values + row * stretch.stride,
                            stretch.stride), 0);
      EXPECT_EQ(stretch.code(number).sum, set.codes[row].sum);
    }
    begin = stretch.end;
  }
  return copy;
}

void expect_sound(const build::Graph &graph) {
  const size_t expected = std::min<size_t>(graph.degree, graph.rows - 1);
  ASSERT_LT(graph.entry, graph.rows);
  std::vector<uint8_t> seen(graph.rows);
  std::vector<uint32_t> stack{graph.entry};
  seen[graph.entry] = 1;
  size_t reached = 0;
  for (; !stack.empty(); ++reached) {
    const uint32_t row = stack.back();
    stack.pop_back();
    const uint32_t *list = graph.neighbors.data() + size_t{row} * graph.degree;
    const std::set<uint32_t> distinct(list, list + expected);
    ASSERT_EQ(distinct.size(), expected) << "row " << row;
    ASSERT_EQ(distinct.count(row), 0u);
    for (size_t i = expected; i < graph.degree; ++i) ASSERT_EQ(list[i], build::kNoRow);
    for (const uint32_t other : distinct) {
      ASSERT_LT(other, graph.rows);
      if (!seen[other]) stack.push_back(other);
      seen[other] = 1;
    }
  }
  EXPECT_EQ(reached, graph.rows);
}

class Memory : public testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(IndexBuild, Memory, testing::Values(kAmple, kTight));

TEST_P(Memory, LinksEveryElementOnEveryLevel) {
  const ByteSet data(clustered_vectors(20000, 32, 50, 0.5f, 3));
  StdioSpace space;
  RecordingMonitor monitor;
  const Params params = params_for(data.set().dims, GetParam());
  IndexBuild index(params, space, monitor);
  add_rows(data.set(), in_order(data.size()), index);
  EXPECT_EQ(index.rows(), data.size());
  index.link();
  EXPECT_EQ(index.spilled(), GetParam() == kTight);

  ASSERT_GE(index.levels(), 3u);
  const Copy bottom = copy_level(index.level(0), data, 32, true);
  expect_sound(bottom.graph);
  std::vector<RowKey> keys = bottom.keys;
  std::sort(keys.begin(), keys.end());
  ASSERT_EQ(keys.size(), data.size());
  for (size_t row = 0; row < keys.size(); ++row) ASSERT_EQ(keys[row], row * 10);

  std::set<uint32_t> below(bottom.elements.begin(), bottom.elements.end());
  size_t expected = data.size();
  for (size_t level = 1; level < index.levels(); ++level) {
    expected /= 32;
    const Copy copy = copy_level(index.level(level), data, 32, false);
    if (copy.graph.rows > 1) expect_sound(copy.graph);
    if (level == 1) {
      EXPECT_GT(copy.graph.rows, expected / 2);
      EXPECT_LT(copy.graph.rows, expected * 2);
    }
    const std::set<uint32_t> here(copy.elements.begin(), copy.elements.end());
    EXPECT_EQ(here.size(), copy.graph.rows);
    EXPECT_TRUE(std::includes(below.begin(), below.end(), here.begin(), here.end()));
    below = here;
  }
  uint32_t element;
  uint64_t count;
  EXPECT_FALSE(index.duplicates().next(&element, &count));
}

TEST_P(Memory, DependsOnTheRowsAlone) {
  const ByteSet data(clustered_vectors(15000, 32, 50, 0.5f, 5));
  const auto neighbors = [&](unsigned threads, bool shuffled) {
    StdioSpace space;
    RecordingMonitor monitor;
    IndexBuild index(params_for(data.set().dims, GetParam(), threads), space, monitor);
    std::vector<uint32_t> order = in_order(data.size());
    if (shuffled) std::shuffle(order.begin(), order.end(), std::mt19937(7));
    add_rows(data.set(), order, index);
    index.link();
    const Copy copy = copy_level(index.level(0), data, 32, true);
    return std::pair(copy.graph.neighbors, copy.keys);
  };
  const auto one = neighbors(1, false);
  EXPECT_EQ(neighbors(3, true), one);
  EXPECT_EQ(neighbors(2, true), one);
}

TEST_P(Memory, CollapsesEqualCodes) {
  Vectors vectors = clustered_vectors(12000, 32, 20, 0.5f, 9);
  for (size_t row = 0; row < vectors.size(); ++row) {
    if (row % 3 == 1) vectors[row] = vectors[row - 1];
    if (row % 12 == 11) vectors[row] = vectors[11];
  }
  const ByteSet data(vectors);
  StdioSpace space;
  RecordingMonitor monitor;
  IndexBuild index(params_for(data.set().dims, GetParam()), space, monitor);
  std::vector<uint32_t> order = in_order(data.size());
  std::shuffle(order.begin(), order.end(), std::mt19937(11));
  add_rows(data.set(), order, index);
  index.link();
  EXPECT_EQ(index.level(0).rows(), 12000u - 4000 - 999);
  const Copy bottom = copy_level(index.level(0), data, 32, true);
  expect_sound(bottom.graph);

  for (int pass = 0; pass < 2; ++pass) {
    std::vector<RowKey> keys = bottom.keys;
    std::set<uint32_t> elements;
    index.duplicates().rewind();
    uint32_t element;
    uint64_t count;
    while (index.duplicates().next(&element, &count)) {
      EXPECT_TRUE(elements.empty() || element > *elements.rbegin());
      elements.insert(element);
      std::vector<RowKey> further(count);
      index.duplicates().read(further.data(), count);
      EXPECT_TRUE(std::is_sorted(further.begin(), further.end()));
      EXPECT_LT(bottom.keys[element], further[0]);
      if (bottom.keys[element] == 110) {
        EXPECT_EQ(count, 999u);
      }
      keys.insert(keys.end(), further.begin(), further.end());
    }
    EXPECT_EQ(elements.size(), 4001u);
    std::sort(keys.begin(), keys.end());
    ASSERT_EQ(keys.size(), data.size());
    for (size_t row = 0; row < keys.size(); ++row) ASSERT_EQ(keys[row], row * 10);
  }
}

TEST_P(Memory, AcceptsAllRowsEqualAndNone) {
  for (const size_t rows : {0u, 1u, 2u, 30u, 20000u}) {
    const ByteSet data(Vectors(rows, std::vector<float>(32, 1.0f)));
    StdioSpace space;
    RecordingMonitor monitor;
    IndexBuild index(params_for(data.set().dims, GetParam()), space, monitor);
    add_rows(data.set(), in_order(rows), index);
    index.link();
    if (rows == 0) {
      EXPECT_EQ(index.levels(), 0u);
      continue;
    }
    uint64_t keys = index.level(0).rows();
    uint32_t element;
    uint64_t count;
    while (index.duplicates().next(&element, &count)) keys += count;
    EXPECT_EQ(keys, rows);
    EXPECT_LE(index.level(0).rows(), 10u);
  }
}

TEST_P(Memory, FindsAsMuchAsSearchOverAllPairs) {
  Vectors vectors = clustered_vectors(20200, 48, 100, 0.5f, 53, 16);
  const Vectors queries(vectors.end() - 200, vectors.end());
  vectors.resize(20000);
  const ByteSet data(vectors, queries);
  StdioSpace space;
  RecordingMonitor monitor;
  IndexBuild index(params_for(data.set().dims, GetParam()), space, monitor);
  add_rows(data.set(), in_order(data.size()), index);
  index.link();
  Copy bottom = copy_level(index.level(0), data, 32, true);
  bottom.graph.order.resize(bottom.keys.size());
  for (size_t i = 0; i < bottom.keys.size(); ++i)
    bottom.graph.order[i] = static_cast<uint32_t>(bottom.keys[i] / 10);
  const build::Graph graph = build::test::by_position(bottom.graph);
  std::vector<std::vector<uint32_t>> truth;
  for (const auto &query : data.queries())
    truth.push_back(build::test::exact_search(data, query, 10));
  EXPECT_GE(build::test::mean_recall(data, graph, truth, 64), 0.97);
}

TEST_P(Memory, UnwindsWhenCancelledOrOutOfDisk) {
  const ByteSet data(clustered_vectors(12000, 32, 20, 0.5f, 13));
  StdioSpace counting;
  for (int polls = 0; polls < 60; polls += 3) {
    StdioSpace space;
    CancellingMonitor monitor(polls);
    {
      IndexBuild index(params_for(data.set().dims, GetParam(), 2), space, monitor);
      add_rows(data.set(), in_order(data.size()), index);
      EXPECT_THROW(index.link(), parallel::Cancelled);
    }
    EXPECT_EQ(space.open_files(), 0u);
  }
  if (GetParam() != kTight) return;
  for (uint64_t calls = 0; calls < 400; calls += 37) {
    StdioSpace space;
    space.fail_after(calls);
    {
      RecordingMonitor monitor;
      IndexBuild index(params_for(data.set().dims, GetParam(), 2), space, monitor);
      EXPECT_THROW(
          {
            add_rows(data.set(), in_order(data.size()), index);
            index.link();
          },
          spill::SpillFailed);
    }
    EXPECT_EQ(space.open_files(), 0u);
  }
}

}  // namespace
}  // namespace vann::bulk
