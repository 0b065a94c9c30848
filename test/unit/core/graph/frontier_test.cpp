// frontier_test.cpp — against a model that keeps every offer and searches them all.
#include "core/graph/frontier.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "support/test_allocator.hpp"

namespace vann::graph {
namespace {

static_assert(std::is_trivially_destructible_v<Frontier>);

class Model {
 public:
  explicit Model(size_t width) : width_(width) {}

  // The width-th smallest of the estimates with which nodes were first offered within the bound.
  float bound() const {
    if (firsts_.size() < width_) return INFINITY;
    std::vector<float> sorted = firsts_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[width_ - 1];
  }

  void offer(const Offer &offered) {
    if (offered.estimate > bound()) {
      waiting_.push_back(offered);
      return;
    }
    const auto [known, first] = best_.try_emplace(offered.node, offered);
    if (first) firsts_.push_back(offered.estimate);
    if (!first && offered.estimate < known->second.estimate) known->second = offered;
  }

  std::optional<Offer> next() {
    const Offer *nearest = nullptr;
    for (const auto &[node, offered] : best_) {
      if (expanded_.contains(node)) continue;
      if (nearest == nullptr || offered.estimate < nearest->estimate) nearest = &offered;
    }
    if (nearest == nullptr || nearest->estimate > bound()) return std::nullopt;
    expanded_.insert(nearest->node);
    return *nearest;
  }

  void widen(size_t width) {
    if (width <= width_) return;
    width_ = width;
    std::vector<Offer> again;
    again.swap(waiting_);
    std::sort(again.begin(), again.end(),
              [](const Offer &a, const Offer &b) { return a.estimate < b.estimate; });
    for (const Offer &offered : again) offer(offered);
  }

  size_t width() const { return width_; }
  const std::set<uint32_t> &expanded() const { return expanded_; }

