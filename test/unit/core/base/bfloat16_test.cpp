// bfloat16_test.cpp — every pattern survives, and rounding is to the nearest, ties to even.
#include "core/base/bfloat16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace vann {
namespace {

TEST(Bfloat16, EveryValueSurvivesARoundTrip) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = from_bfloat16(static_cast<bfloat16>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(to_bfloat16(value), bits);
  }
}

TEST(Bfloat16, RoundsToTheNearest) {
  std::mt19937 generator(1);
  for (int i = 0; i < 200000; ++i) {
    const float value = std::bit_cast<float>(static_cast<uint32_t>(generator()));
    if (!(std::fabs(value) < 3.38e38f)) continue;
    const bfloat16 rounded = to_bfloat16(value);
    const double error = std::fabs(double{from_bfloat16(rounded)} - value);
    // Patterns of one sign are ordered by magnitude: the neighbors in value are those in pattern.
    for (const int step : {-1, 1}) {
      if (step < 0 && (rounded & 0x7fff) == 0) continue;
      const double other = from_bfloat16(static_cast<bfloat16>(rounded + step));
      ASSERT_LE(error, std::fabs(other - value)) << value;
    }
    if (std::fabs(value) >= std::numeric_limits<float>::min()) {
      ASSERT_LE(error, std::ldexp(std::fabs(value), -8)) << value;
    }
  }
}

TEST(Bfloat16, TiesGoToEven) {
  EXPECT_EQ(from_bfloat16(to_bfloat16(1.0f + 0x1p-8f)), 1.0f);
  EXPECT_EQ(from_bfloat16(to_bfloat16(1.0f + 0x3p-8f)), 1.0f + 0x1p-6f);
  EXPECT_EQ(from_bfloat16(to_bfloat16(-1.0f - 0x1p-8f)), -1.0f);
}

TEST(Bfloat16, RangeIsThatOfFloats) {
  EXPECT_TRUE(std::isinf(from_bfloat16(to_bfloat16(std::numeric_limits<float>::max()))));
  EXPECT_TRUE(std::isfinite(from_bfloat16(to_bfloat16(3.38e38f))));
  EXPECT_GT(from_bfloat16(to_bfloat16(1e-38f)), 0.0f);
  EXPECT_EQ(to_bfloat16(-0.0f), 0x8000);
}

}  // namespace
}  // namespace vann
