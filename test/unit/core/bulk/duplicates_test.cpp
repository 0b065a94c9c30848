// duplicates_test.cpp — further keys in memory and in a file say the same.
#include <algorithm>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "core/bulk/file_duplicates.hpp"
#include "core/bulk/memory_duplicates.hpp"
#include "support/stdio_space.hpp"

namespace vann::bulk {
namespace {

using vann::test::StdioSpace;

struct Further {
  uint32_t element;
  std::vector<RowKey> keys;
};

// The third has more keys than a file's buffer holds.
std::vector<Further> some_elements() {
  std::vector<Further> elements{{0, {7}}, {3, {1, 2, 3}}, {4, {}}, {2000000000, {5, 9}}};
  for (RowKey key = 0; key < 20000; ++key) elements[2].keys.push_back(key * 3);
  return elements;
}

std::unique_ptr<Duplicates> in_memory(const std::vector<Further> &elements) {
  std::vector<RowStore::Further> further;
  for (const Further &one : elements)
    for (const RowKey key : one.keys) further.emplace_back(one.element, key);
  return std::make_unique<MemoryDuplicates>(std::move(further));
}

std::unique_ptr<Duplicates> in_file(const std::vector<Further> &elements, StdioSpace &space) {
  auto duplicates = std::make_unique<FileDuplicates>(space.create());
  for (const Further &one : elements)
    duplicates->append(one.element, one.keys.data(), one.keys.size());
  duplicates->finish();
  return duplicates;
}

class InMemoryOrFile : public testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Duplicates> make(const std::vector<Further> &elements) {
    return GetParam() ? in_file(elements, space_) : in_memory(elements);
  }
  StdioSpace space_;
};
INSTANTIATE_TEST_SUITE_P(Duplicates, InMemoryOrFile, testing::Bool());

// Takes at most `most` keys of each element, `step` at a time, and checks what comes.
void expect_elements(Duplicates &duplicates, const std::vector<Further> &elements, size_t most,
                     size_t step) {
  uint32_t element;
  uint64_t count;
  for (const Further &expected : elements) {
    ASSERT_TRUE(duplicates.next(&element, &count));
    EXPECT_EQ(element, expected.element);
    ASSERT_EQ(count, expected.keys.size());
    const size_t wanted = std::min<size_t>(most, count);
    std::vector<RowKey> keys(wanted);
    for (size_t done = 0; done < wanted; done += step)
      duplicates.read(keys.data() + done, std::min(step, wanted - done));
    EXPECT_TRUE(std::equal(keys.begin(), keys.end(), expected.keys.begin()));
  }
  EXPECT_FALSE(duplicates.next(&element, &count));
  EXPECT_FALSE(duplicates.next(&element, &count));
}

TEST_P(InMemoryOrFile, HandsOutKeysAgainAndAgain) {
  const auto elements = some_elements();
  const auto duplicates = make(elements);
  expect_elements(*duplicates, elements, 100000, 100000);
  duplicates->rewind();
  expect_elements(*duplicates, elements, 100000, 7);
}

TEST_P(InMemoryOrFile, PassesOverWhatWasNotRead) {
  const auto elements = some_elements();
  const auto duplicates = make(elements);
  for (const size_t most : {0u, 1u, 2u}) {
    expect_elements(*duplicates, elements, most, 1);
    duplicates->rewind();
  }
  // Back in the middle of an element.
  uint32_t element;
  uint64_t count;
  RowKey key;
  duplicates->next(&element, &count);
  duplicates->next(&element, &count);
  duplicates->read(&key, 1);
  duplicates->rewind();
  expect_elements(*duplicates, elements, 100000, 1000);
}

TEST_P(InMemoryOrFile, MayBeEmpty) { expect_elements(*make({}), {}, 1, 1); }

}  // namespace
}  // namespace vann::bulk
