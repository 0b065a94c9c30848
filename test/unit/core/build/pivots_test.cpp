// pivots_test.cpp — arranged centres stay what they are, and near ones lie side by side.
#include "core/build/pivots.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "byte_set.hpp"

namespace vann::build {
namespace {

using test::ByteSet;
using test::clustered_vectors;
using test::Vectors;

// The number of the pivot that each row is, after arranging pivots that are the rows themselves.
std::vector<uint16_t> numbers_of(const ByteSet &data) {
  const VectorSet set = data.set();
  const RowView view(set, nullptr, set.size());
  std::vector<uint32_t> ids(set.size());
  std::iota(ids.begin(), ids.end(), 0u);
  Random random(1, 2);
  Pivots pivots;
  pivots.choose(view, ids, ids.size(), random);
  PivotScratch scratch;
  pivots.arrange(view, scratch);
  EXPECT_EQ(pivots.size(), ids.size());
  std::vector<uint16_t> numbers(ids.size());
  pivots.assign(view, ids, 1, scratch, numbers.data());
  return numbers;
}

void expect_permutation(std::vector<uint16_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  for (size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], i);
}

TEST(Arrange, KeepsAllPivots) {
  for (const size_t rows : {1u, 2u, 3u, 4u, 17u, 500u})
    expect_permutation(numbers_of(ByteSet(clustered_vectors(rows, 32, 20, 0.5f, 9))));
}

TEST(Arrange, OrdersClustersOnALine) {
  // Eight clusters of 16, their rows mixed: each becomes a run of numbers, next to its neighbors'.
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  Vectors vectors(128, std::vector<float>(32));
  for (size_t row = 0; row < 128; ++row) {
    for (float &x : vectors[row]) x = static_cast<float>(row % 8) + 0.1f * normal(random);
  }
  const std::vector<uint16_t> numbers = numbers_of(ByteSet(vectors));
  expect_permutation(numbers);
  const bool ascending = numbers[0] < numbers[7];
  for (size_t row = 0; row < 128; ++row)
    EXPECT_EQ(numbers[row] / 16, ascending ? row % 8 : 7 - row % 8);
}

TEST(Arrange, PutsNearPivotsSideBySide) {
  const ByteSet data(clustered_vectors(1000, 48, 50, 0.3f, 11));
  const std::vector<uint16_t> numbers = numbers_of(data);
  std::vector<uint32_t> order(1000);
  for (uint32_t row = 0; row < 1000; ++row) order[numbers[row]] = row;
  const VectorSet set = data.set();
  const RowView view(set, nullptr, set.size());
  double adjacent = 0;
  double random = 0;
  for (uint32_t i = 0; i + 1 < 1000; ++i) {
    adjacent += std::sqrt(view.distance(order[i], order[i + 1]));
    random += std::sqrt(view.distance(i, (i * 7919u + 13u) % 1000u));
  }
  EXPECT_LT(adjacent, 0.6 * random);
}

TEST(Arrange, AcceptsEqualPivotsAndOverflow) {
  numbers_of(ByteSet(Vectors(100, std::vector<float>(16, 1.0f))));
  Vectors vectors = clustered_vectors(100, 24, 3, 1.0f, 43);
  for (size_t row = 0; row < vectors.size(); ++row)
    for (float &x : vectors[row]) x *= row % 3 == 0 ? 1e30f : 1e18f;
  numbers_of(ByteSet(vectors));
}

}  // namespace
}  // namespace vann::build
