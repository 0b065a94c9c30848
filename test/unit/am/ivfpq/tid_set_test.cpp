// tid_set_test.cpp — the set of TIDs against std::set.
#include "am/ivfpq/tid_set.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "support/test_allocator.hpp"

namespace vann::ivfpq {
namespace {

using am::HeapTid;

class TidSetTest : public testing::Test {
 protected:
  vann::test::TestAllocator memory_;
  Allocator allocator_ = memory_.get();
  TidSet set_;
};

TEST_F(TidSetTest, IsEmptyAtFirst) {
  EXPECT_FALSE(set_.contains({0, 0, 1}));
  EXPECT_EQ(set_.bytes(), 0u);
}

TEST_F(TidSetTest, TellsNewTidsFromKnownOnes) {
  EXPECT_TRUE(set_.insert(allocator_, {0, 0, 1}));
  EXPECT_FALSE(set_.insert(allocator_, {0, 0, 1}));
  EXPECT_TRUE(set_.contains({0, 0, 1}));
  EXPECT_FALSE(set_.contains({0, 1, 1}));
  EXPECT_FALSE(set_.contains({1, 0, 1}));
  EXPECT_FALSE(set_.contains({0, 0, 2}));
}

TEST_F(TidSetTest, TakesTheSmallestAndTheLargestTids) {
  const HeapTid ends[] = {{0, 0, 1}, {0xffff, 0xfffe, 0xffff}, {0, 0xffff, 1}, {0xffff, 0, 1}};
  for (const HeapTid &tid : ends) EXPECT_TRUE(set_.insert(allocator_, tid));
  for (const HeapTid &tid : ends) EXPECT_FALSE(set_.insert(allocator_, tid));
}

// Runs of TIDs as tables have them, random ones, and repeated ones, across many growths.
TEST_F(TidSetTest, AgreesWithASet) {
  std::mt19937 generator(7);
  std::set<uint64_t> expected;
  for (int i = 0; i < 200000; ++i) {
    const uint32_t block = i % 3 == 0 ? generator() : static_cast<uint32_t>(i) / 60;
    const HeapTid tid = {static_cast<uint16_t>(block >> 16), static_cast<uint16_t>(block),
                         static_cast<uint16_t>(1 + generator() % 60)};
    ASSERT_EQ(set_.contains(tid), expected.count(am::tid_key(tid)) == 1);
    ASSERT_EQ(set_.insert(allocator_, tid), expected.insert(am::tid_key(tid)).second);
  }
  for (const uint64_t key : expected) ASSERT_TRUE(set_.contains(am::heap_tid(key)));
  EXPECT_LE(set_.bytes(), 8 * sizeof(uint64_t) * expected.size());
  EXPECT_EQ(memory_.live_blocks(), 1u) << "growing frees what it leaves";
}

TEST_F(TidSetTest, ForgetsEverythingAndKeepsItsMemory) {
  for (uint16_t i = 1; i < 5000; ++i) set_.insert(allocator_, {0, i, i});
  const size_t bytes = set_.bytes();
  set_.clear();
  EXPECT_EQ(set_.bytes(), bytes);
  for (uint16_t i = 1; i < 5000; ++i) {
    ASSERT_FALSE(set_.contains({0, i, i}));
    ASSERT_TRUE(set_.insert(allocator_, {0, i, i}));
  }
  EXPECT_EQ(set_.bytes(), bytes);
}

}  // namespace
}  // namespace vann::ivfpq
