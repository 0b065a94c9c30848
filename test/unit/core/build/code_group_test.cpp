// code_group_test.cpp — distances between gathered codes against the decoded vectors.
#include "core/build/code_group.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "byte_set.hpp"

namespace vann::build {
namespace {

using test::ByteSet;
using test::clustered_vectors;

class DistanceTileOf : public testing::TestWithParam<size_t> {};

TEST_P(DistanceTileOf, MatchesDecodedVectorsInBothDirections) {
  const ByteSet data(clustered_vectors(40, GetParam(), 3, 1.0f, 11));
  const VectorSet set = data.set();
  const RowView view(set, nullptr, set.size());
  std::vector<uint32_t> left{5, 0, 39, 17, 8};
  std::vector<uint32_t> right(37);
  std::iota(right.begin(), right.end(), 2u);
  CodeGroup a;
  CodeGroup b;
  a.gather(view, left);
  b.gather(view, right);
  b.pack();
  EXPECT_EQ(b.columns(), 48u);
  DistanceTile tile;
  tile.multiply(a, 1, 4, b);
  for (size_t i = 0; i < 4; ++i) {
    const std::vector<float> decoded = data.decoded(left[i + 1]);
    const float *row = tile.row(i, 16);
    for (size_t j = 16; j < right.size(); ++j) {
      const float expected = data.distance(decoded, right[j]);
      const float scale = decoded_norm_squared(view.code(left[i + 1]).factors) +
                          decoded_norm_squared(view.code(right[j]).factors);
      EXPECT_NEAR(row[j], expected, 1e-4f * scale);
      EXPECT_EQ(row[j], view.distance(left[i + 1], right[j]));
      EXPECT_EQ(row[j], view.distance(right[j], left[i + 1]));
    }
    for (size_t j = right.size(); j < b.columns(); ++j) EXPECT_TRUE(std::isnan(row[j]));
  }
}

INSTANTIATE_TEST_SUITE_P(Dims, DistanceTileOf, testing::Values(3, 64, 100, 784));

TEST(RowView, FollowsItsNumbering) {
  const ByteSet data(clustered_vectors(10, 32, 2, 1.0f, 3));
  const VectorSet set = data.set();
  const std::vector<uint32_t> numbers{7, 2, 9};
  const RowView view(set, numbers.data(), numbers.size());
  const RowView all(set, nullptr, set.size());
  EXPECT_EQ(view.size(), 3u);
  EXPECT_EQ(view.distance(0, 2), all.distance(7, 9));
}

TEST(AlignedBuffer, GrowsOnCacheLines) {
  AlignedBuffer<int8_t> buffer;
  for (const size_t count : {1, 100, 50, 1000}) {
    int8_t *memory = buffer.reserve(count);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u);
    std::fill_n(memory, count, int8_t{1});
  }
}

}  // namespace
}  // namespace vann::build
