// residual_test.cpp — residuals of every table against their definition, bit by bit.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "each_table.hpp"
#include "support/guarded_array.hpp"

namespace vann::simd {
namespace {

using test::GuardedArray;

// The order of additions is part of the format: eight lanes, then lanes 4 apart, 2 apart, 1 apart.
struct EightSums {
  float lane[8] = {};

  void add(size_t i, float value) { lane[i % 8] += value; }
  float total() const {
    const float a = lane[0] + lane[4], b = lane[1] + lane[5];
    const float c = lane[2] + lane[6], d = lane[3] + lane[7];
    return (a + c) + (b + d);
  }
};

struct Encoded {
  ResidualSums sums;
  std::vector<uint8_t> code;
};

int digit_of(float r, float inverse, uint32_t bits) {
  if (bits == 1) return r >= 0.0f ? 1 : 0;
  const float t = r * inverse + 2.0f;
  return t >= 3.0f ? 3 : t >= 2.0f ? 2 : t >= 1.0f ? 1 : 0;
}

// The definition, one dimension after the other.
Encoded plain_encode(const std::vector<float> &c, const std::vector<float> &o, size_t coded,
                     float unit, float inverse, uint32_t bits) {
  Encoded out;
  out.code.assign(coded / 8 * bits, 0);
  EightSums squared, level_residual, level_parent, residual_parent, rest_squared, rest_parent;
  for (size_t i = 0; i < c.size(); i++) {
    const float p = c[i] * unit, r = o[i] * unit - p;
    (i < coded ? squared : rest_squared).add(i, r * r);
    (i < coded ? residual_parent : rest_parent).add(i, r * p);
    if (i >= coded) continue;
    const int digit = digit_of(r, inverse, bits);
    const float s = static_cast<float>(digit) - (bits == 1 ? 0.5f : 1.5f);
    level_residual.add(i, s * r);
    level_parent.add(i, s * p);
    for (uint32_t plane = 0; plane < bits; plane++) {
      uint8_t &byte = out.code[(plane * coded + i) / 8];
      byte = static_cast<uint8_t>(byte | ((digit >> (bits - 1 - plane)) & 1) << (i % 8));
    }
  }
  out.sums = {squared.total(), level_residual.total(), level_parent.total(),
              residual_parent.total()};
  if (coded < c.size()) {
    out.sums.squared += rest_squared.total();
    out.sums.residual_parent += rest_parent.total();
  }
  return out;
}

// Equal bits; signs and payloads of NaN are nobody's concern.
testing::AssertionResult same_bits(float a, float b) {
  if ((std::isnan(a) && std::isnan(b)) ||
      std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b)) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << std::hexfloat << a << " is not " << b;
}

void check_encoding(const std::vector<float> &c, const std::vector<float> &o, size_t coded,
                    float unit, float inverse, uint32_t bits) {
  SCOPED_TRACE(testing::Message() << c.size() << " dims, " << coded << " coded, " << bits
                                  << " bits, unit " << unit << ", inverse " << inverse);
  const Encoded expected = plain_encode(c, o, coded, unit, inverse, bits);
  for_each_table([&](const Kernels &k) {
    std::vector<uint8_t> code(coded / 8 * bits, 0x5a);
    const auto encode = bits == 1 ? k.encode_residual_u1 : k.encode_residual_u2;
    const ResidualSums sums =
        encode(c.data(), o.data(), c.size(), coded, unit, inverse, code.data());
    ASSERT_EQ(code, expected.code);
    ASSERT_TRUE(same_bits(sums.squared, expected.sums.squared));
    ASSERT_TRUE(same_bits(sums.level_residual, expected.sums.level_residual));
    ASSERT_TRUE(same_bits(sums.level_parent, expected.sums.level_parent));
    ASSERT_TRUE(same_bits(sums.residual_parent, expected.sums.residual_parent));
  });
}

// Every coded prefix up to 1,600, with every length of the last eight uncoded dimensions.
template <class Check>
void for_each_shape(Check check) {
  for (size_t coded = 0; coded <= 1600; coded += kCodeBlock) {
    for (size_t rest : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 36, 63}) check(coded + rest, coded);
  }
}

std::vector<float> scaled_values(Random &random, size_t n, float scale) {
  std::vector<float> x(n);
  for (float &v : x) v = scale * uniform_float(random);
  return x;
}

TEST(Residual, HasTheBitsOfTheDefinition) {
  Random random(11);
  for_each_shape([&](size_t dims, size_t coded) {
    const auto c = scaled_values(random, dims, 1.0f), o = scaled_values(random, dims, 1.0f);
    check_encoding(c, o, coded, 1.0f, 0.0f, 1);
    check_encoding(c, o, coded, 1.0f, 1.7f, 2);
    check_encoding(c, o, coded, 0x1p-3f, 13.0f, 2);
  });
}

