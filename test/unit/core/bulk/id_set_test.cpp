// id_set_test.cpp — against std::set.
#include "core/bulk/id_set.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace vann::bulk {
namespace {

TEST(IdSet, TellsMembersAndTheirRanks) {
  std::mt19937 random(1);
  for (const size_t limit : {1u, 63u, 64u, 65u, 1000u, 70000u}) {
    IdSet set(limit);
    for (int round = 0; round < 2; ++round) {
      std::set<uint32_t> expected{0, static_cast<uint32_t>(limit - 1)};
      while (expected.size() < limit / 3) expected.insert(random() % static_cast<uint32_t>(limit));
      std::vector<uint32_t> adds(expected.begin(), expected.end());
      adds.insert(adds.end(), expected.begin(), expected.end());
      std::shuffle(adds.begin(), adds.end(), random);
      for (const uint32_t id : adds) set.add(id);
      set.index();
      EXPECT_EQ(set.size(), expected.size());
      for (uint32_t id = 0; id < limit; ++id) ASSERT_EQ(set.contains(id), expected.count(id) == 1);
      std::vector<uint32_t> members;
      set.for_each([&](uint32_t id) {
        ASSERT_EQ(set.rank(id), members.size());
        members.push_back(id);
      });
      EXPECT_EQ(members, std::vector<uint32_t>(expected.begin(), expected.end()));
      set.clear();
      EXPECT_EQ(set.size(), 0u);
      EXPECT_FALSE(set.contains(0));
    }
  }
}

TEST(IdSet, MayBeEmpty) {
  IdSet set(0);
  set.index();
  set.for_each([](uint32_t) { FAIL(); });
  EXPECT_EQ(set.size(), 0u);
}

}  // namespace
}  // namespace vann::bulk
