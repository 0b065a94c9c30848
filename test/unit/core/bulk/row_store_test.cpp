// row_store_test.cpp — equal codes become one row with the least key, whatever comes first.
#include "core/bulk/row_store.hpp"

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "unit/core/bulk/some_rows.hpp"

namespace vann::bulk {
namespace {

using test::SomeRows;

TEST(RowStore, CollapsesEqualCodes) {
  // More rows than the first table has places for, each up to four times.
  const SomeRows rows(5000, 20);
  std::map<size_t, std::vector<RowKey>> keys_of;
  std::vector<std::pair<RowKey, size_t>> arrivals;
  std::mt19937 random(1);
  for (size_t row = 0; row < rows.size(); ++row) {
    for (size_t copy = 0; copy <= row % 4; ++copy) {
      arrivals.emplace_back(arrivals.size(), row);
      keys_of[row].push_back(arrivals.back().first);
    }
  }
  std::shuffle(arrivals.begin(), arrivals.end(), random);

  RowStore store(20, 20000);
  std::map<size_t, size_t> place;  // of a row in the store
  for (const auto &[key, row] : arrivals) {
    const bool known = place.count(row) != 0;
    const auto added = store.add(key, rows.code(row), rows.values(row));
    ASSERT_EQ(added, known ? RowStore::Added::kKnown : RowStore::Added::kNew);
    if (!known) place[row] = store.size() - 1;
  }
  ASSERT_EQ(store.size(), rows.size());
  std::map<size_t, std::vector<RowKey>> further;
  for (const auto &[at, key] : store.further()) further[at].push_back(key);
  for (const auto &[row, at] : place) {
    ASSERT_TRUE(rows.equal(row, store.code(at), store.values(at)));
    EXPECT_EQ(store.key(at), keys_of[row].front());
    std::vector<RowKey> rest = further[at];
    std::sort(rest.begin(), rest.end());
    EXPECT_EQ(rest, std::vector<RowKey>(keys_of[row].begin() + 1, keys_of[row].end()));
  }
  store.finish();
  EXPECT_EQ(store.set().rows, rows.size());
  const std::vector<uint32_t> by_key = store.by_key();
  for (size_t i = 1; i < by_key.size(); ++i)
    ASSERT_LT(store.key(by_key[i - 1]), store.key(by_key[i]));
}

TEST(RowStore, TellsCodesApartByDigitsAndFactors) {
  const SomeRows rows(1, 16);
  RowStore store(16, 10);
  std::vector<int8_t> values(rows.values(0), rows.values(0) + rows.stride());
  quantize::ByteCode code = rows.code(0);
  EXPECT_EQ(store.add(1, code, values.data()), RowStore::Added::kNew);
  ++values[7];
  EXPECT_EQ(store.add(2, code, values.data()), RowStore::Added::kNew);
  code.factors.delta *= 2;
  EXPECT_EQ(store.add(3, code, values.data()), RowStore::Added::kNew);
  EXPECT_EQ(store.add(4, code, values.data()), RowStore::Added::kKnown);
}

TEST(RowStore, TakesNoMoreThanItsRoom) {
  const SomeRows rows(11, 16);
  RowStore store(16, 10);
  for (size_t row = 0; row < 10; ++row)
    EXPECT_EQ(store.add(row, rows.code(row), rows.values(row)), RowStore::Added::kNew);
  EXPECT_EQ(store.add(10, rows.code(10), rows.values(10)), RowStore::Added::kNoRoom);
  EXPECT_EQ(store.size(), 10u);
  RowStore none(16, 0);
  EXPECT_EQ(none.add(1, rows.code(0), rows.values(0)), RowStore::Added::kNoRoom);
}

TEST(RowStore, CountsFurtherKeys) {
  const SomeRows rows(1, 16);
  RowStore store(16, 10);
  size_t taken = 0;
  while (store.add(taken, rows.code(0), rows.values(0)) != RowStore::Added::kNoRoom) ++taken;
  EXPECT_EQ(taken, 1 + 9 * 16u);
  EXPECT_EQ(store.size(), 1u);
}

TEST(RowStore, ForgetsOnReset) {
  const SomeRows rows(2000, 16);
  RowStore store(16, 2000);
  for (int pass = 0; pass < 2; ++pass) {
    for (size_t row = 0; row < rows.size(); ++row)
      ASSERT_EQ(store.add(row, rows.code(row), rows.values(row)), RowStore::Added::kNew);
    store.reset();
    EXPECT_EQ(store.size(), 0u);
    EXPECT_TRUE(store.by_key().empty());
  }
  store.add(5, rows.code(1), rows.values(1));
  store.add(3, rows.code(1), rows.values(1));
  store.reset();
  EXPECT_TRUE(store.further().empty());
}

}  // namespace
}  // namespace vann::bulk
