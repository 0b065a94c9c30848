// array_test.cpp — arrays keep their contents while they grow, and may be abandoned.
#include "core/base/array.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "support/test_allocator.hpp"

namespace vann {
namespace {

static_assert(std::is_trivially_destructible_v<Array<int>>);

TEST(Array, KeepsContentsWhileItGrows) {
  test::TestAllocator memory;
  Array<uint32_t> array;
  for (uint32_t i = 0; i < 10000; ++i) {
    array.push(memory.get(), i);
    ASSERT_EQ(array.size, i + 1);
    ASSERT_LE(array.size, array.capacity);
  }
  for (uint32_t i = 0; i < 10000; ++i) ASSERT_EQ(array[i], i);
  EXPECT_EQ(std::accumulate(array.begin(), array.end(), 0u), 49995000u);
  EXPECT_EQ(memory.live_blocks(), 1u);
  EXPECT_EQ(memory.live_bytes(), array.capacity * sizeof(uint32_t));
}

TEST(Array, GrowsGeometrically) {
  test::TestAllocator memory;
  Array<uint8_t> array;
  size_t moves = 0;
  for (size_t i = 0; i < 100000; ++i) {
    const uint8_t *before = array.data;
    array.push(memory.get(), 1);
    moves += array.data != before;
  }
  EXPECT_LE(moves, 20u);
}

TEST(Array, ReserveNeverShrinksAndClearKeepsTheMemory) {
  test::TestAllocator memory;
  Array<uint32_t> array;
  array.reserve(memory.get(), 100);
  EXPECT_EQ(array.size, 0u);
  EXPECT_GE(array.capacity, 100u);
  const size_t capacity = array.capacity;
  const uint32_t *data = array.data;
  array.reserve(memory.get(), 10);
  for (uint32_t i = 0; i < 100; ++i) array.push(memory.get(), i);
  array.clear();
  EXPECT_EQ(array.begin(), array.end());
  EXPECT_EQ(array.data, data);
  EXPECT_EQ(array.capacity, capacity);
}

}  // namespace
}  // namespace vann
