// seeds_test.cpp — seats follow weights, and seeds are distinct rows.
#include "core/cluster/seeds.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "code_rows.hpp"

namespace vann::cluster {
namespace {

using test::CodeRows;
using test::gaussian;
using test::Vectors;

TEST(Apportion, SharesInProportion) {
  const std::vector<uint32_t> weights{600, 300, 100};
  EXPECT_EQ(apportion(weights, 10), (std::vector<uint32_t>{6, 3, 1}));
  EXPECT_EQ(apportion(weights, 100), (std::vector<uint32_t>{60, 30, 10}));
}

TEST(Apportion, GivesOneWhereThereIsWeightOnly) {
  const std::vector<uint32_t> weights{0, 1000000, 1, 0, 1};
  EXPECT_EQ(apportion(weights, 3), (std::vector<uint32_t>{0, 1, 1, 0, 1}));
  EXPECT_EQ(apportion(weights, 50), (std::vector<uint32_t>{0, 48, 1, 0, 1}));
}

TEST(Apportion, SettlesTiesByNumber) {
  const std::vector<uint32_t> weights{5, 5, 5};
  EXPECT_EQ(apportion(weights, 4), (std::vector<uint32_t>{2, 1, 1}));
}

std::vector<uint32_t> seeds_of(const CodeRows &rows, size_t count) {
  test::QuietMonitor monitor;
  parallel::Team team(1, monitor);
  std::vector<uint32_t> ids(rows.view().size());
  std::iota(ids.begin(), ids.end(), 0u);
  std::vector<uint32_t> seeds;
  team.run(parallel::Loop{0, 1, 1, 0, 1}, [&](parallel::Worker &worker, size_t, size_t) {
    build::Random random(1, 2);
    seeds = choose_seeds(rows.view(), ids, count, random, worker);
  });
  return seeds;
}

TEST(Seeds, AreDistinct) {
  Vectors vectors = gaussian(50, 16, 1);
  for (size_t i = 0; i < 950; ++i) vectors.push_back(vectors[i % 50]);
  const CodeRows rows(vectors);
  for (const size_t count : {1u, 2u, 50u, 60u}) {
    const std::vector<uint32_t> seeds = seeds_of(rows, count);
    EXPECT_EQ(seeds.size(), std::min<size_t>(count, 50));
    for (size_t i = 0; i < seeds.size(); ++i) {
      for (size_t j = 0; j < i; ++j) EXPECT_FALSE(same_code(rows.view(), seeds[i], seeds[j]));
    }
  }
}

TEST(Seeds, FindTheOneRowThatDiffers) {
  Vectors vectors(100000, std::vector<float>(16, 1.0f));
  vectors[77777][3] = 2.0f;
  const std::vector<uint32_t> seeds = seeds_of(CodeRows(vectors), 2);
  ASSERT_EQ(seeds.size(), 2u);
  EXPECT_EQ(seeds[1], 77777u);
}

}  // namespace
}  // namespace vann::cluster
