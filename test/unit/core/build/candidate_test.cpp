// candidate_test.cpp — candidates sort by distance and row, and short lists agree with sorting.
#include "core/build/candidate.hpp"

#include <cmath>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace vann::build {
namespace {

TEST(Candidate, SortsByDistanceThenRow) {
  EXPECT_LT(make_candidate(1.0f, 9), make_candidate(1.5f, 2));
  EXPECT_LT(make_candidate(1.0f, 2), make_candidate(1.0f, 9));
  EXPECT_LT(make_candidate(3e38f, 9), make_candidate(INFINITY, 0));
  EXPECT_LT(make_candidate(INFINITY, 0xffffffffu - 1), kNoCandidate);
  EXPECT_EQ(make_candidate(-1e-3f, 4), make_candidate(0.0f, 4));
  EXPECT_EQ(make_candidate(-0.0f, 4), make_candidate(0.0f, 4));
  EXPECT_EQ(row_of(make_candidate(2.5f, 77)), 77u);
  EXPECT_EQ(distance_of(make_candidate(2.5f, 77)), 2.5f);
  EXPECT_EQ(distance_of(kNoCandidate), INFINITY);
}

TEST(Candidate, BearsAMarkBesideItsRowAndDistance) {
  for (const uint32_t row : {0u, 77u, kTreeEdge - 1}) {
    const Candidate edge = make_candidate(2.5f, row);
    EXPECT_FALSE(is_tree_edge(edge));
    EXPECT_TRUE(is_tree_edge(edge | kTreeEdge));
    EXPECT_EQ(distance_of(edge | kTreeEdge), 2.5f);
    EXPECT_EQ(unmarked(edge | kTreeEdge), edge);
    EXPECT_EQ(unmarked(edge), edge);
  }
}

TEST(Candidate, InsertionKeepsTheSmallestWithoutDuplicates) {
  std::mt19937 random(5);
  std::vector<Candidate> list(10, kNoCandidate);
  std::vector<Candidate> all;
  for (int i = 0; i < 200; ++i) {
    const Candidate candidate = make_candidate(static_cast<float>(random() % 20), random() % 5);
    const bool is_new = std::find(all.begin(), all.end(), candidate) == all.end();
    const bool fits = candidate < list.back();
    EXPECT_EQ(insert_candidate(list, candidate), is_new && fits);
    if (is_new) all.push_back(candidate);
  }
  std::sort(all.begin(), all.end());
  EXPECT_TRUE(std::equal(list.begin(), list.end(), all.begin()));
}

struct ListCase {
  size_t count;
  size_t columns;
  int levels;  // distinct distances: few make many ties
};

class NearestListOf : public testing::TestWithParam<ListCase> {};

TEST_P(NearestListOf, AgreesWithSorting) {
  const auto [count, columns, levels] = GetParam();
  std::mt19937 random(static_cast<unsigned>(count * 31 + columns));
  for (int round = 0; round < 200; ++round) {
    std::vector<float> distances(columns);
    std::vector<uint32_t> ids(columns);
    std::iota(ids.begin(), ids.end(), 1000u);
    std::shuffle(ids.begin(), ids.end(), random);
    for (float &d : distances) {
      d = static_cast<float>(static_cast<int>(random() % static_cast<unsigned>(levels)) - 2);
      if (random() % 10 == 0) d = NAN;
    }
    const Candidate bound =
        round % 2 ? make_candidate(static_cast<float>(levels) / 4, 1003) : kNoCandidate;

    std::vector<Candidate> expected;
    for (size_t i = 0; i < columns; ++i) {
      const Candidate candidate = make_candidate(distances[i], ids[i]);
      if (!std::isnan(distances[i]) && candidate < bound) expected.push_back(candidate);
    }
    std::sort(expected.begin(), expected.end());
    expected.resize(std::min(count, expected.size()));

    NearestList nearest;
    nearest.reset(count, bound);
    nearest.offer_all(distances.data(), columns, ids.data());
    const auto list = nearest.list();
    EXPECT_EQ(std::vector<Candidate>(list.begin(), list.end()), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, NearestListOf,
                         testing::Values(ListCase{1, 16, 100000}, ListCase{8, 16, 100000},
                                         ListCase{8, 512, 100000}, ListCase{8, 512, 6},
                                         ListCase{10, 1008, 100000}, ListCase{16, 48, 30},
                                         ListCase{17, 160, 100}, ListCase{48, 32, 100000},
                                         ListCase{48, 1008, 100000}));

}  // namespace
}  // namespace vann::build
