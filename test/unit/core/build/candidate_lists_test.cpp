// candidate_lists_test.cpp — lists that are emptied and used again.
#include "core/build/candidate_lists.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "../parallel/monitors.hpp"

namespace vann::build {
namespace {

using parallel::test::CancellingMonitor;
using parallel::test::RecordingMonitor;

void expect_empty(const CandidateLists &lists) {
  for (uint32_t row = 0; row < lists.rows(); ++row) {
    for (const Candidate slot : lists.list(row)) ASSERT_EQ(slot, kNoCandidate) << "row " << row;
  }
}

TEST(CandidateLists, AreEmptyAfterReset) {
  RecordingMonitor monitor;
  parallel::Team team(2, monitor);
  CandidateLists lists(0, 5, team);
  EXPECT_EQ(lists.rows(), 0u);
  for (const size_t rows : {10u, 3u, 10000u, 0u, 9999u}) {
    lists.reset(rows, Stage::kPrune, team);
    ASSERT_EQ(lists.rows(), rows);
    ASSERT_EQ(lists.length(), 5u);
    expect_empty(lists);
    for (uint32_t row = 0; row < rows; ++row) {
      const Candidate candidates[] = {make_candidate(1.0f, row), make_candidate(2.0f, row + 1)};
      lists.merge(row, candidates);
      EXPECT_EQ(lists.bound(row), kNoCandidate);
      EXPECT_EQ(lists.list(row)[0], candidates[0]);
      EXPECT_EQ(lists.list(row)[1], candidates[1]);
    }
  }
}

TEST(CandidateLists, KeepTheirMemoryOnReset) {
  RecordingMonitor monitor;
  parallel::Team team(1, monitor);
  CandidateLists lists(1000, 8, team);
  const Candidate *const before = lists.list(0).data();
  lists.reset(10, Stage::kPrune, team);
  lists.reset(1000, Stage::kPrune, team);
  EXPECT_EQ(lists.list(0).data(), before);
}

TEST(CandidateLists, ReportAsTheStageThatResetsThem) {
  RecordingMonitor monitor;
  parallel::Team team(1, monitor);
  CandidateLists lists(10, 8, team);
  EXPECT_EQ(monitor.reports.back().stage, static_cast<int>(Stage::kLeaves));
  lists.reset(10, Stage::kReverse, team);
  EXPECT_EQ(monitor.reports.back().stage, static_cast<int>(Stage::kReverse));
  CancellingMonitor cancelling(0);
  parallel::Team cancelled(1, cancelling);
  EXPECT_THROW(lists.reset(10, Stage::kPrune, cancelled), parallel::Cancelled);
}

}  // namespace
}  // namespace vann::build
