// distance_test.cpp — distance kernels and half conversions of every table against doubles.
#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/base/half.hpp"
#include "each_table.hpp"
#include "support/guarded_array.hpp"

namespace vann::simd {
namespace {

using test::GuardedArray;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

double value(float x) { return x; }
double value(uint16_t x) { return from_half(x); }
void assign(float &to, float x) { to = x; }
void assign(uint16_t &to, float x) { to = to_half(x); }

// The distance kernels of one element type.
template <class Element>
struct Distances {
  float (*l2_squared)(const Element *, const Element *, size_t) noexcept;
  float (*dot)(const Element *, const Element *, size_t) noexcept;
  float (*l1)(const Element *, const Element *, size_t) noexcept;
  DotNorms (*dot_norms)(const Element *, const Element *, size_t) noexcept;
};
template <class Element>
Distances<Element> distances(const Kernels &k);
template <>
Distances<float> distances(const Kernels &k) {
  return {k.l2_squared_f32, k.dot_f32, k.l1_f32, k.dot_norms_f32};
}
template <>
Distances<uint16_t> distances(const Kernels &k) {
  return {k.l2_squared_f16, k.dot_f16, k.l1_f16, k.dot_norms_f16};
}

// A sum and the sum of its absolute terms, which scales the error bound.
struct Sum {
  double value = 0;
  double magnitude = 0;
  void add(double term) {
    value += term;
    magnitude += std::fabs(term);
  }
};

// README.md, "Error bounds": a term passes through at most n / 8 + 12 roundings.
void expect_close(float actual, const Sum &expected, size_t n) {
  const double bound = (static_cast<double>(n) / 8 + 12) * 0x1p-24 * expected.magnitude;
  EXPECT_NEAR(actual, expected.value, bound);
}

template <class Element>
class Distance : public ::testing::Test {};
using Elements = ::testing::Types<float, uint16_t>;
TYPED_TEST_SUITE(Distance, Elements);

TYPED_TEST(Distance, MatchesDoubleOracleAndReadsNothingElse) {
  Random random(1);
  for (size_t n : lengths()) {
    for (size_t slack : {0, 1, 3}) {
      SCOPED_TRACE(testing::Message() << "n " << n << " slack " << slack);
      GuardedArray<TypeParam> a(n, slack), b(n, 0);
      Sum l2, dot, l1, a_squared, b_squared;
      for (size_t i = 0; i < n; i++) {
        assign(a[i], uniform_float(random));
        assign(b[i], uniform_float(random));
        const double x = value(a[i]), y = value(b[i]);
        l2.add((x - y) * (x - y));
        dot.add(x * y);
        l1.add(std::fabs(x - y));
        a_squared.add(x * x);
        b_squared.add(y * y);
      }
      for_each_table([&](const Kernels &kernels) {
        const auto d = distances<TypeParam>(kernels);
        expect_close(d.l2_squared(a.data(), b.data(), n), l2, n);
        expect_close(d.dot(a.data(), b.data(), n), dot, n);
        expect_close(d.l1(a.data(), b.data(), n), l1, n);
        const DotNorms norms = d.dot_norms(a.data(), b.data(), n);
        expect_close(norms.dot, dot, n);
        expect_close(norms.a_squared, a_squared, n);
        expect_close(norms.b_squared, b_squared, n);
      });
    }
  }
}

TYPED_TEST(Distance, PropagatesNanFromEveryPosition) {
  for (size_t n : {1, 7, 16, 23, 64, 100, 131}) {
    GuardedArray<TypeParam> a(n), b(n);
    for (size_t i = 0; i < n; i++) {
      assign(a[i], 1.0f);
      assign(b[i], 0.5f);
    }
    for (size_t at = 0; at < n; at++) {
      assign(b[at], kNan);
      for_each_table([&](const Kernels &kernels) {
        const auto d = distances<TypeParam>(kernels);
        EXPECT_TRUE(std::isnan(d.l2_squared(a.data(), b.data(), n))) << n << " " << at;
        EXPECT_TRUE(std::isnan(d.dot(a.data(), b.data(), n)));
        EXPECT_TRUE(std::isnan(d.l1(a.data(), b.data(), n)));
        const DotNorms norms = d.dot_norms(a.data(), b.data(), n);
        EXPECT_TRUE(std::isnan(norms.dot));
        EXPECT_TRUE(std::isnan(norms.b_squared));
        EXPECT_EQ(norms.a_squared, static_cast<float>(n));
      });
      assign(b[at], 0.5f);
    }
  }
}

TYPED_TEST(Distance, InfinityStaysInfinityUnlessSubtracted) {
  for (size_t n : {1, 9, 37, 100}) {
    for (size_t at = 0; at < n; at++) {
      GuardedArray<TypeParam> a(n), b(n);
      for (size_t i = 0; i < n; i++) {
        assign(a[i], 1.0f);
        assign(b[i], 0.5f);
      }
      assign(a[at], -kInfinity);
      for_each_table([&](const Kernels &kernels) {
        const auto d = distances<TypeParam>(kernels);
        EXPECT_EQ(d.l2_squared(a.data(), b.data(), n), kInfinity);
        EXPECT_EQ(d.l1(a.data(), b.data(), n), kInfinity);
        EXPECT_EQ(d.dot(a.data(), b.data(), n), -kInfinity);
        EXPECT_EQ(d.dot_norms(a.data(), b.data(), n).a_squared, kInfinity);
      });
      assign(b[at], -kInfinity);
      for_each_table([&](const Kernels &kernels) {
        const auto d = distances<TypeParam>(kernels);
        EXPECT_TRUE(std::isnan(d.l2_squared(a.data(), b.data(), n)));
        EXPECT_TRUE(std::isnan(d.l1(a.data(), b.data(), n)));
        EXPECT_EQ(d.dot(a.data(), b.data(), n), kInfinity);
      });
    }
  }
}

TEST(DistanceF32, OverflowsToInfinity) {
  const std::vector<float> a(19, 1e30f), b(19, -1e30f);
  for_each_table([&](const Kernels &k) {
    EXPECT_EQ(k.l2_squared_f32(a.data(), b.data(), 19), kInfinity);
    EXPECT_EQ(k.dot_f32(a.data(), b.data(), 19), -kInfinity);
    EXPECT_TRUE(std::isfinite(k.l1_f32(a.data(), b.data(), 19)));
  });
}

TEST(DistanceF16, AccumulatesBeyondTheHalfRange) {
  const std::vector<uint16_t> a(300, to_half(60000.0f)), b(300, to_half(-60000.0f));
  const double x = value(a[0]);
  for_each_table([&](const Kernels &k) {
    EXPECT_NEAR(k.l2_squared_f16(a.data(), b.data(), 300), 300 * 4 * x * x, 1e-5 * 1200 * x * x);
    EXPECT_NEAR(k.l1_f16(a.data(), b.data(), 300), 600 * x, 1e-5 * 600 * x);
  });
}

// ---- Conversions ---------------------------------------------------------------------------

TEST(Conversion, ReadsEveryHalfLikeTheScalar) {
  std::vector<uint16_t> in(0x10000);
  for (size_t i = 0; i < in.size(); i++) in[i] = static_cast<uint16_t>(i);
  for_each_table([&](const Kernels &k) {
    std::vector<float> out(in.size());
    k.f16_to_f32(in.data(), out.data(), in.size());
    for (size_t i = 0; i < in.size(); i++) {
      ASSERT_EQ(std::bit_cast<uint32_t>(out[i]), std::bit_cast<uint32_t>(from_half(in[i]))) << i;
    }
  });
}

TEST(Conversion, RoundsEveryKindOfFloatLikeTheScalar) {
  Random random(2);
  std::vector<float> in;
  for (int i = 0; i < 200000; i++) {
    in.push_back(std::bit_cast<float>(static_cast<uint32_t>(random())));
  }
  for (uint32_t half = 0; half < 0xfc00; half++) {  // ties between adjacent halves
    in.push_back(std::bit_cast<float>(
        std::bit_cast<uint32_t>(from_half(static_cast<uint16_t>(half))) + 0x1000u));
  }
  for_each_table([&](const Kernels &k) {
    std::vector<uint16_t> out(in.size());
    k.f32_to_f16(in.data(), out.data(), in.size());
    for (size_t i = 0; i < in.size(); i++) ASSERT_EQ(out[i], to_half(in[i])) << in[i];
  });
}

TEST(Conversion, TouchesOnlyTheElements) {
  for (size_t n : lengths()) {
    for (size_t slack : {0, 5}) {
      for_each_table([&](const Kernels &k) {
        GuardedArray<float> floats(n, slack), back(n, slack);
        GuardedArray<uint16_t> halves(n, slack);
        for (size_t i = 0; i < n; i++) floats[i] = static_cast<float>(i % 2048) - 1024.0f;
        k.f32_to_f16(floats.data(), halves.data(), n);
        k.f16_to_f32(halves.data(), back.data(), n);
        for (size_t i = 0; i < n; i++) ASSERT_EQ(back[i], floats[i]) << n << " " << i;
        EXPECT_TRUE(halves.slack_intact()) << n;
        EXPECT_TRUE(back.slack_intact()) << n;
      });
    }
  }
}

// ---- Dispatch ------------------------------------------------------------------------------

TEST(Dispatch, PrefersTheFirstOfTheSupportedTables) {
  const KernelList list = supported_kernels();
  ASSERT_GE(list.count, 1u);
  EXPECT_EQ(list.tables[0], &kernels());
  EXPECT_STREQ(list.tables[list.count - 1]->name, "generic");
}

}  // namespace
}  // namespace vann::simd