// Squares that underflow or overflow, residuals below the normal range, signed zeros, and what is
// no number: one kind for all dimensions, and all kinds mixed.
TEST(Residual, HasTheBitsOfTheDefinitionAtTheEdges) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float edges[] = {0.0f,
                         -0.0f,
                         1.0f,
                         1e-18f,
                         -1e-30f,
                         1e-41f,
                         -3e-45f,
                         1e19f,
                         -1e30f,
                         std::numeric_limits<float>::max(),
                         infinity,
                         -infinity,
                         std::numeric_limits<float>::quiet_NaN()};
  Random random(12);
  const size_t coded = 192;
  for (const size_t dims : {coded, coded + 13}) {
    const auto check_all = [&](const std::vector<float> &c, const std::vector<float> &o) {
      for (const float unit : {1.0f, 0x1p100f, 0x1p-120f}) {
        check_encoding(c, o, coded, unit, 0.0f, 1);
        for (const float inverse : {0.0f, 1.0f, 1e-38f, std::numeric_limits<float>::max()}) {
          check_encoding(c, o, coded, unit, inverse, 2);
        }
      }
    };
    const auto plain = scaled_values(random, dims, 1.0f);
    std::vector<float> mixed(dims);
    for (const float edge : edges) {
      const auto scaled = scaled_values(random, dims, edge);
      check_all(plain, scaled);
      check_all(scaled, plain);
      check_all(scaled, scaled_values(random, dims, edge));
      for (float &v : mixed) v = edges[random() % std::size(edges)];
      check_all(mixed, plain);
      check_all(scaled, mixed);
    }
  }
}

// Residuals on the borders between digits.
TEST(Residual, DigitsBeginAtTheirBorders) {
  std::vector<float> c(64, 0.0f), o(64);
  for (size_t i = 0; i < 64; i++) {
    const float border = static_cast<float>(static_cast<int>(i / 3 % 7) - 3);
    const float away = i % 3 == 0 ? -4.0f : 4.0f;
    o[i] = i % 3 == 1 ? border : std::nextafter(border, away);
  }
  check_encoding(c, o, 64, 1.0f, 1.0f, 2);
  check_encoding(c, o, 64, 1.0f, 0.0f, 1);
}

TEST(Residual, SquaredNormHasTheBitsOfTheDefinition) {
  Random random(13);
  for (size_t n = 0; n <= 1600; n += 8) {
    for (const float scale : {1.0f, 1e-20f, 1e-41f, 1e20f}) {
      const auto c = scaled_values(random, n, scale), o = scaled_values(random, n, scale);
      for (const float unit : {1.0f, 0x1p-60f, 0x1p60f}) {
        const float expected = plain_encode(c, o, n, unit, 0.0f, 1).sums.squared;
        for_each_table([&](const Kernels &k) {
          ASSERT_TRUE(same_bits(k.residual_squared(c.data(), o.data(), n, unit), expected)) << n;
        });
      }
    }
  }
}

TEST(Residual, StaysInsideItsArraysAtAnyAlignment) {
  Random random(14);
  for (const uint32_t bits : {1u, 2u}) {
    for (size_t rest = 0; rest < 9; rest++) {
      for (size_t slack : {0, 1, 3}) {
        const size_t coded = 128, dims = coded + rest;
        GuardedArray<float> c(dims, slack), o(dims, slack);
        for (float &v : c.span()) v = uniform_float(random);
        for (float &v : o.span()) v = uniform_float(random);
        for_each_table([&](const Kernels &k) {
          GuardedArray<uint8_t> code(coded / 8 * bits, slack);
          const auto encode = bits == 1 ? k.encode_residual_u1 : k.encode_residual_u2;
          EXPECT_GE(encode(c.data(), o.data(), dims, coded, 1.0f, 1.0f, code.data()).squared,
                    k.residual_squared(c.data(), o.data(), coded, 1.0f));
          EXPECT_TRUE(code.slack_intact());
        });
      }
    }
  }
}

TEST(DecodeI8, HasTheBitsOfTheDefinition) {
  Random random(15);
  for (const size_t n : lengths()) {
    for (const float delta : {1.0f, 0.0123f, -3e38f, 1e-41f, 0.0f}) {
      for_each_table([&](const Kernels &k) {
        GuardedArray<int8_t> values(n, n % 4);
        GuardedArray<float> out(n, n % 3);
        for (int8_t &v : values.span()) v = static_cast<int8_t>(uniform(random, -128, 127));
        k.decode_i8(values.data(), delta, n, out.data());
        for (size_t i = 0; i < n; i++) {
          const float level = static_cast<float>(values[i]) + 0.5f;
          ASSERT_TRUE(same_bits(out[i], delta * level)) << i << " of " << n;
        }
        EXPECT_TRUE(out.slack_intact());
      });
    }
  }
}

}  // namespace
}  // namespace vann::simd
