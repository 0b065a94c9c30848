// hadamard_test.cpp — the Walsh-Hadamard transform of every table: definition and equal bits.
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "each_table.hpp"
#include "support/guarded_array.hpp"

namespace vann::simd {
namespace {

using test::GuardedArray;

constexpr size_t kMaxLength = 16384;

// Wide range of magnitudes, both zeros and subnormals, so that a change of the order of additions
// would show in the bits.
std::vector<float> mixed_values(size_t n, unsigned seed) {
  Random random(seed);
  std::vector<float> x(n);
  for (float &v : x) {
    v = std::ldexp(uniform_float(random), uniform(random, -12, 12));
    const int kind = uniform(random, 0, 15);
    if (kind == 0) v = 0.0f;
    if (kind == 1) v = -0.0f;
    if (kind == 2) v = std::ldexp(v, -130);
  }
  return x;
}

TEST(Hadamard, MatchesTheDefinition) {
  for (size_t n = 1; n <= 1024; n *= 2) {
    const std::vector<float> in = mixed_values(n, 3);
    double norm = 0;
    for (float v : in) norm += double{v} * v;
    for_each_table([&](const Kernels &k) {
      std::vector<float> out = in;
      k.hadamard(out.data(), n);
      for (size_t row = 0; row < n; row++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += std::popcount(row & i) % 2 ? -in[i] : in[i];
        // Each of the log2(n) stages and the scaling rounds once.
        const double bound = (std::log2(n) + 2) * 0x1p-23 * std::sqrt(norm);
        ASSERT_NEAR(out[row], sum / std::sqrt(static_cast<double>(n)), bound) << n << " " << row;
      }
    });
  }
}

TEST(Hadamard, HasTheSameBitsInEveryTable) {
  const KernelList list = supported_kernels();
  const Kernels &reference = *list.tables[list.count - 1];
  for (size_t n = 1; n <= kMaxLength; n *= 2) {
    for (unsigned seed = 0; seed < 20; seed++) {
      const std::vector<float> in = mixed_values(n, seed);
      std::vector<float> expected = in;
      reference.hadamard(expected.data(), n);
      for_each_table([&](const Kernels &k) {
        std::vector<float> out = in;
        k.hadamard(out.data(), n);
        ASSERT_EQ(std::memcmp(out.data(), expected.data(), n * sizeof(float)), 0) << n;
      });
    }
  }
}

// The order of operations is part of the format: each stage in turn, then one product.
TEST(Hadamard, HasTheBitsOfThePlainLoop) {
  for (size_t n = 1; n <= kMaxLength; n *= 2) {
    const std::vector<float> in = mixed_values(n, 4);
    std::vector<float> expected = in;
    for (size_t h = 1; h < n; h *= 2) {
      for (size_t i = 0; i < n; i++) {
        if (i & h) continue;
        const float a = expected[i], b = expected[i + h];
        expected[i] = a + b;
        expected[i + h] = a - b;
      }
    }
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(n)));
    for (float &v : expected) v *= scale;
    for_each_table([&](const Kernels &k) {
      std::vector<float> out = in;
      k.hadamard(out.data(), n);
      ASSERT_EQ(std::memcmp(out.data(), expected.data(), n * sizeof(float)), 0) << n;
    });
  }
}

TEST(Hadamard, StaysInsideItsArrayAtAnyAlignment) {
  for (size_t n = 1; n <= 2048; n *= 2) {
    for (size_t slack = 0; slack < 4; slack++) {
      for_each_table([&](const Kernels &k) {
        GuardedArray<float> x(n, slack);
        for (size_t i = 0; i < n; i++) x[i] = i == 0 ? 1.0f : 0.0f;
        k.hadamard(x.data(), n);
        for (size_t i = 0; i < n; i++) EXPECT_EQ(x[i], x[0]);
        EXPECT_TRUE(x.slack_intact());
      });
    }
  }
}

}  // namespace
}  // namespace vann::simd
