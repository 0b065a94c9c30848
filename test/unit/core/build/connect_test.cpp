// connect_test.cpp — repairs reach every row, with few replacements and none that cuts off others.
#include "core/build/connect.hpp"

#include <gtest/gtest.h>

#include "../parallel/monitors.hpp"
#include "byte_set.hpp"

namespace vann::build {
namespace {

using parallel::test::RecordingMonitor;
using test::ByteSet;
using test::clustered_vectors;

size_t reachable(const CandidateLists &lists, size_t degree, uint32_t entry) {
  std::vector<uint8_t> seen(lists.rows());
  std::vector<uint32_t> stack{entry};
  seen[entry] = 1;
  size_t count = 0;
  while (!stack.empty()) {
    const uint32_t row = stack.back();
    stack.pop_back();
    ++count;
    for (const Candidate neighbor : lists.list(row).first(degree)) {
      if (!seen[row_of(neighbor)]) {
        seen[row_of(neighbor)] = 1;
        stack.push_back(row_of(neighbor));
      }
    }
  }
  return count;
}

class Connect : public testing::Test {
 protected:
  static constexpr size_t kRows = 1000;
  static constexpr size_t kDegree = 4;

  // Row r is linked to the rows that `target(r, slot)` names.
  template <class Target>
  void link(CandidateLists &lists, Target target) {
    for (uint32_t row = 0; row < kRows; ++row) {
      for (uint32_t slot = 0; slot < kDegree; ++slot) {
        const uint32_t other = target(row, slot);
        lists.list(row)[slot] = make_candidate(view_.distance(row, other), other);
      }
    }
  }

  ByteSet data_{clustered_vectors(kRows, 16, 10, 0.5f, 2)};
  VectorSet set_ = data_.set();
  RowView view_{set_, nullptr, kRows};
  RecordingMonitor monitor_;
  parallel::Team team_{2, monitor_};
  CandidateLists lists_{kRows, kDegree, team_};
};

TEST_F(Connect, LeavesAConnectedGraphAlone) {
  link(lists_, [](uint32_t row, uint32_t slot) { return (row + 1 + slot) % kRows; });
  EXPECT_EQ(connect_rows(view_, kDegree, 17, lists_, team_), 0u);
}

TEST_F(Connect, JoinsSeparateRings) {
  // 100 rings of 10 rows: 99 repairs, no more.
  link(lists_, [](uint32_t row, uint32_t slot) { return row / 10 * 10 + (row + 1 + slot) % 10; });
  EXPECT_EQ(connect_rows(view_, kDegree, 17, lists_, team_), 99u);
  EXPECT_EQ(reachable(lists_, kDegree, 17), kRows);
}

TEST_F(Connect, ReachesRowsThatNobodyLinks) {
  // All lists lead into the first ten rows.
  link(lists_, [](uint32_t row, uint32_t slot) {
    return (row + 1 + slot) % 10 == row ? 9u : (row + 1 + slot) % 10;
  });
  connect_rows(view_, kDegree, 3, lists_, team_);
  EXPECT_EQ(reachable(lists_, kDegree, 3), kRows);
}

TEST_F(Connect, KeepsChainsThatHaveNoSpareEdge) {
  // Two chains whose lists repeat one edge: cutting any first slot would lose the rest.
  link(lists_, [](uint32_t row, uint32_t) { return row % 500 == 499 ? row - 499 : row + 1; });
  EXPECT_EQ(connect_rows(view_, kDegree, 0, lists_, team_), 1u);
  EXPECT_EQ(reachable(lists_, kDegree, 0), kRows);
}

TEST_F(Connect, EntryIsNearestTheMean) {
  std::vector<float> mean(16);
  for (size_t row = 0; row < kRows; ++row) {
    const std::vector<float> decoded = data_.decoded(row);
    for (size_t i = 0; i < 16; ++i) mean[i] += decoded[i] / kRows;
  }
  const auto nearest = test::exact_search(data_, mean, 3);
  const uint32_t entry = find_entry(view_, team_);
  EXPECT_NE(std::find(nearest.begin(), nearest.end(), entry), nearest.end());
}

}  // namespace
}  // namespace vann::build
