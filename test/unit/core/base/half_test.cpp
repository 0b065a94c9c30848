// half_test.cpp — half-precision conversion against its definition.
#include "core/base/half.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace vann {
namespace {

// The value of a finite half by the definition of the format.
double value_of(uint32_t half) {
  const int exponent = static_cast<int>(half >> 10 & 31);
  const double fraction = half & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24)
                                         : std::ldexp(1024.0 + fraction, exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

TEST(Half, ReadsEveryFiniteValueExactly) {
  for (uint32_t half = 0; half < 0x10000; half++) {
    if ((half & 0x7c00) == 0x7c00) continue;
    const float value = from_half(static_cast<uint16_t>(half));
    ASSERT_EQ(value, value_of(half)) << half;
    ASSERT_EQ(std::signbit(value), (half & 0x8000) != 0) << half;
  }
}

TEST(Half, ReadsInfinityAndNan) {
  EXPECT_EQ(from_half(0x7c00), std::numeric_limits<float>::infinity());
  EXPECT_EQ(from_half(0xfc00), -std::numeric_limits<float>::infinity());
  for (uint32_t payload = 1; payload < 0x400; payload++) {
    ASSERT_TRUE(std::isnan(from_half(static_cast<uint16_t>(0x7c00 | payload))));
    ASSERT_TRUE(std::isnan(from_half(static_cast<uint16_t>(0xfc00 | payload))));
  }
}

TEST(Half, RoundTripsEveryValueThatIsNotNan) {
  for (uint32_t half = 0; half < 0x10000; half++) {
    if ((half & 0x7fff) > 0x7c00) continue;
    ASSERT_EQ(to_half(from_half(static_cast<uint16_t>(half))), half);
  }
}

TEST(Half, RoundsToNearestEven) {
  for (uint32_t half = 0; half < 0x7bff; half++) {
    // Exact: neighbors differ in the last of eleven bits.
    const auto middle = static_cast<float>((value_of(half) + value_of(half + 1)) / 2);
    const uint32_t even = half + (half & 1);
    ASSERT_EQ(to_half(middle), even) << half;
    ASSERT_EQ(to_half(std::nextafter(middle, 0.0f)), half);
    ASSERT_EQ(to_half(std::nextafter(middle, 1e9f)), half + 1);
    ASSERT_EQ(to_half(-middle), even | 0x8000);
  }
}

TEST(Half, OverflowsToInfinity) {
  EXPECT_EQ(to_half(std::nextafter(65520.0f, 0.0f)), 0x7bff);
  EXPECT_EQ(to_half(65520.0f), 0x7c00);
  EXPECT_EQ(to_half(-65520.0f), 0xfc00);
  EXPECT_EQ(to_half(std::numeric_limits<float>::max()), 0x7c00);
  EXPECT_EQ(to_half(-std::numeric_limits<float>::infinity()), 0xfc00);
}

TEST(Half, UnderflowsToSignedZero) {
  EXPECT_EQ(to_half(0x1p-25f), 0);  // halfway to the smallest subnormal: even is zero
  EXPECT_EQ(to_half(-0x1p-26f), 0x8000);
  EXPECT_EQ(to_half(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(Half, KeepsNan) {
  const uint16_t quiet = to_half(std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(quiet & 0x7e00, 0x7e00);
  // A payload that lies in the lower bits alone must not turn into infinity.
  EXPECT_EQ(to_half(std::bit_cast<float>(0x7f800001u)) & 0x7e00, 0x7e00);
  EXPECT_EQ(to_half(std::bit_cast<float>(0xff800001u)) & 0xfe00, 0xfe00);
}

static_assert(from_half(0x3c00) == 1.0f && to_half(-2.0f) == 0xc000);

}  // namespace
}  // namespace vann
