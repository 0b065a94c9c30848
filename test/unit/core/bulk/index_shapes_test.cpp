// index_shapes_test.cpp — tables that are hard to divide, in very little memory: every key comes once,
// equal codes become one element, and every level is a sound graph.
#include "core/bulk/index_build.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "support/stdio_space.hpp"
#include "unit/core/build/byte_set.hpp"
#include "unit/core/bulk/levels.hpp"
#include "unit/core/parallel/monitors.hpp"

namespace vann::bulk {
namespace {

using build::test::clustered_vectors;
using build::test::Vectors;
using parallel::test::RecordingMonitor;
using vann::test::StdioSpace;

// Codes of vectors as they are, so that their dimensions are those of the index.
class Codes {
 public:
  explicit Codes(const Vectors &vectors) : dims_(vectors[0].size()) {
    const size_t stride = quantize::padded_dims(dims_);
    values_.resize(vectors.size() * stride);
    for (size_t row = 0; row < vectors.size(); ++row)
      codes_.push_back(
          quantize::encode_bytes(vectors[row].data(), dims_, values_.data() + row * stride));
  }
  size_t size() const { return codes_.size(); }
  build::VectorSet set() const { return {size(), dims_, values_.data(), codes_.data(), {}}; }

  // How many codes differ.
  size_t distinct() const {
    const size_t stride = quantize::padded_dims(dims_);
    std::set<std::string> seen;
    for (size_t row = 0; row < size(); ++row) {
      std::string code(reinterpret_cast<const char *>(&codes_[row].factors),
                       sizeof codes_[row].factors);
      code.append(reinterpret_cast<const char *>(values_.data() + row * stride), stride);
      seen.insert(code);
    }
    return seen.size();
  }

