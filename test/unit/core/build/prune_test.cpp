// prune_test.cpp — RobustPrune against a plain reading of its definition; the second stage's lists.
#include "core/build/prune.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "../parallel/monitors.hpp"
#include "byte_set.hpp"

namespace vann::build {
namespace {

using parallel::test::RecordingMonitor;
using test::ByteSet;
using test::clustered_vectors;

std::vector<Candidate> nearest_of(const RowView &view, uint32_t row, size_t count) {
  std::vector<Candidate> all;
  for (uint32_t other = 0; other < view.size(); ++other) {
    if (other != row) all.push_back(make_candidate(view.distance(row, other), other));
  }
  std::sort(all.begin(), all.end());
  all.resize(std::min(count, all.size()));
  return all;
}

// The rows that survive, by trying every pair anew.
std::set<uint32_t> naive_prune(const RowView &view, const std::vector<Candidate> &candidates,
                               size_t degree) {
  std::set<uint32_t> kept;
  for (const float factor : {1.0f, 1.2f, 1.5f}) {
    for (size_t i = 0; i < candidates.size() && kept.size() < degree; ++i) {
      bool occluded = kept.count(row_of(candidates[i])) > 0;
      for (size_t j = 0; j < i && !occluded; ++j) {
        const uint32_t nearer = row_of(candidates[j]);
        occluded =
            kept.count(nearer) > 0 &&
            factor * view.distance(nearer, row_of(candidates[i])) <= distance_of(candidates[i]);
      }
      if (!occluded) kept.insert(row_of(candidates[i]));
    }
  }
  return kept;
}

class RobustPruneOf : public testing::TestWithParam<size_t> {};

TEST_P(RobustPruneOf, KeepsWhatTheDefinitionKeeps) {
  const ByteSet data(clustered_vectors(400, 40, 8, 0.4f, 31));
  const VectorSet set = data.set();
  const RowView view(set, nullptr, set.size());
  PruneScratch scratch;
  for (uint32_t row = 0; row < 60; ++row) {
    const std::vector<Candidate> candidates = nearest_of(view, row, GetParam());
    const std::set<uint32_t> expected = naive_prune(view, candidates, 24);
    std::vector<Candidate> pruned = candidates;
    const size_t kept = robust_prune(view, pruned, 24, scratch);
    std::set<uint32_t> actual;
    for (size_t i = 0; i < kept; ++i) actual.insert(row_of(pruned[i]));
    EXPECT_EQ(actual, expected);
    const auto border = pruned.begin() + static_cast<ptrdiff_t>(kept);
    EXPECT_TRUE(std::is_sorted(pruned.begin(), border));
    EXPECT_TRUE(std::is_sorted(border, pruned.end()));
    std::sort(pruned.begin(), pruned.end());
    EXPECT_EQ(pruned, candidates);
  }
}

INSTANTIATE_TEST_SUITE_P(Candidates, RobustPruneOf, testing::Values(1, 15, 16, 48, 160, 399));

TEST(RobustPrune, AcceptsNoCandidates) {
  const ByteSet data(clustered_vectors(2, 16, 1, 1.0f, 1));
  const VectorSet set = data.set();
  PruneScratch scratch;
  EXPECT_EQ(robust_prune(RowView(set, nullptr, 2), {}, 32, scratch), 0u);
}

TEST(PruneWithReverse, FillsListsAndAddsReverseEdges) {
  constexpr size_t kRows = 500;
  constexpr size_t kDegree = 16;
  const ByteSet data(clustered_vectors(kRows, 40, 5, 0.5f, 8));
  const VectorSet set = data.set();
  const RowView view(set, nullptr, kRows);
  RecordingMonitor monitor;
  parallel::Team team(2, monitor);
  CandidateLists lists(kRows, 24, team);
  // Row 0 has no candidates at all and is everybody's: only reverse edges can link it.
  for (uint32_t row = 1; row < kRows; ++row) {
    lists.merge(row, nearest_of(view, row, 20));
    lists.merge(row, std::vector{make_candidate(0.0f, 0)});
  }
  KeptCounts kept = prune_candidates(view, kDegree, lists, team);
  EXPECT_EQ(kept[0], 0u);
  prune_with_reverse(view, kDegree, 7, lists, kept, team);
  EXPECT_GT(kept[0], 0u);
  for (uint32_t row = 0; row < kRows; ++row) {
    std::set<uint32_t> rows;
    for (const Candidate neighbor : lists.list(row).first(kDegree)) {
      EXPECT_LT(row_of(neighbor), kRows);
      EXPECT_NE(row_of(neighbor), row);
      rows.insert(row_of(neighbor));
    }
    EXPECT_EQ(rows.size(), kDegree);
  }
}

}  // namespace
}  // namespace vann::build
