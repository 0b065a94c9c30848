// reverse_block_test.cpp — the nearest edges into each row are kept, as many as there is room for.
#include "core/bulk/reverse_block.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "core/build/prune.hpp"
#include "support/stdio_space.hpp"

namespace vann::bulk {
namespace {

using build::Candidate;
using vann::test::StdioSpace;

constexpr uint32_t kBase = 1000;

// Edges into a block of rows: counts[row] each, in random order.
class Edges {
 public:
  explicit Edges(const std::vector<uint32_t> &counts) : expected_(counts.size()) {
    std::mt19937 random(3);
    std::vector<ReverseEdge> edges;
    for (uint32_t row = 0; row < counts.size(); ++row) {
      for (uint32_t source = 0; source < counts[row]; ++source) {
        // Few distances: ties are settled by source.
        const float distance = static_cast<float>(random() % 50);
        edges.push_back({kBase + row, source, distance});
        expected_[row].push_back(build::make_candidate(distance, source));
      }
      std::sort(expected_[row].begin(), expected_[row].end());
    }
    std::shuffle(edges.begin(), edges.end(), random);
    file_.append(edges.data(), edges.size() * sizeof(ReverseEdge));
  }

  // How many edges of each row are kept; they are the nearest.
  std::vector<size_t> kept(size_t most) {
    ReverseBlock block(std::move(file_), kBase, static_cast<uint32_t>(expected_.size()), most);
    std::vector<size_t> kept;
    for (uint32_t row = 0; row < expected_.size(); ++row) {
      std::vector<Candidate> into(block.into(row).begin(), block.into(row).end());
      std::sort(into.begin(), into.end());
      kept.push_back(into.size());
      EXPECT_LE(into.size(), expected_[row].size());
      EXPECT_TRUE(std::equal(into.begin(), into.end(), expected_[row].begin())) << "row " << row;
    }
    return kept;
  }

 private:
  StdioSpace space_;
  spill::BufferedFile file_{space_.create(), 4096};
  std::vector<std::vector<Candidate>> expected_;
};

TEST(ReverseBlock, KeepsAllThatAreLookedAt) {
  Edges edges({0, 1, 5, build::kReverseCap, build::kReverseCap + 1, 3000, 0});
  const std::vector<size_t> expected{0, 1, 5, 128, 128, 128, 0};
  EXPECT_EQ(edges.kept(1000), expected);
}

TEST(ReverseBlock, CapsHubsWhereThereIsNoRoomForAll) {
  Edges edges({200, 200, 200, 10, 10, 0, 0, 0, 0, 0});
  const std::vector<size_t> kept = edges.kept(200);
  EXPECT_EQ(kept[0], kept[1]);
  EXPECT_EQ(kept[0], kept[2]);
  EXPECT_GE(kept[0], 20u);  // the fair share
  EXPECT_LE(3 * kept[0] + 20, 200u);
  EXPECT_GT(3 * kept[0] + 20, 120u);  // not far below what fits
  EXPECT_EQ(kept[3], 10u);
  EXPECT_EQ(kept[9], 0u);
}

TEST(ReverseBlock, KeepsTheFairShareOfEveryRow) {
  for (const size_t share : {1u, 2u, 3u, 5u, 32u}) {
    Edges edges(std::vector<uint32_t>(40, 300));
    EXPECT_EQ(edges.kept(40 * share), std::vector<size_t>(40, share));
  }
  Edges one_each({300, 300});
  EXPECT_EQ(one_each.kept(0), std::vector<size_t>(2, 1));
}

TEST(ReverseBlock, MayBeEmpty) {
  Edges edges({0, 0, 0});
  EXPECT_EQ(edges.kept(10), std::vector<size_t>(3, 0));
}

TEST(ReverseBlock, ReadsMoreEdgesThanOneRead) {
  Edges edges(std::vector<uint32_t>(300, 400));
  EXPECT_EQ(edges.kept(300 * 128), std::vector<size_t>(300, 128));
}

}  // namespace
}  // namespace vann::bulk
