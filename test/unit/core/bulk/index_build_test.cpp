// index_build_test.cpp — what a writer of pages may rely on, with all rows in memory and with most of
// them in files: every element once, sound and reachable graphs on all levels, all keys.
#include "core/bulk/index_build.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "support/stdio_space.hpp"
#include "unit/core/build/byte_set.hpp"
#include "unit/core/bulk/levels.hpp"
#include "unit/core/parallel/monitors.hpp"

namespace vann::bulk {
namespace {

using build::test::ByteSet;
using build::test::clustered_vectors;
using build::test::Vectors;
using parallel::test::CancellingMonitor;
using parallel::test::RecordingMonitor;
using test::add_rows;
using test::Copy;
using test::copy_level;
using test::expect_sound;
using test::in_order;
using test::params_for;
using vann::test::StdioSpace;

constexpr size_t kAmple = size_t{1} << 30;
constexpr size_t kTight = size_t{2} << 20;

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
  const Copy bottom = copy_level(index.level(0), data.set(), 32, true);
  expect_sound(bottom.graph);
  std::vector<RowKey> keys = bottom.keys;
  std::sort(keys.begin(), keys.end());
  ASSERT_EQ(keys.size(), data.size());
  for (size_t row = 0; row < keys.size(); ++row) ASSERT_EQ(keys[row], row * 10);

  std::set<uint32_t> below(bottom.elements.begin(), bottom.elements.end());
  size_t expected = data.size();
  for (size_t level = 1; level < index.levels(); ++level) {
    expected /= 32;
    const Copy copy = copy_level(index.level(level), data.set(), 32, false);
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
    const Copy copy = copy_level(index.level(0), data.set(), 32, true);
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
  const Copy bottom = copy_level(index.level(0), data.set(), 32, true);
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
  Copy bottom = copy_level(index.level(0), data.set(), 32, true);
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
  const ByteSet data(clustered_vectors(4000, 32, 20, 0.5f, 13));
  // In files each read and write looks, too.
  for (const int polls : {0, 1, 2, 3, 5, 8, 13, 21, 80, 200}) {
    if (polls > 21 && GetParam() != kTight) continue;
    StdioSpace space;
    CancellingMonitor monitor(polls);
    {
      IndexBuild index(params_for(data.set().dims, GetParam(), 2), space, monitor);
      EXPECT_THROW(
          {
            add_rows(data.set(), in_order(data.size()), index);
            index.link();
          },
          parallel::Cancelled);
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
