// vector_code_test.cpp — byte codes and stored codes: fidelity, factors, packing, extremes.
#include "core/quantize/vector_code.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/quantize/rotation.hpp"
#include "samples.hpp"

namespace vann::quantize {
namespace {

constexpr size_t kDims[] = {16, 64, 80, 128, 384, 768, 784};

struct Bytes {
  explicit Bytes(const std::vector<float> &x) : dims(x.size()), values(padded_dims(x.size()), 77) {
    code = encode_bytes(x.data(), dims, values.data());
  }
  std::vector<float> decoded() const {
    std::vector<float> out(dims);
    decode_bytes(values.data(), code.factors, dims, out.data());
    return out;
  }
  size_t dims;
  std::vector<int8_t> values;
  ByteCode code;
};

struct Planes {
  Planes(const Bytes &bytes, uint32_t n_bits)
      : dims(bytes.dims), bits(n_bits), planes(code_bytes(dims, n_bits), 0x5a) {
    factors = encode_planes(bytes.values.data(), bytes.code, dims, bits, planes.data());
  }
  std::vector<float> decoded() const {
    std::vector<float> out(dims);
    decode_planes(planes.data(), factors, dims, bits, out.data());
    return out;
  }
  size_t dims;
  uint32_t bits;
  std::vector<uint8_t> planes;
  CodeFactors factors;
};

double cosine(const std::vector<float> &a, const std::vector<float> &b) {
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

// The packing as kernels.hpp words it, one digit at a time.
uint32_t naive_digit(const std::vector<uint8_t> &planes, size_t dims, uint32_t bits, size_t i) {
  const size_t padded = padded_dims(dims);
  const size_t block = i / 64;
  const size_t j = i % 64;
  uint32_t digit = 0;
  size_t offset = 0;
  for (const uint32_t width : {8u, 4u, 2u, 1u}) {
    if ((bits & width) == 0) {
      continue;
    }
    const size_t base = offset + block * 8 * width;
    const size_t byte = width == 1 ? j / 8 : j % (8 * width);
    const size_t shift = width == 1 ? j % 8 : j / (8 * width) * width;
    digit = digit << width | ((planes[base + byte] >> shift) & ((1u << width) - 1));
    offset += padded * width / 8;
  }
  return digit;
}

TEST(VectorCode, ByteFactorsDescribeTheDecodedVector) {
  for (const size_t dims : kDims) {
    SCOPED_TRACE(dims);
    const std::vector<float> x = Sampler(dims).vector(dims);
    const Bytes bytes(x);
    const std::vector<float> c = bytes.decoded();
    EXPECT_NEAR(bytes.code.factors.norm_squared, dot(x, x), 1e-5 * dot(x, x));
    EXPECT_NEAR(bytes.code.factors.cosine, cosine(x, c), 1e-6);
    EXPECT_NEAR(decoded_norm_squared(bytes.code.factors), dot(c, c), 1e-5 * dot(c, c));
    EXPECT_NEAR(dot(x, c), dot(c, c), 1e-5 * dot(c, c)) << "delta is not the least-squares scale";
    EXPECT_LT(squared_distance(x, c), 1e-4);
    int32_t sum = 0;
    for (size_t i = 0; i < dims; ++i) {
      sum += bytes.values[i];
    }
    EXPECT_EQ(bytes.code.sum, sum);
  }
}

TEST(VectorCode, StoredFactorsDescribeTheDecodedVector) {
  for (const size_t dims : kDims) {
    const std::vector<float> x = Sampler(dims).vector(dims);
    const Bytes bytes(x);
    for (uint32_t bits = kMinCodeBits; bits <= kMaxCodeBits; ++bits) {
      SCOPED_TRACE(testing::Message() << dims << " dims, " << bits << " bits");
      const Planes stored(bytes, bits);
      const std::vector<float> c = stored.decoded();
      EXPECT_EQ(stored.factors.norm_squared, bytes.code.factors.norm_squared);
      EXPECT_NEAR(stored.factors.cosine, cosine(x, c), 2e-4);
      EXPECT_NEAR(decoded_norm_squared(stored.factors), dot(c, c), 1e-5 * dot(c, c));
      EXPECT_NEAR(dot(x, c), dot(c, c), 2e-3 * dot(c, c));
    }
  }
}

// kappa is sqrt(D) times the standard deviation of the estimated cosine: tan of the angle (x, c).
TEST(VectorCode, AngularErrorFollowsTheErrorModel) {
  const struct {
    uint32_t bits;
    double kappa;
  } expected[] = {{4, 0.105}, {6, 0.029}, {8, 0.0078}};
  for (const size_t dims : {128u, 384u, 768u, 1536u}) {
    for (const auto &[bits, kappa] : expected) {
      Sampler sampler(bits);
      Moments tan_squared;
      for (int i = 0; i < 200; ++i) {
        const std::vector<float> x = sampler.vector(dims);
        const double cos = cosine(x, Planes(Bytes(x), bits).decoded());
        tan_squared.add(1.0 / (cos * cos) - 1.0);
      }
      EXPECT_NEAR(std::sqrt(tan_squared.mean()), kappa, 0.25 * kappa) << dims << ", " << bits;
    }
  }
}

TEST(VectorCode, PlanesArePackedAsKernelsReadThem) {
  for (const size_t dims : kDims) {
    const Bytes bytes(Sampler(dims).vector(dims));
    for (uint32_t bits = kMinCodeBits; bits <= kMaxCodeBits; ++bits) {
      SCOPED_TRACE(testing::Message() << dims << " dims, " << bits << " bits");
      const Planes stored(bytes, bits);
      const std::vector<float> decoded = stored.decoded();
      const float half = 0.5f * static_cast<float>((1u << bits) - 1);
      for (size_t i = 0; i < padded_dims(dims); ++i) {
        const uint32_t digit = naive_digit(stored.planes, dims, bits, i);
        if (i < dims) {
          ASSERT_EQ(decoded[i], stored.factors.delta * (static_cast<float>(digit) - half));
        } else {
          ASSERT_EQ(digit, 0u) << "padding";
        }
      }
    }
  }
}

TEST(VectorCode, EightBitsKeepTheByteCode) {
  for (const size_t dims : kDims) {
    const Bytes bytes(Sampler(dims).vector(dims));
    const Planes stored(bytes, 8);
    EXPECT_EQ(stored.factors.delta, bytes.code.factors.delta);
    EXPECT_EQ(stored.factors.cosine, bytes.code.factors.cosine);
    EXPECT_EQ(stored.decoded(), bytes.decoded());
  }
}

TEST(VectorCode, MoreBitsAreNeverWorse) {
  for (const size_t dims : {64u, 384u, 784u}) {
    const Bytes bytes(Sampler(dims).vector(dims));
    float previous = 0.0f;
    for (uint32_t bits = kMinCodeBits; bits <= kMaxCodeBits; ++bits) {
      const float cosine_now = Planes(bytes, bits).factors.cosine;
      EXPECT_GT(cosine_now, previous) << dims << ", " << bits;
      previous = cosine_now;
    }
  }
}

TEST(VectorCode, StoredCodeReadAsBytesDecodesToTheSameVector) {
  for (const size_t dims : kDims) {
    const Bytes bytes(Sampler(dims).vector(dims));
    for (uint32_t bits = kMinCodeBits; bits <= kMaxCodeBits; ++bits) {
      SCOPED_TRACE(testing::Message() << dims << " dims, " << bits << " bits");
      const Planes stored(bytes, bits);
      const std::vector<float> expected = stored.decoded();
      std::vector<float> scratch(dims);
      Bytes again(expected);
      again.code = planes_to_bytes(stored.planes.data(), stored.factors, dims, bits, scratch.data(),
                                   again.values.data());
      EXPECT_GT(again.code.factors.cosine, 0.9999f);
      EXPECT_NEAR(again.code.factors.norm_squared, dot(expected, expected), 1e-5);
      const double error = squared_distance(again.decoded(), expected);
      // 255 is a multiple of 15: four and eight bits come back exactly.
      EXPECT_LT(error, (bits == 4 || bits == 8 ? 1e-12 : 1e-4) * dot(expected, expected));
    }
  }
}

TEST(VectorCode, DecodedDotNeedsOnlyTheIntegerProduct) {
  for (const size_t dims : kDims) {
    Sampler sampler(dims);
    const std::vector<float> x = sampler.vector(dims);
    const Bytes a(x);
    const Bytes b(sampler.near(x, 0.5f));
    const int32_t product =
        simd::kernels().dot_i8(a.values.data(), b.values.data(), padded_dims(dims));
    EXPECT_NEAR(decoded_dot(product, a.code, b.code, dims), dot(a.decoded(), b.decoded()), 1e-5);
  }
}

TEST(VectorCode, PaddingValuesAreZero) {
  const Bytes bytes(Sampler(1).vector(80));
  for (size_t i = 80; i < padded_dims(80); ++i) {
    EXPECT_EQ(bytes.values[i], 0);
  }
}

TEST(VectorCode, ZeroVectorDecodesToZeros) {
  const Bytes bytes(std::vector<float>(80, 0.0f));
  EXPECT_EQ(bytes.code.factors.norm_squared, 0.0f);
  EXPECT_EQ(bytes.code.factors.delta, 0.0f);
  EXPECT_EQ(bytes.code.factors.cosine, 0.0f);
  EXPECT_EQ(bytes.values, std::vector<int8_t>(padded_dims(80), 0));
  for (uint32_t bits = kMinCodeBits; bits <= kMaxCodeBits; ++bits) {
    const Planes stored(bytes, bits);
    EXPECT_EQ(stored.factors.cosine, 0.0f);
    EXPECT_EQ(stored.decoded(), std::vector<float>(80, 0.0f));
  }
}

TEST(VectorCode, ExtremeInputGivesFiniteCodes) {
  for (const size_t dims : {16u, 80u, 768u}) {
    for (const std::vector<float> &x : extreme_vectors(dims)) {
      SCOPED_TRACE(testing::Message() << dims << " dims of " << x[0] << ", " << x[dims / 3]);
      const Bytes bytes(x);
      for (uint32_t bits = kMinCodeBits; bits <= kMaxCodeBits; ++bits) {
        const Planes stored(bytes, bits);
        for (const CodeFactors &factors : {bytes.code.factors, stored.factors}) {
          EXPECT_TRUE(std::isfinite(factors.norm_squared) && factors.norm_squared >= 0.0f);
          EXPECT_TRUE(std::isfinite(factors.delta) && factors.delta >= 0.0f);
          EXPECT_TRUE(factors.cosine >= 0.0f && factors.cosine <= 1.0f);
        }
      }
      float largest = 0.0f;
      for (const float value : x) {
        largest = std::isfinite(value) ? std::max(largest, std::fabs(value)) : INFINITY;
      }
      if (std::isfinite(largest)) {  // half a step, rescaled by up to 1 % when all others are zero
        EXPECT_NEAR(bytes.decoded()[dims / 3], x[dims / 3], 0.02 * largest + 1e-30);
      }
    }
  }
}

// Codes computed with any kernels, on any CPU, are the same codes: the value freezes the format.
TEST(VectorCode, BitsAreFrozen) {
  constexpr uint32_t kRotated = 784;
  std::vector<uint64_t> signs(rotation_words(kRotated));
  make_rotation_signs(42, kRotated, signs.data());
  const simd::KernelList list = simd::supported_kernels();
  for (size_t i = 0; i < list.count; ++i) {
    std::vector<float> x = Sampler(17).integers(kRotated);
    Rotation{kRotated, signs.data()}.apply(x.data(), *list.tables[i]);
    const Bytes bytes(x);
    uint64_t hash = hash_bytes(bytes.values.data(), bytes.values.size());
    hash = hash_bytes(&bytes.code, sizeof bytes.code, hash);
    for (uint32_t bits = kMinCodeBits; bits <= kMaxCodeBits; ++bits) {
      const Planes stored(bytes, bits);
      hash = hash_bytes(stored.planes.data(), stored.planes.size(), hash);
      hash = hash_bytes(&stored.factors, sizeof stored.factors, hash);
    }
    EXPECT_EQ(hash, 8394396270320087329u) << list.tables[i]->name;
  }
}

}  // namespace
}  // namespace vann::quantize
