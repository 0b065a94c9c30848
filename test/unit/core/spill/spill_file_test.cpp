// spill_file_test.cpp — the spill files that tests of core work use keep the interface's contract, so
// that what works with them works with the server's.
#include "core/spill/spill_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "support/stdio_space.hpp"

namespace vann {
namespace {

// Appends, overwrites and reads in any order against a vector of bytes.
TEST(SpillFile, HoldsWhatWasWritten) {
  test::StdioSpace space;
  const auto file = space.create();
  std::vector<uint8_t> expected;
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::vector<uint8_t> bytes(random() % 20000);
    for (uint8_t &byte : bytes) byte = static_cast<uint8_t>(random());
    const auto what = random() % 3;
    if (what == 0 && expected.size() < 4'000'000) {
      file->append(bytes.data(), bytes.size());
      expected.insert(expected.end(), bytes.begin(), bytes.end());
      ASSERT_EQ(file->size(), expected.size());
      continue;
    }
    bytes.resize(std::min(bytes.size(), expected.size()));
    const size_t offset = random() % (expected.size() - bytes.size() + 1);
    const auto at = expected.begin() + static_cast<ptrdiff_t>(offset);
    if (what == 1) {
      file->overwrite(offset, bytes.data(), bytes.size());
      std::copy(bytes.begin(), bytes.end(), at);
    } else {
      file->read(offset, bytes.data(), bytes.size());
      ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), at)) << "step " << i;
    }
  }
  EXPECT_EQ(space.bytes_appended(), expected.size());
}

TEST(SpillFile, GoesWithItsObject) {
  test::StdioSpace space;
  auto one = space.create();
  auto two = space.create();
  EXPECT_EQ(space.open_files(), 2u);
  one.reset();
  EXPECT_EQ(space.open_files(), 1u);
  two->append("kept", 4);
  char bytes[4];
  two->read(0, bytes, 4);
  EXPECT_EQ(std::string(bytes, 4), "kept");
}

TEST(SpillFile, FailsFromTheToldCallOn) {
  test::StdioSpace space;
  space.fail_after(3);
  auto file = space.create();
  file->append("ab", 2);
  file->append("cd", 2);
  char byte;
  EXPECT_THROW(file->read(0, &byte, 1), spill::SpillFailed);
  EXPECT_THROW(file->append("e", 1), spill::SpillFailed);
  EXPECT_THROW(file->overwrite(0, "e", 1), spill::SpillFailed);
  EXPECT_THROW(space.create(), spill::SpillFailed);
  EXPECT_EQ(file->size(), 4u);
  file.reset();
  EXPECT_EQ(space.open_files(), 0u);
}

TEST(SpillFile, RefusesWhatWasNotAppended) {
  test::StdioSpace space;
  const auto file = space.create();
  file->append("abc", 3);
  char bytes[4];
  EXPECT_THROW(file->read(0, bytes, 4), std::out_of_range);
  EXPECT_THROW(file->read(~uint64_t{0}, bytes, 2), std::out_of_range);
  EXPECT_THROW(file->overwrite(3, "d", 1), std::out_of_range);
}

}  // namespace
}  // namespace vann
