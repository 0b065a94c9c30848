// list_test.cpp — kernels for blocks of lists' rows of every table: lookup32 against its definition,
// bound32 against its formula, with the same bits, at the edges.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/bfloat16.hpp"
#include "each_table.hpp"
#include "support/guarded_array.hpp"

namespace vann::simd {
namespace {

constexpr float kFloatMax = std::numeric_limits<float>::max();

// ---- lookup32 --------------------------------------------------------------------------------

void check_lookup(size_t subvectors, int least_entry) {
  Random random(static_cast<unsigned>(subvectors));
  test::GuardedArray<uint8_t> codes(subvectors * kScanWidth);
  test::GuardedArray<uint8_t> table(subvectors * 256);
  test::GuardedArray<uint32_t> sums(kScanWidth);
  for (uint8_t &code : codes.span()) code = static_cast<uint8_t>(random());
  for (uint8_t &entry : table.span())
    entry = static_cast<uint8_t>(uniform(random, least_entry, 255));
  for_each_table([&](const Kernels &k) {
    k.lookup32(codes.data(), table.data(), subvectors, sums.data());
    for (size_t row = 0; row < kScanWidth; row++) {
      uint32_t expected = 0;
      for (size_t i = 0; i < subvectors; i++) {
        expected += table[i * 256 + codes[i * kScanWidth + row]];
      }
      ASSERT_EQ(sums[row], expected) << "row " << row << " of " << subvectors << " subvectors";
    }
  });
}

TEST(Lookup32, MatchesTheDefinition) {
  for (size_t subvectors : {0, 1, 2, 3, 16, 96, 192}) check_lookup(subvectors, 0);
}

TEST(Lookup32, DoesNotOverflowWithTheLargestTable) {
  for (size_t subvectors : {256, 257, 258, 600, 4096}) check_lookup(subvectors, 255);
}

// ---- bound32 ---------------------------------------------------------------------------------

// Guarded by inaccessible pages: reads and writes beyond 32 rows fault.
struct Rows {
  test::GuardedArray<uint32_t> sums{kScanWidth};
  test::GuardedArray<uint16_t> scales{kScanWidth};
  test::GuardedArray<uint16_t> offsets{kScanWidth};
  test::GuardedArray<uint16_t> errors{kScanWidth};
  test::GuardedArray<float> estimates{kScanWidth};
  test::GuardedArray<float> deviations{kScanWidth};

  uint32_t bound(const Kernels &k, const BoundTerms &terms) {
    return k.bound32(sums.data(), scales.data(), offsets.data(), errors.data(), terms,
                     estimates.data(), deviations.data());
  }
};

void fill(Random &random, Rows &rows) {
  for (size_t i = 0; i < kScanWidth; i++) {
    rows.sums[i] = static_cast<uint32_t>(uniform(random, 0, 1 << 20));
    rows.scales[i] = to_bfloat16(std::fabs(uniform_float(random)));
    rows.offsets[i] = to_bfloat16(uniform_float(random));
    rows.errors[i] = to_bfloat16(std::fabs(uniform_float(random)));
  }
}

TEST(Bound32, MatchesTheFormula) {
  for_each_table([](const Kernels &k) {
    Random random(11);
    for (int round = 0; round < 200; round++) {
      Rows rows;
      fill(random, rows);
      const BoundTerms terms = {uniform_float(random),
                                std::fabs(uniform_float(random)),
                                0x1p-20f,
                                uniform_float(random),
                                0.3f,
                                1.9f,
                                uniform_float(random)};
      const uint32_t mask = rows.bound(k, terms);
      for (size_t i = 0; i < kScanWidth; i++) {
        const double scale = from_bfloat16(rows.scales[i]);
        const double estimate = terms.base + from_bfloat16(rows.offsets[i]) -
                                scale * (terms.gain * rows.sums[i] + terms.shift);
        const double code = from_bfloat16(rows.errors[i]) * terms.length;
        const double error = std::hypot(code, scale * terms.rounding);
        ASSERT_NEAR(rows.estimates[i], estimate, 1e-6);
        ASSERT_NEAR(rows.deviations[i], error, 0.061 * error);
        const float lower = rows.estimates[i] - terms.deviations * rows.deviations[i];
        ASSERT_EQ(mask >> i & 1, lower < terms.limit ? 1u : 0u) << i;
      }
    }
  });
}

TEST(Bound32, EachRowHasItsBit) {
  for_each_table([](const Kernels &k) {
    for (size_t slot = 0; slot < kScanWidth; slot++) {
      Rows rows;
      for (size_t i = 0; i < kScanWidth; i++) {
        rows.sums[i] = 0;
        rows.scales[i] = rows.errors[i] = 0;
        rows.offsets[i] = to_bfloat16(i == slot ? 1.0f : 3.0f);
      }
      ASSERT_EQ(rows.bound(k, {0.5f, 1.0f, 1.0f, 0.0f, 1.0f, 1.0f, 2.0f}), 1u << slot);
      // A bound at the limit is not below it.
      ASSERT_EQ(rows.bound(k, {0.5f, 1.0f, 1.0f, 0.0f, 1.0f, 1.0f, 1.5f}), 0u);
    }
  });
}

TEST(Bound32, HasTheSameBitsOnEveryTable) {
  Random random(12);
  for (int round = 0; round < 50; round++) {
    Rows expected;
    fill(random, expected);
    const BoundTerms terms = {uniform_float(random), 0.7f, 1e-6f, 0.1f, 0.01f, 2.0f, 0.2f};
    const uint32_t mask = expected.bound(kernels(), terms);
    for_each_table([&](const Kernels &k) {
      Rows rows;
      std::copy_n(expected.sums.data(), kScanWidth, rows.sums.data());
      std::copy_n(expected.scales.data(), kScanWidth, rows.scales.data());
      std::copy_n(expected.offsets.data(), kScanWidth, rows.offsets.data());
      std::copy_n(expected.errors.data(), kScanWidth, rows.errors.data());
      ASSERT_EQ(rows.bound(k, terms), mask);
      for (size_t i = 0; i < kScanWidth; i++) {
        ASSERT_EQ(rows.estimates[i], expected.estimates[i]);
        ASSERT_EQ(rows.deviations[i], expected.deviations[i]);
      }
    });
  }
}

TEST(Bound32, StaysFinite) {
  for_each_table([](const Kernels &k) {
    for (const float factor : {3e38f, -3e38f, 0.0f}) {
      for (const float term : {3e38f, -3e38f, 1e-38f}) {
        Rows rows;
        for (size_t i = 0; i < kScanWidth; i++) {
          rows.sums[i] = (1u << 31) - 1;
          rows.scales[i] = rows.errors[i] = to_bfloat16(std::fabs(factor));
          rows.offsets[i] = to_bfloat16(factor);
        }
        const float positive = std::fabs(term);
        rows.bound(k, {term, positive, positive, term, positive, 1.9f, 0.0f});
        for (size_t i = 0; i < kScanWidth; i++) {
          ASSERT_LE(std::fabs(rows.estimates[i]), kFloatMax);
          ASSERT_GE(rows.deviations[i], 0.0f);
          ASSERT_LE(rows.deviations[i], kFloatMax);
        }
      }
    }
  });
}

}  // namespace
}  // namespace vann::simd
