// Rows that move: halves of the regions, and conditions of SQL that name the same rows.
#include "bench/data/moving.hpp"

#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace vann::bench {
namespace {

constexpr size_t kHeld = 10, kRows = 1000;

Dataset data() {
  Dataset made{"d", Metric::kL2, kHeld, {}, {}};
  made.base = {kHeld + kRows, 1, std::vector<float>(kHeld + kRows)};
  return made;
}

// Regions 0 to 3; 0 holds half of the rows.
Attributes attributes() {
  Attributes made;
  for (size_t row = 0; row < kHeld + kRows; ++row) {
    made.region.push_back(row % 4 < 2 ? 0 : static_cast<int>(row / 4 % 3) + 1);
  }
  return made;
}

TEST(MovingRows, LieInDifferentRegions) {
  const Attributes regions = attributes();
  const MovingRows moving(data(), regions, 200);
  std::set<int> left, right;
  size_t originals = 0, arriving = 0;
  for (size_t row = 0; row < kHeld + kRows; ++row) {
    EXPECT_FALSE(moving.is_original(row) && moving.arrives(row));
    if (moving.is_original(row)) left.insert(regions.region[row]);
    if (moving.arrives(row)) right.insert(regions.region[row]);
    originals += moving.is_original(row);
    arriving += moving.arrives(row);
    EXPECT_FALSE(row < kHeld && (moving.is_original(row) || moving.arrives(row)));
  }
  EXPECT_EQ(originals, 200u);
  EXPECT_EQ(arriving, 100u);
  EXPECT_EQ(moving.n_original(), originals);
  EXPECT_EQ(moving.n_arriving(), arriving);
  // As even as they can be: the region that holds half of the rows is alone.
  EXPECT_EQ(left, std::set<int>{0});
  EXPECT_EQ(right, (std::set<int>{1, 2, 3}));
}

TEST(MovingRows, AreNoMoreThanThereAre) {
  const Attributes regions = attributes();
  const MovingRows moving(data(), regions, 100'000);
  EXPECT_EQ(moving.n_original(), 500u);
  EXPECT_EQ(moving.n_arriving(), 250u);
}

TEST(MovingRows, HaveConditionsThatNameThem) {
  const Attributes regions = attributes();
  const MovingRows moving(data(), regions, 200);
  std::smatch original, arriving;
  const std::string first = moving.original_condition(), second = moving.arriving_condition();
  const std::regex form(R"(id < (\d+) AND region IN \(([0-9, ]+)\))");
  ASSERT_TRUE(std::regex_match(first, original, form)) << first;
  ASSERT_TRUE(std::regex_match(second, arriving, form)) << second;
  const size_t end = std::stoul(original[1]);
  EXPECT_TRUE(moving.is_original(end - 1));
  for (size_t row = end; row < kHeld + kRows; ++row) EXPECT_FALSE(moving.is_original(row));
  EXPECT_EQ(original[2].str().substr(0, 1), "0");
  EXPECT_EQ(moving.leaving_condition(), first + " AND id % 2 = 0");
  for (size_t row = kHeld; row < end; ++row) {
    EXPECT_EQ(moving.stays(row), moving.is_original(row) && row % 2 == 1);
  }
}

}  // namespace
}  // namespace vann::bench