 private:
  size_t width_;
  std::vector<float> firsts_;
  std::map<uint32_t, Offer> best_;
  std::vector<Offer> waiting_;
  std::set<uint32_t> expanded_;
};

// 1, 2, ... count in random order: no ties, on whose order a heap and the model may differ.
std::vector<float> distinct_estimates(size_t count, std::mt19937 *generator) {
  std::vector<float> out(count);
  std::iota(out.begin(), out.end(), 1.0f);
  std::shuffle(out.begin(), out.end(), *generator);
  return out;
}

void expect_same_next(Frontier *frontier, Model *model) {
  const std::optional<Offer> expected = model->next();
  Offer got{};
  ASSERT_EQ(frontier->next(&got), expected.has_value());
  if (!expected) return;
  ASSERT_EQ(got.node, expected->node);
  ASSERT_EQ(got.estimate, expected->estimate);
  ASSERT_EQ(got.generation, expected->generation);
}

// (width, nodes)
class FrontierOf : public testing::TestWithParam<std::tuple<size_t, uint32_t>> {};

TEST_P(FrontierOf, FollowsTheModel) {
  const auto [width, nodes] = GetParam();
  constexpr size_t kSteps = 3000;
  constexpr size_t kListLength = 12;
  for (uint32_t seed = 0; seed < 4; ++seed) {
    std::mt19937 generator(seed);
    const std::vector<float> estimates = distinct_estimates(kSteps * kListLength, &generator);
    size_t used = 0;
    test::TestAllocator memory;
    Frontier frontier;
    frontier.start(memory.get(), width);
    Model model(width);
    for (size_t step = 0; step < kSteps; ++step) {
      const uint32_t choice = generator() % 100;
      if (choice < 20) {  // a whole neighbor list
        uint32_t list[kListLength];
        uint8_t generations[kListLength];
        const float *const first = &estimates[used];
        for (size_t i = 0; i < kListLength; ++i) {
          list[i] = static_cast<uint32_t>(generator() % nodes);
          generations[i] = static_cast<uint8_t>(generator());
          model.offer({estimates[used++], list[i], generations[i]});
        }
        frontier.offer_all(first, list, generations, kListLength);
      } else if (choice < 60) {
        const Offer offered{estimates[used++], static_cast<uint32_t>(generator() % nodes),
                            static_cast<uint8_t>(generator())};
        frontier.offer(offered.estimate, offered.node, offered.generation);
        model.offer(offered);
      } else if (choice < 98) {
        ASSERT_NO_FATAL_FAILURE(expect_same_next(&frontier, &model)) << "step " << step;
      } else if (generator() % 4 == 0) {
        const size_t wider = model.width() + generator() % (width + 1);
        frontier.widen(wider);
        model.widen(wider);
      }
      ASSERT_EQ(frontier.bound(), model.bound()) << "step " << step;
      ASSERT_EQ(frontier.width(), model.width());
      ASSERT_EQ(frontier.expansions(), model.expanded().size());
    }
    EXPECT_EQ(frontier.bytes(), memory.live_bytes());
  }
}

TEST_P(FrontierOf, WideningExpandsEveryOfferedNodeOnce) {
  const auto [width, nodes] = GetParam();
  for (const uint32_t levels : {1u, 7u, 1000000u}) {  // few levels: many ties
    std::mt19937 generator(levels);
    test::TestAllocator memory;
    Frontier frontier;
    frontier.start(memory.get(), width);
    std::set<uint32_t> offered;
    std::set<uint32_t> expanded;
    const auto drain = [&] {
      Offer got{};
      while (frontier.next(&got)) {
        ASSERT_LE(got.estimate, frontier.bound());
        ASSERT_TRUE(expanded.insert(got.node).second) << got.node;
        ASSERT_TRUE(frontier.expanded(got.node));
      }
    };
    for (uint32_t i = 0; i < 6 * nodes; ++i) {
      const uint32_t node = static_cast<uint32_t>(generator() % nodes);
      frontier.offer(static_cast<float>(generator() % levels), node, 0);
      offered.insert(node);
      if (i % 97 == 0) drain();
    }
    drain();
    int rounds = 0;
    while (!frontier.exhausted()) {
      ASSERT_LT(++rounds, 16);
      frontier.widen(frontier.width() * 2);
      drain();
    }
    EXPECT_EQ(expanded, offered);
    EXPECT_EQ(frontier.expansions(), offered.size());
    Offer got{};
    EXPECT_FALSE(frontier.next(&got));
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, FrontierOf,
                         testing::Combine(testing::Values<size_t>(1, 2, 10, 80, 400),
                                          testing::Values<uint32_t>(1, 30, 900)));

TEST(Frontier, WideningLooksBehindRepeatedOffers) {
  test::TestAllocator memory;
  Frontier frontier;
  frontier.start(memory.get(), 2);
  frontier.offer(1, 1, 0);
  frontier.offer(2, 2, 0);
  for (int i = 0; i < 20; ++i) frontier.offer(3.0f + 0.01f * static_cast<float>(i), 1 + i % 2, 0);
  frontier.offer(5, 3, 9);
  Offer got{};
  EXPECT_TRUE(frontier.next(&got));
  EXPECT_TRUE(frontier.next(&got));
  EXPECT_FALSE(frontier.next(&got));
  frontier.widen(3);
  ASSERT_TRUE(frontier.next(&got)) << "all nearer offers are of expanded nodes";
  EXPECT_EQ(got.node, 3u);
  EXPECT_EQ(got.generation, 9);
  EXPECT_TRUE(frontier.exhausted());
}

TEST(Frontier, ABetterOfferComesFirstAndOnce) {
  test::TestAllocator memory;
  Frontier frontier;
  frontier.start(memory.get(), 4);
  frontier.offer(9, 1, 1);
  frontier.offer(5, 2, 1);
  frontier.offer(3, 1, 2);
  Offer got{};
  ASSERT_TRUE(frontier.next(&got));
  EXPECT_EQ(got.node, 1u);
  EXPECT_EQ(got.estimate, 3.0f);
  EXPECT_EQ(got.generation, 2);
  ASSERT_TRUE(frontier.next(&got));
  EXPECT_EQ(got.node, 2u);
  EXPECT_FALSE(frontier.next(&got));
}

TEST(Frontier, NarrowerWidthsAreIgnored) {
  test::TestAllocator memory;
  Frontier frontier;
  frontier.start(memory.get(), 8);
  for (uint32_t node = 0; node < 20; ++node) {
    frontier.offer(static_cast<float>(node), node, 0);
  }
  const float bound = frontier.bound();
  frontier.widen(3);
  EXPECT_EQ(frontier.width(), 8u);
  EXPECT_EQ(frontier.bound(), bound);
}

TEST(Frontier, StartForgetsTheLastSearch) {
  test::TestAllocator memory;
  Frontier frontier;
  for (int search = 0; search < 3; ++search) {
    frontier.start(memory.get(), 2);
    EXPECT_TRUE(frontier.exhausted());
    EXPECT_EQ(frontier.bound(), INFINITY);
    EXPECT_EQ(frontier.expansions(), 0u);
    Offer got{};
    EXPECT_FALSE(frontier.next(&got));
    for (uint32_t node = 0; node < 5; ++node) {
      EXPECT_FALSE(frontier.expanded(node));
      frontier.offer(static_cast<float>(node), node, 0);
    }
    EXPECT_EQ(frontier.bound(), 1.0f);
    EXPECT_TRUE(frontier.next(&got));
    EXPECT_FALSE(frontier.exhausted());
  }
}

}  // namespace
}  // namespace vann::graph
