// residents_test.cpp — the rows that are in memory, and candidates renamed to their places and back.
#include "core/bulk/residents.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "support/stdio_space.hpp"
#include "unit/core/bulk/some_rows.hpp"

namespace vann::bulk {
namespace {

using build::Candidate;
using test::SomeRows;
using vann::test::StdioSpace;

class ResidentRows : public testing::Test {
 protected:
  static constexpr uint32_t kRows = 500;

  ResidentRows() {
    for (uint32_t row = 0; row < kRows; ++row)
      file_.append(row, rows_.code(row), rows_.values(row));
  }

  SomeRows rows_{kRows, 24};
  StdioSpace space_;
  RowFile file_{space_.create(), 24};
  Residents residents_{kRows, 24, 100};
};

TEST_F(ResidentRows, HoldsTheCodesOfItsMembers) {
  for (int round = 0; round < 2; ++round) {
    residents_.clear();
    for (uint32_t row = 499; row >= 300; row -= 3) residents_.add(row - static_cast<uint32_t>(round));
    residents_.load(file_, 0);
    ASSERT_EQ(residents_.members().size(), 67u);
    const build::RowView view = residents_.view();
    ASSERT_EQ(view.size(), 67u);
    residents_.members().for_each([&](uint32_t row) {
      const uint32_t place = residents_.place(row);
      EXPECT_TRUE(rows_.equal(row, view.code(place), view.values(place)));
      EXPECT_EQ(residents_.codes().keys()[place], row);
    });
  }
}

TEST_F(ResidentRows, AreFullAtTheirCapacity) {
  for (uint32_t row = 0; row < 100; ++row) {
    EXPECT_FALSE(residents_.is_full());
    residents_.add(row * 2);
    residents_.add(row * 2);
  }
  EXPECT_TRUE(residents_.is_full());
  residents_.clear();
  EXPECT_FALSE(residents_.is_full());
}

TEST_F(ResidentRows, AreMoreThanTheLeast) {
  residents_.add(1);
  residents_.add(400);
  residents_.load(file_, 33);
  EXPECT_EQ(residents_.members().size(), 34u);
  EXPECT_TRUE(residents_.members().contains(400));
  EXPECT_TRUE(residents_.members().contains(32));
  EXPECT_FALSE(residents_.members().contains(33));
  EXPECT_EQ(residents_.place(400), 33u);
  residents_.clear();
  residents_.load(file_, kRows + 10);  // there are no more
  EXPECT_EQ(residents_.members().size(), kRows);
}

TEST_F(ResidentRows, RenamesCandidatesAndKeepsTheirOrder) {
  std::vector<Candidate> list;
  for (const uint32_t row : {7u, 80u, 81u, 300u, 499u}) {
    residents_.add(row);
    list.push_back(build::make_candidate(1.5f, row));
    list.push_back(build::make_candidate(static_cast<float>(row % 5), row));
  }
  std::sort(list.begin(), list.end());
  list.push_back(build::kNoCandidate);
  residents_.load(file_, 0);
  const std::vector<Candidate> numbers = list;
  residents_.to_places(list);
  EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
  EXPECT_EQ(list.back(), build::kNoCandidate);
  for (size_t i = 0; i + 1 < list.size(); ++i) {
    EXPECT_EQ(build::row_of(list[i]), residents_.place(build::row_of(numbers[i])));
    EXPECT_EQ(build::distance_of(list[i]), build::distance_of(numbers[i]));
  }
  residents_.to_numbers(list);
  EXPECT_EQ(list, numbers);
}

}  // namespace
}  // namespace vann::bulk
