// Recall on points of a line, where neighbors are known without a computation.
#include "bench/data/ground_truth.hpp"

#include <filesystem>
#include <stdexcept>

#include <gtest/gtest.h>
#include <unistd.h>

namespace vann::bench {
namespace {

// Rows at 0, 1, 2, ... and a query at 0.2: its neighbors are 0, 1, 2, ...
Dataset line(size_t rows) {
  Dataset data{"line", Metric::kL2, 0, {0, 1, {}}, {0, 1, {}}};
  for (size_t i = 0; i < rows; ++i) {
    const auto at = static_cast<float>(i);
    data.base.append(&at);
  }
  const float query = 0.2f;
  data.queries.append(&query);
  return data;
}

TEST(GroundTruth, CountsWhatWasFoundOnce) {
  const Dataset data = line(300);
  const GroundTruth truth(data, {0, 300}, "");
  EXPECT_DOUBLE_EQ(truth.recall({{0, 1, 2, 3}}, 4), 1);
  EXPECT_DOUBLE_EQ(truth.recall({{3, 2, 1, 0}}, 4), 1);
  EXPECT_DOUBLE_EQ(truth.recall({{0, 1, 7, 8}}, 4), 0.5);
  EXPECT_DOUBLE_EQ(truth.recall({{0, 0, 0, 0}}, 4), 0.25);
  EXPECT_DOUBLE_EQ(truth.recall({{}}, 4), 0);
}

TEST(GroundTruth, CountsARowAsNearAsTheLast) {
  Dataset data = line(300);
  data.queries.values[0] = 1;  // 0 and 2 are equally near
  const GroundTruth truth(data, {0, 300}, "");
  EXPECT_DOUBLE_EQ(truth.recall({{1, 0}}, 2), 1);
  EXPECT_DOUBLE_EQ(truth.recall({{1, 2}}, 2), 1);
}

TEST(GroundTruth, LooksAtPresentAndAllowedRowsOnly) {
  const Dataset data = line(300);
  const GroundTruth truth(data, {0, 300}, "");
  const Present odd = [](size_t row) { return row % 2 == 1; };
  EXPECT_DOUBLE_EQ(truth.recall({{1, 3, 5}}, 3, odd), 1);
  EXPECT_DOUBLE_EQ(truth.recall({{0, 1, 2}}, 3, odd), 1.0 / 3);
  const GroundTruth few(data, {0, 300}, "", "few", [](size_t, size_t row) { return row < 2; });
  EXPECT_DOUBLE_EQ(few.recall({{0, 1}}, 10), 1);  // two are all that there are
  EXPECT_DOUBLE_EQ(few.recall({{0, 5}}, 10), 0.5);
  EXPECT_THROW(truth.recall({{0}}, 10, [](size_t row) { return row > 290; }), std::runtime_error);
}

TEST(GroundTruth, IsTheSameFromTheCache) {
  const std::string cache = testing::TempDir() + "vann-truth-" + std::to_string(getpid());
  std::filesystem::create_directories(cache);
  const Dataset data = line(300);
  const GroundTruth computed(data, {10, 300}, cache);
  ASSERT_FALSE(std::filesystem::is_empty(cache));
  EXPECT_EQ(GroundTruth(data, {10, 300}, cache).neighbors(0), computed.neighbors(0));
  EXPECT_EQ(computed.neighbors(0).front(), 10u);
  Dataset other = line(300);
  other.base.values[20] = -1;  // another file: the check sum differs
  EXPECT_EQ(GroundTruth(other, {10, 300}, cache).neighbors(0).front(), 20u);
  std::filesystem::remove_all(cache);
}

}  // namespace
}  // namespace vann::bench