 private:
  size_t dims_;
  std::vector<int8_t> values_;
  std::vector<quantize::ByteCode> codes_;
};

// All keys of an index, of elements and their duplicates.
std::vector<RowKey> all_keys(IndexBuild &index, const test::Copy &bottom) {
  std::vector<RowKey> keys = bottom.keys;
  uint32_t element;
  uint64_t count;
  while (index.duplicates().next(&element, &count)) {
    std::vector<RowKey> further(count);
    index.duplicates().read(further.data(), count);
    EXPECT_LT(bottom.keys.at(element), further.at(0));
    keys.insert(keys.end(), further.begin(), further.end());
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

// Builds, checks all levels, and hands the neighbors of level 0 back.
std::vector<uint32_t> expect_index(const Codes &data, const Params &params,
                                   std::span<const uint32_t> order) {
  StdioSpace space;
  RecordingMonitor monitor;
  IndexBuild index(params, space, monitor);
  test::add_rows(data.set(), order, index);
  index.link();
  EXPECT_TRUE(index.spilled());
  std::vector<uint32_t> neighbors;
  for (size_t level = 0; level < index.levels(); ++level) {
    const test::Copy copy =
        test::copy_level(index.level(level), data.set(), params.graph.degree, level == 0);
    test::expect_sound(copy.graph);
    if (level > 0) continue;
    EXPECT_EQ(copy.graph.rows, data.distinct());
    const std::vector<RowKey> keys = all_keys(index, copy);
    EXPECT_EQ(keys.size(), data.size());
    for (size_t row = 0; row < keys.size(); ++row) EXPECT_EQ(keys[row], row * 10);
    neighbors = copy.graph.neighbors;
    neighbors.push_back(copy.graph.entry);
  }
  return neighbors;
}

// In order and shuffled: the same index.
void expect_index(const Codes &data, const Params &params) {
  std::vector<uint32_t> order = test::in_order(data.size());
  const auto neighbors = expect_index(data, params, order);
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  EXPECT_EQ(expect_index(data, params, order), neighbors);
}

Params tight(const Codes &data, size_t memory) {
  return test::params_for(data.set().dims, memory);
}

Vectors with_noise(Vectors vectors, size_t rows, float spread) {
  const Vectors noise = clustered_vectors(rows, vectors[0].size(), rows, spread, 71);
  vectors.insert(vectors.end(), noise.begin(), noise.end());
  return vectors;
}

TEST(IndexShapes, OneGiantClusterAndNoise) {
  const Codes data(with_noise(clustered_vectors(5000, 32, 1, 0.01f, 3), 500, 5.0f));
  expect_index(data, tight(data, 700'000));
}

// Rows that no centre tells apart: distances overflow, and all share a cell.
TEST(IndexShapes, OneCellWithNearlyAllRows) {
  Vectors vectors = clustered_vectors(4000, 24, 3, 1.0f, 5);
  for (size_t row = 0; row < vectors.size(); ++row) {
    for (float &x : vectors[row]) x *= 1e25f;
    // Pairs of equal rows that lie far apart in the table.
    if (row >= 3000) vectors[row] = vectors[row - 3000];
  }
  const Codes data(vectors);
  expect_index(data, tight(data, 500'000));
}

TEST(IndexShapes, FewDistinctRows) {
  for (const size_t distinct : {1u, 2u, 33u, 34u, 150u}) {
    Vectors vectors = clustered_vectors(distinct, 16, distinct, 1.0f, 7);
    for (size_t row = distinct; row < 3000; ++row) vectors.push_back(vectors[row % distinct]);
    const Codes data(vectors);
    expect_index(data, tight(data, 200'000));
  }
}

// Rows of many directions around one that is nearest to all of them.
TEST(IndexShapes, Hubs) {
  std::mt19937 random(9);
  std::normal_distribution<float> normal;
  Vectors vectors(4000, std::vector<float>(64));
  for (size_t row = 4; row < vectors.size(); ++row) {
    float norm = 0;
    for (float &x : vectors[row]) {
      x = normal(random);
      norm += x * x;
    }
    for (float &x : vectors[row]) x /= std::sqrt(norm);
  }
  for (size_t hub = 0; hub < 4; ++hub) vectors[hub][hub] = 0.01f;
  const Codes data(vectors);
  expect_index(data, tight(data, 600'000));
}

TEST(IndexShapes, SomeDistancesOverflow) {
  Vectors vectors = clustered_vectors(3000, 24, 3, 1.0f, 43);
  for (size_t row = 0; row < vectors.size(); ++row) {
    for (float &x : vectors[row]) x *= row % 3 == 0 ? 1e30f : 1e18f;
  }
  const Codes data(vectors);
  expect_index(data, tight(data, 600'000));
}

TEST(IndexShapes, ClustersFarApart) {
  Vectors vectors = clustered_vectors(4000, 24, 1, 1.0f, 29);
  for (size_t row = 0; row < vectors.size(); ++row)
    vectors[row][row % 8] += 1000.0f * static_cast<float>(1 + row % 16 / 8);
  const Codes data(vectors);
  expect_index(data, tight(data, 500'000));
}

TEST(IndexShapes, AnyDimensions) {
  for (const size_t dims : {1u, 2u, 3u, 1536u}) {
    std::mt19937 random(11);
    std::normal_distribution<float> normal;
    Vectors vectors(dims > 3 ? 600 : 2000, std::vector<float>(dims));
    for (auto &vector : vectors)
      for (float &x : vector) x = normal(random);
    const Codes data(vectors);
    expect_index(data, tight(data, dims > 3 ? 1'000'000 : 300'000));
  }
}

TEST(IndexShapes, AnyDegreeFanoutAndMemory) {
  const Codes data(clustered_vectors(1200, 32, 30, 0.5f, 13));
  struct {
    size_t memory;
    uint32_t degree;
    uint32_t fanout;
  } const shapes[] = {{0, 32, 10}, {300'000, 64, 1}, {1'000'000, 64, 40}};
  for (const auto &shape : shapes) {
    Params params = tight(data, shape.memory);
    params.graph.degree = shape.degree;
    params.graph.fanout = shape.fanout;
    expect_index(data, params);
  }
}

// Fewer centres than leaves that a row should be in.
TEST(IndexShapes, MoreFanoutThanCentres) {
  const Codes data(clustered_vectors(1500, 32, 30, 0.5f, 17));
  Params params = tight(data, 300'000);
  params.graph.leaf_rows = 10000;
  expect_index(data, params);
}

}  // namespace
}  // namespace vann::bulk
