// neighbor_code_test.cpp — neighbor codes against the formulas computed in double precision.
#include "core/quantize/neighbor_code.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "core/base/bfloat16.hpp"
#include "samples.hpp"

namespace vann::quantize {
namespace {

struct Neighbor {
  Neighbor(const std::vector<float> &c, const std::vector<float> &o, size_t coded, uint32_t n_bits,
           Geometry geometry)
      : coded_dims(coded), bits(n_bits), code(neighbor_code_bytes(coded, n_bits), 0x5a) {
    factors = encode_neighbor(c.data(), o.data(), c.size(), coded, bits, geometry, code.data());
  }
  // Level of dimension i: the planes hold the digit's bits, high plane first.
  double level(size_t i) const {
    uint32_t digit = 0;
    for (uint32_t plane = 0; plane < bits; ++plane) {
      const uint8_t byte = code[(plane * coded_dims + i) / 8];
      digit = digit << 1 | ((byte >> (i % 8)) & 1u);
    }
    return digit - 0.5 * ((1u << bits) - 1);
  }
  double level_dot(const std::vector<float> &y) const {
    double sum = 0;
    for (size_t i = 0; i < coded_dims; ++i) {
      sum += level(i) * y[i];
    }
    return sum;
  }
  size_t coded_dims;
  uint32_t bits;
  std::vector<uint8_t> code;
  NeighborFactors factors;
};

std::vector<float> difference(const std::vector<float> &a, const std::vector<float> &b) {
  std::vector<float> out(a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    out[i] = a[i] - b[i];
  }
  return out;
}

// Runs `check(c, o, coded dims, bits)` over shapes with and without uncoded dimensions.
template <class Check>
void for_each_shape(Check check) {
  const struct {
    size_t dims;
    size_t coded;
  } shapes[] = {{64, 64}, {128, 128}, {112, 64}, {784, 768}, {768, 256}, {1536, 1536}};
  for (const auto &[dims, coded] : shapes) {
    for (const uint32_t bits : {1u, 2u}) {
      SCOPED_TRACE(testing::Message() << dims << " dims, " << coded << " coded, " << bits);
      Sampler sampler(dims + coded);
      const std::vector<float> c = sampler.vector(dims);
      check(c, sampler.near(c, 0.6f), coded, bits);
    }
  }
}

TEST(NeighborCode, OneBitIsTheSignOfTheResidual) {
  for_each_shape([](const auto &c, const auto &o, size_t coded, uint32_t bits) {
    if (bits == 1) {
      const Neighbor neighbor(c, o, coded, bits, Geometry::kL2);
      for (size_t i = 0; i < coded; ++i) {
        ASSERT_EQ(neighbor.level(i), o[i] >= c[i] ? 0.5 : -0.5);
      }
    }
  });
}

TEST(NeighborCode, TwoBitLevelsAreTheNearestToTheResidual) {
  for_each_shape([](const auto &c, const auto &o, size_t coded, uint32_t bits) {
    if (bits == 2) {
      const Neighbor neighbor(c, o, coded, bits, Geometry::kL2);
      const std::vector<float> r = difference(o, c);
      double squares = 0;
      for (size_t i = 0; i < coded; ++i) {
        squares += static_cast<double>(r[i]) * r[i];
      }
      const double step = 0.9957 * std::sqrt(squares / static_cast<double>(coded));
      for (size_t i = 0; i < coded; ++i) {
        const double nearest = std::clamp(std::floor(r[i] / step) + 0.5, -1.5, 1.5);
        if (std::fabs(r[i] / step - std::round(r[i] / step)) > 1e-5) {
          ASSERT_EQ(neighbor.level(i), nearest) << i;
        }
      }
    }
  });
}

TEST(NeighborCode, FactorsMatchTheFormulas) {
  for_each_shape([](const auto &c, const auto &o, size_t coded, uint32_t bits) {
    const std::vector<float> r = difference(o, c);
    const double squared = dot(r, r);
    for (const Geometry geometry : {Geometry::kL2, Geometry::kInnerProduct}) {
      const Neighbor neighbor(c, o, coded, bits, geometry);
      const double scale = neighbor.factors.scale;
      EXPECT_NEAR(neighbor.factors.residual_squared, squared, 1e-5 * squared);
      EXPECT_NEAR(scale, squared / neighbor.level_dot(r), scale / 256);
      EXPECT_EQ(from_bfloat16(to_bfloat16(neighbor.factors.scale)), neighbor.factors.scale);
      const double level_parent = scale * neighbor.level_dot(c);
      const double offset =
          geometry == Geometry::kL2 ? squared + 2 * level_parent : level_parent - dot(r, c);
      EXPECT_NEAR(neighbor.factors.offset, offset, 1e-4 * squared);
    }
  });
}

// At q = c the code's error cancels: the estimate is the true distance.
TEST(NeighborCode, EstimateAtTheParentIsExact) {
  for_each_shape([](const auto &c, const auto &o, size_t coded, uint32_t bits) {
    const Neighbor l2(c, o, coded, bits, Geometry::kL2);
    const double distance = l2.factors.offset - 2.0 * l2.factors.scale * l2.level_dot(c);
    EXPECT_NEAR(distance, squared_distance(o, c), 1e-4 * distance);
    const Neighbor ip(c, o, coded, bits, Geometry::kInnerProduct);
    const double product = -dot(c, c) + ip.factors.offset - ip.factors.scale * ip.level_dot(c);
    EXPECT_NEAR(product, -dot(o, c), 1e-4);
  });
}

TEST(NeighborCode, ZeroResidualHasZeroFactorsAndCode) {
  const std::vector<float> c = Sampler(1).vector(128);
  for (const uint32_t bits : {1u, 2u}) {
    const Neighbor neighbor(c, c, 128, bits, Geometry::kL2);
    EXPECT_EQ(neighbor.factors.residual_squared, 0.0f);
    EXPECT_EQ(neighbor.factors.scale, 0.0f);
    EXPECT_EQ(neighbor.factors.offset, 0.0f);
    EXPECT_EQ(neighbor.code, std::vector<uint8_t>(neighbor_code_bytes(128, bits), 0));
  }
}

TEST(NeighborCode, FactorsScaleWithTheVectors) {
  Sampler sampler(4);
  const std::vector<float> c = sampler.vector(128);
  const std::vector<float> o = sampler.near(c, 0.6f);
  for (const uint32_t bits : {1u, 2u}) {
    const Neighbor expected(c, o, 128, bits, Geometry::kL2);
    for (const float unit : {0x1p60f, 0x1p-50f}) {  // squares beyond, and far below, floats' ease
      std::vector<float> large = c;
      std::vector<float> neighbor = o;
      for (size_t i = 0; i < 128; ++i) {
        large[i] *= unit;
        neighbor[i] *= unit;
      }
      const Neighbor scaled(large, neighbor, 128, bits, Geometry::kL2);
      EXPECT_EQ(scaled.code, expected.code);
      EXPECT_FLOAT_EQ(scaled.factors.scale, expected.factors.scale * unit);
      EXPECT_NEAR(scaled.factors.offset / unit / unit, expected.factors.offset, 1e-5);
    }
  }
}

TEST(NeighborCode, ExtremeInputGivesFiniteBfloat16Factors) {
  for (const auto &[dims, coded] : {std::pair<size_t, size_t>{64, 64}, {784, 768}}) {
    const std::vector<std::vector<float>> vectors = extreme_vectors(dims);
    for (const std::vector<float> &c : vectors) {
      for (const std::vector<float> &o : vectors) {
        for (const uint32_t bits : {1u, 2u}) {
          for (const Geometry geometry : {Geometry::kL2, Geometry::kInnerProduct}) {
            const Neighbor neighbor(c, o, coded, bits, geometry);
            for (const float factor : {neighbor.factors.residual_squared, neighbor.factors.scale,
                                       neighbor.factors.offset}) {
              ASSERT_TRUE(std::isfinite(from_bfloat16(to_bfloat16(factor))))
                  << c[0] << ", " << c[dims / 3] << ", " << o[0] << ", " << o[dims / 3];
            }
          }
        }
      }
    }
  }
}

TEST(NeighborCode, TilesReturnWhatWasStored) {
  std::mt19937 generator(5);
  for (const size_t coded : {64u, 128u, 768u}) {
    for (const uint32_t bits : {1u, 2u}) {
      const size_t bytes = neighbor_code_bytes(coded, bits);
      std::vector<uint8_t> tiles(32 * bytes, 0xee);
      std::vector<std::vector<uint8_t>> codes(32, std::vector<uint8_t>(bytes));
      for (size_t slot = 0; slot < 32; ++slot) {
        for (uint8_t &byte : codes[slot]) {
          byte = static_cast<uint8_t>(generator());
        }
        store_tile(tiles.data(), slot, codes[slot].data(), coded, bits);
      }
      for (size_t slot = 0; slot < 32; ++slot) {
        std::vector<uint8_t> loaded(bytes);
        load_tile(tiles.data(), slot, loaded.data(), coded, bits);
        EXPECT_EQ(loaded, codes[slot]) << slot;
        for (uint32_t plane = 0; plane < bits; ++plane) {
          for (size_t group = 0; group < coded / 64; ++group) {
            const uint8_t *tile = &tiles[((plane * (coded / 64) + group) * 32 + slot) * 8];
            EXPECT_EQ(0, std::memcmp(tile, &codes[slot][plane * coded / 8 + group * 8], 8));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace vann::quantize
