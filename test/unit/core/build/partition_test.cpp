// partition_test.cpp — leaves are small, overlap as asked, and give every row a rank.
#include "core/build/partition.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "../parallel/monitors.hpp"
#include "byte_set.hpp"
#include "core/build/pivots.hpp"

namespace vann::build {
namespace {

using parallel::test::RecordingMonitor;
using test::ByteSet;
using test::clustered_vectors;

Partition partition_of(const ByteSet &data, const GraphParams &params) {
  RecordingMonitor monitor;
  parallel::Team team(params.threads, monitor);
  const VectorSet set = data.set();
  return partition_rows(RowView(set, nullptr, set.size()), params, team);
}

void expect_sound(const Partition &partition, size_t rows, const GraphParams &params) {
  std::vector<uint32_t> order = partition.order;
  std::sort(order.begin(), order.end());
  ASSERT_EQ(order.size(), rows);
  for (uint32_t i = 0; i < rows; ++i) ASSERT_EQ(order[i], i);

  std::vector<size_t> copies(rows);
  size_t end = 0;
  for (const Leaf &leaf : partition.leaves) {
    ASSERT_EQ(leaf.begin, end);
    end = leaf.end;
    ASSERT_GT(leaf.end, leaf.begin);
    ASSERT_LE(leaf.end - leaf.begin, params.leaf_rows);
    for (size_t i = leaf.begin; i < leaf.end; ++i) {
      ASSERT_LT(partition.members[i], rows);
      ASSERT_TRUE(i == leaf.begin || partition.members[i - 1] < partition.members[i]);
      ++copies[partition.members[i]];
    }
  }
  EXPECT_EQ(end, partition.members.size());
  for (const size_t count : copies) {
    EXPECT_GE(count, 1u);
    EXPECT_LE(count, params.fanout);
  }
}

struct Shape {
  size_t rows;
  size_t clusters;
  float spread;
};

class PartitionOf : public testing::TestWithParam<Shape> {};

TEST_P(PartitionOf, CoversRowsWithSmallLeaves) {
  const auto [rows, clusters, spread] = GetParam();
  const ByteSet data(clustered_vectors(rows, 24, clusters, spread, 21));
  GraphParams params;
  params.leaf_rows = 50;
  params.fanout = 4;
  const Partition partition = partition_of(data, params);
  EXPECT_FALSE(partition.exhaustive);
  expect_sound(partition, rows, params);
}

// 30,000 rows exceed what one level of pivots divides into leaves of 50.
INSTANTIATE_TEST_SUITE_P(Shapes, PartitionOf,
                         testing::Values(Shape{101, 1, 1.0f}, Shape{2000, 20, 0.5f},
                                         Shape{30000, 100, 0.3f}, Shape{5000, 3, 0.001f}));

TEST(Partition, KeepsSmallSetsInOneLeaf) {
  const ByteSet data(clustered_vectors(100, 16, 1, 1.0f, 4));
  GraphParams params;
  params.leaf_rows = 50;
  params.fanout = 4;
  const Partition partition = partition_of(data, params);
  EXPECT_TRUE(partition.exhaustive);
  ASSERT_EQ(partition.leaves.size(), 1u);
  EXPECT_EQ(partition.members.size(), 100u);
}

TEST(Partition, DividesRowsThatNoPivotTellsApart) {
  const ByteSet data(test::Vectors(700, std::vector<float>(16, 1.0f)));
  GraphParams params;
  params.leaf_rows = 40;
  params.fanout = 4;
  expect_sound(partition_of(data, params), 700, params);
}

TEST(Partition, PutsNearRowsSideBySide) {
  // Neighbors in the order should be far nearer than rows picked at random.
  const ByteSet data(clustered_vectors(4000, 32, 40, 0.2f, 6));
  GraphParams params;
  params.leaf_rows = 100;
  params.fanout = 4;
  const Partition partition = partition_of(data, params);
  const VectorSet set = data.set();
  const RowView view(set, nullptr, set.size());
  double adjacent = 0;
  double random = 0;
  for (uint32_t i = 0; i + 1 < 4000; ++i) {
    adjacent += view.distance(partition.order[i], partition.order[i + 1]);
    random += view.distance(i, (i * 7919u + 13u) % 4000u);
  }
  EXPECT_LT(adjacent, 0.3 * random);
}

// Cells of given sizes over random rows, which may be in several cells.
Cells some_cells(std::span<const size_t> sizes, uint32_t rows) {
  std::mt19937 random(8);
  Cells cells;
  cells.begin.push_back(0);
  for (const size_t size : sizes) {
    std::vector<uint32_t> all(rows);
    std::iota(all.begin(), all.end(), 0u);
    std::shuffle(all.begin(), all.end(), random);
    std::sort(all.begin(), all.begin() + static_cast<ptrdiff_t>(size));
    cells.members.insert(cells.members.end(), all.begin(), all.begin() + static_cast<ptrdiff_t>(size));
    cells.begin.push_back(cells.members.size());
  }
  return cells;
}

TEST(SplitCells, CutsCellsIntoSmallLeavesOfTheirOwnRows) {
  const ByteSet data(clustered_vectors(2000, 24, 20, 0.5f, 21));
  const VectorSet set = data.set();
  const RowView view(set, nullptr, set.size());
  GraphParams params;
  params.leaf_rows = 50;
  const std::vector<size_t> sizes{0, 1, 50, 51, 2000, 0, 700, 3};
  Partition first;
  for (const unsigned threads : {1u, 3u}) {
    RecordingMonitor monitor;
    parallel::Team team(threads, monitor);
    const Cells cells = some_cells(sizes, 2000);
    const Partition partition = split_cells(view, params, cells, team);
    ASSERT_EQ(partition.members.size(), cells.members.size());
    size_t end = 0;
    size_t cell = 0;
    for (const Leaf &leaf : partition.leaves) {
      ASSERT_EQ(leaf.begin, end);
      end = leaf.end;
      ASSERT_GT(leaf.end, leaf.begin);
      ASSERT_LE(leaf.end - leaf.begin, 50u);
      ASSERT_TRUE(std::is_sorted(partition.members.begin() + static_cast<ptrdiff_t>(leaf.begin),
                                 partition.members.begin() + static_cast<ptrdiff_t>(leaf.end)));
      while (leaf.begin >= cells.begin[cell + 1]) ++cell;
      ASSERT_LE(leaf.end, cells.begin[cell + 1]);  // no leaf is of two cells
    }
    EXPECT_EQ(end, cells.members.size());
    for (cell = 0; cell < sizes.size(); ++cell) {
      const auto begin = static_cast<ptrdiff_t>(cells.begin[cell]);
      const auto limit = static_cast<ptrdiff_t>(cells.begin[cell + 1]);
      std::vector<uint32_t> members(partition.members.begin() + begin,
                                    partition.members.begin() + limit);
      std::sort(members.begin(), members.end());
      EXPECT_TRUE(std::equal(members.begin(), members.end(), cells.members.begin() + begin));
    }
    if (threads == 1) first = partition;
    EXPECT_EQ(partition.members, first.members);
  }
}

TEST(Pivots, AssignsTheNearest) {
  const ByteSet data(clustered_vectors(300, 48, 10, 0.5f, 9));
  const VectorSet set = data.set();
  const RowView view(set, nullptr, set.size());
  std::vector<uint32_t> ids(300);
  for (uint32_t i = 0; i < 300; ++i) ids[i] = i;
  Random random(1, 2);
  Pivots pivots;
  pivots.choose(view, ids, 300, random);  // one from each stretch of one: the rows themselves
  PivotScratch scratch;
  std::vector<uint16_t> cells(300 * 3);
  pivots.assign(view, ids, 3, scratch, cells.data());
  for (uint32_t row = 0; row < 300; ++row) {
    std::vector<Candidate> expected;
    for (const uint32_t other : ids) {
      expected.push_back(make_candidate(view.distance(row, other), other));
    }
    std::sort(expected.begin(), expected.end());
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(cells[row * 3 + i], row_of(expected[i]));
  }
}

TEST(Pivots, JoinsSmallCellsWhereThereIsRoom) {
  // Four centres on a line: 0, 1, 10, 11.
  test::Vectors line;
  for (const float x : {0.0f, 1.0f, 10.0f, 11.0f}) line.push_back(std::vector<float>(16, x));
  const ByteSet data(line);
  const VectorSet set = data.set();
  const RowView view(set, nullptr, set.size());
  const std::vector<uint32_t> ids{0, 1, 2, 3};
  Random random(1, 2);
  Pivots pivots;
  pivots.choose(view, ids, 4, random);
  PivotScratch scratch;
  const auto merged = pivots.merge_small(std::vector<size_t>{3, 50, 98, 4}, 10, 100, scratch);
  EXPECT_EQ(merged.group_of[0], merged.group_of[1]);
  EXPECT_NE(merged.group_of[3], merged.group_of[2]);  // 98 + 4 would not fit
  EXPECT_EQ(merged.group_of[3], merged.group_of[1]);  // the nearest with room
  EXPECT_EQ(merged.groups, 2u);
}

}  // namespace
}  // namespace vann::build
