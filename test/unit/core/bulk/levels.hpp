// levels.hpp — what tests of whole builds share: parameters, rows to add, copies of levels and what each
// of them must satisfy.
#pragma once

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "core/bulk/index_build.hpp"

namespace vann::bulk::test {

inline Params params_for(size_t dims, size_t memory, unsigned threads = 2) {
  Params params;
  params.graph.leaf_rows = 100;
  params.graph.fanout = 6;
  params.graph.threads = threads;
  params.dims = dims;
  params.memory = memory;
  params.level_divisor = 32;
  params.max_level = 3;
  return params;
}

inline std::vector<uint32_t> in_order(size_t rows) {
  std::vector<uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

// Adds rows of a set in some order; the key of row i is 10 i.
inline void add_rows(const build::VectorSet &set, std::span<const uint32_t> order,
                     IndexBuild &build) {
  const size_t stride = quantize::padded_dims(set.dims);
  for (const uint32_t row : order)
    build.add(RowKey{row} * 10, set.codes[row], set.values + row * stride);
}

// A level copied out through load(), with what it says of keys and codes.
struct Copy {
  build::Graph graph;
  std::vector<RowKey> keys;
  std::vector<uint32_t> elements;
};

inline Copy copy_level(Level &level, const build::VectorSet &set, uint32_t degree, bool bottom) {
  Copy copy;
  copy.graph.rows = level.rows();
  copy.graph.degree = degree;
  copy.graph.entry = level.entry();
  for (uint32_t begin = 0; begin < level.rows();) {
    const Stretch &stretch = level.load(begin, 777);
    EXPECT_EQ(stretch.begin, begin);
    EXPECT_GT(stretch.end, begin);
    EXPECT_LE(stretch.end, begin + 777);
    for (uint32_t number = begin; number < stretch.end; ++number) {
      const uint32_t *list = stretch.neighbors(number);
      copy.graph.neighbors.insert(copy.graph.neighbors.end(), list, list + degree);
      copy.elements.push_back(level.element(number));
      EXPECT_EQ(level.number_of(level.element(number)), number);
      if (!bottom) continue;
      copy.keys.push_back(stretch.key(number));
      const size_t row = stretch.key(number) / 10;
      EXPECT_EQ(std::memcmp(stretch.values(number), set.values + row * stretch.stride,
                            stretch.stride), 0);
      EXPECT_EQ(stretch.code(number).sum, set.codes[row].sum);
    }
    begin = stretch.end;
  }
  return copy;
}

// Distinct neighbors, full lists, all rows reachable.
inline void expect_sound(const build::Graph &graph) {
  const size_t expected = std::min<size_t>(graph.degree, graph.rows - 1);
  ASSERT_LT(graph.entry, graph.rows);
  std::vector<uint8_t> seen(graph.rows);
  std::vector<uint32_t> stack{graph.entry};
  seen[graph.entry] = 1;
  size_t reached = 0;
  for (; !stack.empty(); ++reached) {
    const uint32_t row = stack.back();
    stack.pop_back();
    const uint32_t *list = graph.neighbors.data() + size_t{row} * graph.degree;
    const std::set<uint32_t> distinct(list, list + expected);
    ASSERT_EQ(distinct.size(), expected) << "row " << row;
    ASSERT_EQ(distinct.count(row), 0u);
    for (size_t i = expected; i < graph.degree; ++i) ASSERT_EQ(list[i], build::kNoRow);
    for (const uint32_t other : distinct) {
      ASSERT_LT(other, graph.rows);
      if (!seen[other]) stack.push_back(other);
      seen[other] = 1;
    }
  }
  EXPECT_EQ(reached, graph.rows);
}

}  // namespace vann::bulk::test
