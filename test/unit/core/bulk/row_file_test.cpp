// row_file_test.cpp — rows come back as they were written, in stretches, by number, in pairs.
#include "core/bulk/row_file.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "support/stdio_space.hpp"
#include "unit/core/bulk/some_rows.hpp"

namespace vann::bulk {
namespace {

using test::SomeRows;
using vann::test::StdioSpace;

class RowFiles : public testing::Test {
 protected:
  static constexpr size_t kDims = 1536;  // few records in a read
  static constexpr size_t kRows = 3000;

  RowFiles() {
    for (size_t row = 0; row < kRows; ++row)
      file_.append(row * 7, rows_.code(row), rows_.values(row));
  }

  void expect_row(size_t row, RowBlock &block, size_t at) {
    EXPECT_EQ(block.key(at), row * 7);
    ASSERT_TRUE(rows_.equal(row, block.code(at), block.values(at))) << "row " << row;
  }

  void expect_gathered(const std::vector<uint32_t> &ids) {
    IdSet members(kRows);
    for (const uint32_t id : ids) members.add(id);
    members.index();
    RowBlock block(kDims);
    file_.gather(members, block);
    ASSERT_EQ(block.size(), ids.size());
    for (size_t i = 0; i < ids.size(); ++i) expect_row(ids[i], block, i);
  }

  SomeRows rows_{kRows, kDims};
  StdioSpace space_;
  RowFile file_{space_.create(), kDims, 10000};
};

TEST_F(RowFiles, ReadsStretches) {
  EXPECT_EQ(file_.rows(), kRows);
  RowBlock block(kDims);
  const std::pair<size_t, size_t> stretches[] = {{0, 1}, {2999, 1}, {17, 0}, {5, 2900}, {0, kRows}};
  for (const auto &[first, count] : stretches) {
    file_.read(first, count, block);
    ASSERT_EQ(block.size(), count);
    EXPECT_EQ(block.set().rows, count);
    for (size_t i = 0; i < count; ++i) expect_row(first + i, block, i);
  }
}

TEST_F(RowFiles, AppendsAfterReading) {
  RowBlock block(kDims);
  file_.read(0, 10, block);
  file_.finish();
  file_.append(kRows * 7, rows_.code(4), rows_.values(4));
  file_.read(kRows, 1, block);
  EXPECT_EQ(block.key(0), kRows * 7);
  EXPECT_TRUE(rows_.equal(4, block.code(0), block.values(0)));
}

TEST_F(RowFiles, GathersRunsAndGaps) {
  file_.finish();
  expect_gathered({});
  expect_gathered({kRows - 1});
  expect_gathered({0, 1, 2, 4, 9, 15, 500, 501, 2000, kRows - 1});
  std::vector<uint32_t> ids(kRows);
  std::iota(ids.begin(), ids.end(), 0u);
  expect_gathered(ids);  // longer than one read
  std::mt19937 random(2);
  for (const uint32_t one_in : {2u, 6u, 100u}) {
    std::vector<uint32_t> some;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(some),
                 [&](uint32_t) { return random() % one_in == 0; });
    expect_gathered(some);
  }
}

TEST_F(RowFiles, JoinsReadsOfNearRows) {
  file_.finish();
  IdSet members(kRows);
  for (uint32_t id = 0; id < 600; id += 2) members.add(id);
  members.index();
  RowBlock block(kDims);
  space_.fail_after(1);  // 600 records of 1.5 kB are less than one read
  EXPECT_NO_THROW(file_.gather(members, block));
}

TEST_F(RowFiles, MeasuresAsTheSetDoes) {
  RowBlock all(kDims);
  file_.read(0, kRows, all);
  const build::VectorSet set = all.set();
  const build::RowView view(set, nullptr, kRows);
  for (uint32_t a = 0; a < 40; ++a) {
    const uint32_t b = kRows - 1 - 70 * a;
    EXPECT_EQ(file_.distance(a, b), view.distance(a, b));
    EXPECT_EQ(file_.distance(b, a), view.distance(a, b));
  }
}

}  // namespace
}  // namespace vann::bulk
