// level_test.cpp — numbers of rows and elements; levels in memory.
#include "core/bulk/level.hpp"

#include <gtest/gtest.h>

#include "core/bulk/memory_level.hpp"
#include "unit/core/bulk/some_rows.hpp"
#include "unit/core/parallel/monitors.hpp"

namespace vann::bulk {
namespace {

using parallel::test::RecordingMonitor;
using test::SomeRows;

// A level of rows whose keys are 1000 - 3 row.
MemoryLevel level_of(const SomeRows &rows) {
  RowStore store(24, rows.size());
  for (size_t row = 0; row < rows.size(); ++row)
    store.add(1000 - 3 * row, rows.code(row), rows.values(row));
  RecordingMonitor monitor;
  return MemoryLevel(std::move(store), {}, monitor);
}

TEST(Level, NumbersElements) {
  const SomeRows rows(200, 24);
  MemoryLevel level = level_of(rows);
  EXPECT_EQ(level.element(17), 17u);  // the lowest level
  EXPECT_EQ(level.number_of(17), 17u);
  level.take_keys_as_elements();
  std::vector<uint8_t> seen(200);
  for (size_t row = 0; row < 200; ++row) {
    const auto element = static_cast<uint32_t>(1000 - 3 * row);
    const uint32_t number = level.number_of(element);
    ASSERT_LT(number, 200u);
    EXPECT_FALSE(seen[number]);
    seen[number] = 1;
    EXPECT_EQ(level.element(number), element);
    const Stretch &stretch = level.load(number, 1);
    EXPECT_EQ(stretch.key(number), element);
    EXPECT_TRUE(rows.equal(row, stretch.code(number), stretch.values(number)));
  }
}

TEST(Level, LoadsNoMoreThanThereIs) {
  const SomeRows rows(100, 24);
  MemoryLevel level = level_of(rows);
  EXPECT_EQ(level.load(0, 30).end, 30u);
  EXPECT_EQ(level.load(90, 30).end, 100u);
  EXPECT_EQ(level.load(90, 0xffffffffu).end, 100u);
}

}  // namespace
}  // namespace vann::bulk
