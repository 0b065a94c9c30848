// bitmap_test.cpp — finds what a plain set of numbers finds.
#include "core/build/bitmap.hpp"

#include <set>

#include <gtest/gtest.h>

#include "core/build/random.hpp"

namespace vann::build {
namespace {

TEST(Bitmap, FindsTheFirstMemberOfARange) {
  Random random(5, 0);
  for (const size_t size : {1, 63, 64, 65, 300}) {
    Bitmap bitmap(size);
    std::set<size_t> members;
    for (size_t i = 0; i < size / 20 + 1; ++i) {
      const size_t member = random.below(size);
      members.insert(member);
      bitmap.add(member);
    }
    for (size_t begin = 0; begin <= size; ++begin) {
      const auto next = members.lower_bound(begin);
      for (size_t end = begin; end <= size; ++end) {
        const size_t expected = next == members.end() || *next >= end ? end : *next;
        ASSERT_EQ(bitmap.first(begin, end), expected) << size << ": " << begin << ", " << end;
      }
    }
  }
}

TEST(Bitmap, ForgetsWhatIsRemoved) {
  Bitmap bitmap(130);
  for (const size_t i : {0, 64, 129}) bitmap.add(i);
  bitmap.remove(64);
  bitmap.remove(65);  // is no member
  EXPECT_TRUE(bitmap.has(0));
  EXPECT_FALSE(bitmap.has(64));
  EXPECT_EQ(bitmap.first(1, 130), 129u);
  EXPECT_EQ(bitmap.words().size(), 3u);
}

}  // namespace
}  // namespace vann::build
