// balance_test.cpp — which lists are split and which go, on lists of given lengths.
#include "core/cluster/balance.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "code_rows.hpp"

namespace vann::cluster {
namespace {

using test::CodeRows;
using test::gaussian;
using test::Vectors;

// Lists of these lengths, cut from the rows in order; cells of `lists_per_cell` lists.
Clustering lists_of(const std::vector<uint32_t> &lengths, size_t lists_per_cell) {
  Clustering clustering;
  clustering.list_rows.push_back(0);
  for (const uint32_t length : lengths) {
    clustering.list_rows.push_back(clustering.list_rows.back() + length);
  }
  for (size_t list = 0; list <= lengths.size(); list += lists_per_cell) {
    clustering.cell_lists.push_back(static_cast<uint32_t>(list));
    clustering.cell_rows.push_back(clustering.list_rows[list]);
  }
  clustering.members.resize(clustering.list_rows.back());
  std::iota(clustering.members.begin(), clustering.members.end(), 0u);
  return clustering;
}

using Parts = std::vector<uint32_t>;

Parts parts_of(const CodeRows &rows, const std::vector<uint32_t> &lengths, size_t lists_per_cell,
               uint32_t wanted, Plan plan = Plan::kBalance) {
  return plan_parts(rows.view(), lists_of(lengths, lists_per_cell), wanted, plan);
}

TEST(PlanParts, LeavesBalancedListsAlone) {
  const CodeRows rows(gaussian(400, 16, 1));
  EXPECT_EQ(parts_of(rows, {100, 120, 80, 100}, 4, 4), (Parts{1, 1, 1, 1}));
  EXPECT_EQ(parts_of(rows, {150, 130, 60, 60}, 4, 4), (Parts{1, 1, 1, 1}));
}

TEST(PlanParts, GivesTheNumbersOfShortListsToLongOnes) {
  const CodeRows rows(gaussian(400, 16, 1));
  EXPECT_EQ(parts_of(rows, {20, 120, 160, 100}, 4, 4), (Parts{0, 1, 2, 1}));
  EXPECT_EQ(parts_of(rows, {20, 10, 350, 20}, 4, 4), (Parts{0, 0, 4, 0}));
  // A list of less than half the mean length goes only if another has more than twice the mean.
  EXPECT_EQ(parts_of(rows, {40, 190, 90, 80}, 4, 4), (Parts{1, 1, 1, 1}));
  EXPECT_EQ(parts_of(rows, {40, 210, 80, 70}, 4, 4), (Parts{0, 2, 1, 1}));
}

TEST(PlanParts, ReplacesEmptyListsAndFillsTheCount) {
  const CodeRows rows(gaussian(400, 16, 1));
  EXPECT_EQ(parts_of(rows, {0, 120, 150, 130}, 4, 4), (Parts{0, 1, 2, 1}));
  EXPECT_EQ(parts_of(rows, {0, 120, 150, 130}, 4, 6), (Parts{0, 2, 2, 2}));
  EXPECT_EQ(parts_of(rows, {20, 120, 260, 0}, 4, 4, Plan::kFill), (Parts{1, 1, 2, 0}));
  EXPECT_EQ(parts_of(rows, {20, 120, 160, 100}, 4, 4, Plan::kFill), (Parts{1, 1, 1, 1}));
}

TEST(PlanParts, KeepsTheLastListOfACell) {
  const CodeRows rows(gaussian(400, 16, 1));
  EXPECT_EQ(parts_of(rows, {10, 5, 200, 185}, 2, 4), (Parts{1, 0, 2, 1}));
}

TEST(PlanParts, NeverSplitsEqualRows) {
  Vectors vectors(300, std::vector<float>(16, 1.0f));
  for (const auto &x : gaussian(100, 16, 2)) vectors.push_back(x);
  const CodeRows rows(vectors);
  EXPECT_EQ(parts_of(rows, {300, 60, 40}, 3, 3), (Parts{1, 1, 1}));
  EXPECT_EQ(parts_of(rows, {300, 60, 40}, 3, 4), (Parts{1, 2, 1}));
}

TEST(Balance, SplitsWhatItPlanned) {
  const CodeRows rows(gaussian(400, 16, 3));
  const build::RowView view = rows.view();
  test::QuietMonitor monitor;
  parallel::Team team(2, monitor);
  Progress progress(team, 0, 1000);
  Lloyd lloyd(view, false, 1, progress);
  Clustering clustering = lists_of({400}, 1);
  clustering.cell_lists = {0, 1};
  clustering.cell_rows = {0, 400};
  clustering.centroids.assign(16, 0.0f);
  lloyd.assign(clustering);
  const double before = clustering.error();
  ASSERT_TRUE(balance(lloyd, clustering, 8, Plan::kBalance, 2));
  EXPECT_EQ(clustering.lists(), 8u);
  EXPECT_LT(clustering.error(), 0.95 * before);
  for (size_t list = 0; list < 8; ++list) EXPECT_GT(clustering.rows_of_list(list), 0u);
}

}  // namespace
}  // namespace vann::cluster
