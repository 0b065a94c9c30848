// pages_test.cpp — arrays from the system: aligned, whole, refused when they are too large.
#include "core/base/pages.hpp"

#include <cstdint>
#include <cstring>

#include <gtest/gtest.h>

namespace vann {
namespace {

TEST(Pages, AreAlignedAndWritable) {
  for (const size_t bytes : {size_t{0}, size_t{1}, kLeastMapped - 1, kLeastMapped, kLeastMapped + 1,
                             size_t{5} << 20}) {
    void *memory = allocate_pages(bytes);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u);
    std::memset(memory, 1, bytes);
    free_pages(memory, bytes);
  }
}

// A mapping of sixteen gigabytes takes no memory before it is written.
TEST(Pages, ReserveMoreThanTheyTake) {
  constexpr size_t kBytes = size_t{16} << 30;
  auto *memory = static_cast<unsigned char *>(allocate_pages(kBytes));
  memory[0] = 1;
  memory[kBytes - 1] = 2;
  EXPECT_EQ(memory[kBytes / 2], 0);
  free_pages(memory, kBytes);
}

TEST(Pages, RefuseWhatIsTooLarge) {
  EXPECT_THROW(allocate_pages(size_t{1} << 62), std::bad_alloc);
  EXPECT_THROW(PageAllocator<uint64_t>().allocate(SIZE_MAX / 4), std::bad_alloc);
}

TEST(Pages, HoldVectors) {
  PageVector<uint32_t> numbers;
  for (uint32_t i = 0; i < 200000; ++i) numbers.push_back(i);  // from the heap into mappings
  for (uint32_t i = 0; i < 200000; ++i) ASSERT_EQ(numbers[i], i);
  PageVector<uint32_t> moved = std::move(numbers);
  EXPECT_EQ(moved.size(), 200000u);
}

}  // namespace
}  // namespace vann
