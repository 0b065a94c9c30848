// rotation_test.cpp — the rotation keeps geometry, spreads energy and has the same bits everywhere.
#include "core/quantize/rotation.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "samples.hpp"

namespace vann::quantize {
namespace {

constexpr uint32_t kDims[] = {16, 48, 64, 112, 128, 384, 768, 784, 1536, 3072};

struct SeededRotation {
  SeededRotation(uint64_t seed, uint32_t dims) : signs(rotation_words(dims)) {
    make_rotation_signs(seed, dims, signs.data());
    rotation = {dims, signs.data()};
  }
  std::vector<float> operator()(std::vector<float> x) const {
    rotation.apply(x.data());
    return x;
  }
  std::vector<uint64_t> signs;
  Rotation rotation;
};

TEST(Rotation, PreservesNormsAndInnerProducts) {
  for (const uint32_t dims : kDims) {
    SCOPED_TRACE(dims);
    const SeededRotation rotate(7, dims);
    Sampler sampler(dims);
    const std::vector<float> a = sampler.vector(dims);
    const std::vector<float> b = sampler.near(a, 0.7f);
    EXPECT_NEAR(dot(rotate(a), rotate(a)), dot(a, a), 1e-5);
    EXPECT_NEAR(dot(rotate(a), rotate(b)), dot(a, b), 1e-5);
  }
}

TEST(Rotation, SpreadsEachUnitVectorOverAllCoordinates) {
  for (const uint32_t dims : {128u, 384u, 768u, 784u, 1536u}) {
    SCOPED_TRACE(dims);
    const SeededRotation rotate(11, dims);
    Moments fourth_power;
    for (uint32_t axis = 0; axis < dims; axis += 5) {
      std::vector<float> unit(dims, 0.0f);
      unit[axis] = 1.0f;
      for (const float value : rotate(unit)) {
        fourth_power.add(std::pow(static_cast<double>(value), 4));
        EXPECT_LT(std::fabs(value), 6.5 / std::sqrt(dims)) << "axis " << axis;
      }
    }
    // Gaussian coordinates of variance 1 / dims have a fourth moment of 3 / dims^2.
    EXPECT_NEAR(fourth_power.mean() * dims * dims, 3.0, 0.3);
  }
}

TEST(Rotation, IsDeterminedByItsSeed) {
  Sampler sampler(3);
  const std::vector<float> x = sampler.vector(784);
  EXPECT_EQ(SeededRotation(5, 784)(x), SeededRotation(5, 784)(x));
  EXPECT_NE(SeededRotation(5, 784)(x), SeededRotation(6, 784)(x));
}

TEST(Rotation, SignsAreBalanced) {
  const SeededRotation rotate(1, 16384);
  size_t flips = 0;
  for (const uint64_t word : rotate.signs) {
    flips += static_cast<size_t>(std::popcount(word));
  }
  EXPECT_NEAR(static_cast<double>(flips) / (64.0 * rotate.signs.size()), 0.5, 0.01);
}

TEST(Rotation, ForgetsNothingOfAZeroVector) {
  for (const float value : SeededRotation(1, 112)(std::vector<float>(112, 0.0f))) {
    EXPECT_EQ(value, 0.0f);
  }
}

TEST(Rotation, HasTheSameBitsWithEveryKernel) {
  const simd::KernelList list = simd::supported_kernels();
  for (const uint32_t dims : kDims) {
    const SeededRotation seeded(13, dims);
    Sampler sampler(dims);
    const std::vector<float> x = sampler.vector(dims);
    const std::vector<float> expected = seeded(x);
    for (size_t i = 0; i < list.count; ++i) {
      std::vector<float> rotated = x;
      seeded.rotation.apply(rotated.data(), *list.tables[i]);
      EXPECT_EQ(0, std::memcmp(rotated.data(), expected.data(), dims * sizeof(float)))
          << list.tables[i]->name << " dims " << dims;
    }
  }
}

// Stored codes depend on these bits: a change of this value is a change of the index format.
TEST(Rotation, BitsAreFrozen) {
  uint64_t hash = hash_bytes(nullptr, 0);
  for (const uint32_t dims : {128u, 784u}) {
    const std::vector<float> rotated = SeededRotation(42, dims)(Sampler(17).integers(dims));
    hash = hash_bytes(rotated.data(), dims * sizeof(float), hash);
  }
  EXPECT_EQ(hash, 15025714234891251850u);
}

}  // namespace
}  // namespace vann::quantize
