// offer_map_test.cpp — against a standard map, through growth, collisions and reuse.
#include "core/graph/offer_map.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <unordered_map>

#include "support/test_allocator.hpp"

namespace vann::graph {
namespace {

using Seen = OfferMap::Seen;
static_assert(std::is_trivially_destructible_v<OfferMap>);

class Model {
 public:
  Seen offer(uint32_t node, float estimate) {
    const auto [entry, first] = nodes_.try_emplace(node, Entry{estimate, false});
    if (first) return Seen::kFirst;
    if (entry->second.expanded || estimate >= entry->second.best) return Seen::kNothingNew;
    entry->second.best = estimate;
    return Seen::kBetter;
  }
  bool expand(uint32_t node) { return !std::exchange(nodes_[node].expanded, true); }
  bool expanded(uint32_t node) const {
    const auto entry = nodes_.find(node);
    return entry != nodes_.end() && entry->second.expanded;
  }
  size_t used() const { return nodes_.size(); }

 private:
  struct Entry {
    float best = 0;
    bool expanded = false;
  };
  std::unordered_map<uint32_t, Entry> nodes_;
};

// Random operations on nodes first, first + step, ..., which `step` spreads over the hash.
void follow_model(OfferMap *map, const Allocator &allocator, uint32_t first, uint32_t step,
                  uint32_t nodes, uint32_t seed) {
  Model model;
  std::mt19937 generator(seed);
  for (uint32_t i = 0; i < nodes * 4; ++i) {
    const uint32_t node = first + generator() % nodes * step;
    if (generator() % 4 == 0) {
      ASSERT_EQ(map->expand(allocator, node), model.expand(node));
    } else {
      const float estimate = static_cast<float>(generator() % 1000) - 500.0f;
      ASSERT_EQ(map->offer(allocator, node, estimate), model.offer(node, estimate));
    }
    const uint32_t other = first + generator() % nodes * step;
    ASSERT_EQ(map->expanded(other), model.expanded(other));
    ASSERT_EQ(map->used(), model.used());
  }
}

TEST(OfferMap, FollowsTheModel) {
  for (const uint32_t nodes : {1u, 10u, 511u, 513u, 20000u}) {
    for (const uint32_t step : {1u, 4096u, 65536u}) {
      test::TestAllocator memory;
      OfferMap map;
      follow_model(&map, memory.get(), 0, step, nodes, nodes + step);
      EXPECT_EQ(memory.live_blocks(), 1u) << "outgrown tables are freed";
      EXPECT_EQ(map.bytes(), memory.live_bytes());
    }
  }
}

TEST(OfferMap, TakesTheLargestNodes) {
  test::TestAllocator memory;
  OfferMap map;
  follow_model(&map, memory.get(), 0xfffffffeu - 999, 1, 1000, 5);
}

TEST(OfferMap, ForgetsEverythingWhenCleared) {
  test::TestAllocator memory;
  OfferMap map;
  EXPECT_FALSE(map.expanded(7));
  map.clear();
  for (uint32_t round = 0; round < 3; ++round) {
    follow_model(&map, memory.get(), 0, 1, 3000, round);
    map.clear();
    EXPECT_EQ(map.used(), 0u);
    for (uint32_t node = 0; node < 3000; ++node) ASSERT_FALSE(map.expanded(node));
  }
}

TEST(OfferMap, BytesPerNodeAreAsStated) {
  test::TestAllocator memory;
  OfferMap map;
  for (uint32_t node = 0; node < 100000; ++node) {
    map.offer(memory.get(), node * 9, 1.0f);
    if (node < 600) continue;  // the first table
    ASSERT_GE(map.bytes(), 24 * map.used() - 24);
    ASSERT_LE(map.bytes(), 48 * map.used());
  }
}

}  // namespace
}  // namespace vann::graph
