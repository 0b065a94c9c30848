// query_test.cpp — estimates: against the formulas, unbiased, within their stated error, finite.
#include "core/quantize/query.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <new>

#include "core/base/bfloat16.hpp"
#include "samples.hpp"

namespace vann::quantize {
namespace {

constexpr Geometry kGeometries[] = {Geometry::kL2, Geometry::kInnerProduct};

struct AlignedDelete {
  void operator()(uint8_t *memory) const { ::operator delete[](memory, std::align_val_t{64}); }
};

struct Query {
  Query(const CodeShape &shape, const std::vector<float> &q)
      : memory(new (std::align_val_t{64}) uint8_t[query_bytes(shape)]),
        prepared(prepare_query(shape, q.data(), memory.get())) {}
  std::unique_ptr<uint8_t[], AlignedDelete> memory;
  PreparedQuery prepared;
};

// A stored code of x, as an element holds it.
struct Element {
  Element(const std::vector<float> &x, uint32_t bits)
      : planes(code_bytes(x.size(), bits)), decoded(x.size()) {
    std::vector<int8_t> values(padded_dims(x.size()));
    const ByteCode code = encode_bytes(x.data(), x.size(), values.data());
    factors = encode_planes(values.data(), code, x.size(), bits, planes.data());
    decode_planes(planes.data(), factors, x.size(), bits, decoded.data());
  }
  std::vector<uint8_t> planes;
  std::vector<float> decoded;
  CodeFactors factors;
};

// A block of 32 neighbors of one parent.
struct Block {
  Block(const CodeShape &shape, const std::vector<float> &parent)
      : shape_(shape), parent_(parent),
        tiles(32 * neighbor_code_bytes(shape.neighbor_dims, shape.neighbor_bits)) {}

  void set(size_t slot, const std::vector<float> &o) {
    std::vector<uint8_t> code(neighbor_code_bytes(shape_.neighbor_dims, shape_.neighbor_bits));
    const NeighborFactors factors =
        encode_neighbor(parent_.data(), o.data(), shape_.dims, shape_.neighbor_dims,
                        shape_.neighbor_bits, shape_.geometry, code.data());
    scales[slot] = to_bfloat16(factors.scale);
    offsets[slot] = to_bfloat16(factors.offset);
    store_tile(tiles.data(), slot, code.data(), shape_.neighbor_dims, shape_.neighbor_bits);
  }

  std::vector<float> estimates(const PreparedQuery &query, float anchor) const {
    std::vector<float> out(32);
    estimate_neighbors(query, anchor, tiles.data(), scales, offsets, out.data());
    return out;
  }

 private:
  CodeShape shape_;
  std::vector<float> parent_;

 public:
  std::vector<uint8_t> tiles;
  uint16_t scales[32] = {};
  uint16_t offsets[32] = {};
};

double distance(Geometry geometry, const std::vector<float> &a, const std::vector<float> &b) {
  return geometry == Geometry::kL2 ? squared_distance(a, b) : -dot(a, b);
}

TEST(Query, DigitsAreTheRoundedQuery) {
  for (const uint32_t dims : {64u, 112u, 784u}) {
    const CodeShape shape = {dims, 6, dims / 64 * 64, 1, Geometry::kL2};
    const std::vector<float> q = Sampler(dims).vector(dims);
    const Query query(shape, q);
    int32_t sum = 0;
    int32_t fine_sum = 0;
    for (size_t i = 0; i < padded_dims(dims); ++i) {
      const int8_t digit = query.prepared.digits[i];
      const int8_t fine = query.prepared.fine_digits[i];
      sum += digit;
      fine_sum += fine;
      const float expected = i < dims ? q[i] / query.prepared.digit_scale : 0.0f;
      ASSERT_NEAR(digit, expected, 0.501f);
      ASSERT_NEAR(digit + fine / 254.0, expected, 0.501 / 254 + 1e-5);
    }
    EXPECT_EQ(query.prepared.digit_sum, sum);
    EXPECT_EQ(query.prepared.fine_sum, fine_sum);
    EXPECT_NEAR(query.prepared.norm_squared, dot(q, q), 1e-5 * dot(q, q));
  }
}

TEST(Query, TableHoldsAllSubsetSumsOfFourDimensions) {
  const CodeShape shape = {192, 6, 128, 1, Geometry::kL2};
  const std::vector<float> q = Sampler(8).vector(192);
  const Query kept(shape, q);
  const PreparedQuery &query = kept.prepared;
  double bias = 0;
  for (size_t first = 0; first < 128; first += 4) {
    double low = 0;
    for (size_t k = 0; k < 4; ++k) {
      low += std::min(q[first + k], 0.0f);
    }
    bias += low;
    const size_t block = first / 64;
    const size_t byte = first % 64 / 8;
    const size_t nibble = first % 8 / 4;
    const size_t group = ((block * 2 + byte / 4) * 2 + nibble) * 4 + byte % 4;
    for (size_t subset = 0; subset < 16; ++subset) {
      double sum = 0;
      for (size_t k = 0; k < 4; ++k) {
        sum += (subset >> k & 1) != 0 ? q[first + k] : 0.0;
      }
      const uint8_t entry = query.table[group * 16 + subset];
      ASSERT_NEAR(entry, (sum - low) / query.table_scale, 0.53) << first << ", " << subset;
    }
  }
  EXPECT_NEAR(query.table_bias, bias, 1e-5);
  EXPECT_NEAR(query.prefix_sum,
              dot(std::vector<float>(q.begin(), q.begin() + 128), std::vector<float>(128, 1.0f)),
              1e-5);
}

TEST(Query, AnchorIsTheDistanceToTheDecodedCode) {
  for (const uint32_t dims : {128u, 384u, 784u, 1536u}) {
    for (const Geometry geometry : kGeometries) {
      for (uint32_t bits = kMinCodeBits; bits <= kMaxCodeBits; ++bits) {
        SCOPED_TRACE(testing::Message() << dims << " dims, " << bits << " bits");
        Sampler sampler(dims + bits);
        const std::vector<float> q = sampler.vector(dims);
        const Element element(sampler.vector(dims), bits);
        const CodeShape shape = {dims, bits, dims / 64 * 64, 1, geometry};
        const Query query(shape, q);
        const OwnEstimate own =
            estimate_own(query.prepared, element.planes.data(), element.factors);
        // The query's own rounding moves it by |c| * step / sqrt(12), twice that for L2.
        const double unit = geometry == Geometry::kL2 ? 2.0 : 1.0;
        const double step = query.prepared.digit_scale / 254;
        const double rounding = unit * step / std::sqrt(12.0);
        const double expected = distance(geometry, q, element.decoded);
        EXPECT_NEAR(own.anchor, expected, 4 * rounding * std::sqrt(dot(q, q)) + 1e-5);
        // With the digits in the query's place it is an identity.
        std::vector<float> rounded(dims);
        for (size_t i = 0; i < dims; ++i) {
          rounded[i] = static_cast<float>(
              (query.prepared.digits[i] + query.prepared.fine_digits[i] / 254.0) *
              query.prepared.digit_scale);
        }
        const double product = dot(rounded, element.decoded);
        const double identity =
            geometry == Geometry::kL2
                ? dot(q, q) + dot(element.decoded, element.decoded) - 2 * product
                : -product;
        EXPECT_NEAR(own.anchor, identity, 1e-4);
      }
    }
  }
}

// Errors of own estimates in units of the stated error, over pairs `step` apart (0: independent).
struct OwnErrors {
  OwnErrors(uint32_t dims, uint32_t bits, Geometry geometry, float step, int pairs) {
    const CodeShape shape = {dims, bits, dims / 64 * 64, 1, geometry};
    Sampler sampler(dims * 31 + bits);
    for (int i = 0; i < pairs; ++i) {
      const std::vector<float> x = sampler.vector(dims);
      const std::vector<float> q = step == 0.0f ? sampler.vector(dims) : sampler.near(x, step);
      const Element element(x, bits);
      const OwnEstimate own =
          estimate_own(Query(shape, q).prepared, element.planes.data(), element.factors);
      const double error = (own.distance - distance(geometry, x, q)) / own.error;
      moments.add(error);
      covered += std::fabs(error) <= 1.9 ? 1.0 / pairs : 0.0;
    }
  }
  Moments moments;
  double covered = 0;
};

TEST(Query, OwnEstimatesAreUnbiasedAndWithinTheirError) {
  for (const uint32_t dims : {64u, 128u, 384u, 768u, 784u}) {
    for (const Geometry geometry : kGeometries) {
      for (const uint32_t bits : {4u, 6u, 8u}) {
        for (const float step : {0.0f, 0.5f}) {
          SCOPED_TRACE(testing::Message() << dims << " dims, " << bits << " bits, step " << step);
          const OwnErrors errors(dims, bits, geometry, step, 2500);
          EXPECT_LT(std::fabs(errors.moments.mean()), 0.05 * errors.moments.deviation());
          EXPECT_GE(errors.covered, 0.93);
          EXPECT_NEAR(errors.moments.deviation(), 1.0, 0.15) << "the stated error is not the error";
        }
      }
    }
  }
}

TEST(Query, ZeroVectorsHaveTheirExactDistance) {
  const std::vector<float> q = Sampler(2).vector(128);
  const std::vector<float> zero(128, 0.0f);
  const Element at_zero(zero, 6);
  const Element element(q, 6);
  for (const Geometry geometry : kGeometries) {
    const CodeShape shape = {128, 6, 128, 1, geometry};
    const OwnEstimate own =
        estimate_own(Query(shape, q).prepared, at_zero.planes.data(), at_zero.factors);
    EXPECT_NEAR(own.distance, distance(geometry, q, zero), 1e-5);
    EXPECT_EQ(own.anchor, own.distance);
    EXPECT_EQ(own.error, 0.0f);
    const OwnEstimate from_zero =
        estimate_own(Query(shape, zero).prepared, element.planes.data(), element.factors);
    EXPECT_NEAR(from_zero.distance, distance(geometry, q, zero), 1e-5);
  }
}

// Each of the 32 estimates equals the formula with the unquantized query up to table rounding.
TEST(Query, NeighborEstimatesFollowTheFormula) {
  for (const uint32_t neighbor_bits : {1u, 2u}) {
    for (const Geometry geometry : kGeometries) {
      const CodeShape shape = {784, 6, 768, neighbor_bits, geometry};
      Sampler sampler(neighbor_bits);
      const std::vector<float> parent = sampler.vector(784);
      const std::vector<float> q = sampler.near(parent, 0.7f);
      Block block(shape, parent);
      for (size_t slot = 0; slot < 32; ++slot) {
        block.set(slot, sampler.near(parent, 0.05f * static_cast<float>(slot + 1)));
      }
      const Query query(shape, q);
      const std::vector<float> estimates = block.estimates(query.prepared, 0.25f);
      for (size_t slot = 0; slot < 32; ++slot) {
        std::vector<uint8_t> code(neighbor_code_bytes(768, neighbor_bits));
        load_tile(block.tiles.data(), slot, code.data(), 768, neighbor_bits);
        double levels = 0;
        for (size_t i = 0; i < 768; ++i) {
          uint32_t digit = (code[i / 8] >> (i % 8)) & 1u;
          if (neighbor_bits == 2) {
            digit = 2 * digit + ((code[96 + i / 8] >> (i % 8)) & 1u);
          }
          levels += (digit - 0.5 * ((1u << neighbor_bits) - 1)) * q[i];
        }
        const double weight = geometry == Geometry::kL2 ? 2.0 : 1.0;
        const double scale = weight * from_bfloat16(block.scales[slot]);
        const double expected = 0.25 + from_bfloat16(block.offsets[slot]) - scale * levels;
        // 192 roundings, each uniform on one table step, per plane; planes weigh 1 and 2.
        const double rounding = query.prepared.table_scale * std::sqrt(192.0 / 12.0) *
                                (neighbor_bits == 2 ? std::sqrt(5.0) : 1.0);
        EXPECT_NEAR(estimates[slot], expected, 5 * scale * rounding + 1e-5) << slot;
      }
    }
  }
}

// Errors of neighbor estimates, in units of f |r| |q - c| / sqrt(coded dims), over independent
// triangles of parent, neighbor and query.
Moments neighbor_errors(const CodeShape &shape, int blocks) {
  Moments errors;
  Sampler sampler(shape.dims * 7 + shape.neighbor_dims + shape.neighbor_bits);
  const double weight = shape.geometry == Geometry::kL2 ? 2.0 : 1.0;
  for (int i = 0; i < blocks; ++i) {
    const std::vector<float> parent = sampler.vector(shape.dims);
    const std::vector<float> q = sampler.near(parent, 0.6f);
    const Query query(shape, q);
    Block block(shape, parent);
    std::vector<std::vector<float>> neighbors;
    for (size_t slot = 0; slot < 4; ++slot) {
      neighbors.push_back(sampler.near(slot % 2 == 0 ? parent : q, 0.6f));
      block.set(slot, neighbors[slot]);
    }
    const double anchor = distance(shape.geometry, parent, q);
    const std::vector<float> estimates =
        block.estimates(query.prepared, static_cast<float>(anchor));
    for (size_t slot = 0; slot < 4; ++slot) {
      const double unit = weight * std::sqrt(squared_distance(neighbors[slot], parent) *
                                             squared_distance(q, parent) / shape.neighbor_dims);
      errors.add((estimates[slot] - distance(shape.geometry, neighbors[slot], q)) / unit);
    }
  }
  return errors;
}

TEST(Query, NeighborEstimatesAreUnbiased) {
  const uint32_t shapes[][2] = {{64, 64}, {128, 128}, {384, 384}, {784, 768}, {768, 768}};
  for (const auto &[dims, coded] : shapes) {
    for (const Geometry geometry : kGeometries) {
      for (const uint32_t bits : {1u, 2u}) {
        SCOPED_TRACE(testing::Message() << dims << " dims, " << bits << " bits");
        const Moments errors = neighbor_errors({dims, 6, coded, bits, geometry}, 1500);
        EXPECT_LT(std::fabs(errors.mean()), 0.05 * errors.deviation());
        // README.md, "Error model": 0.755 and 0.366, less where q - c leans towards r.
        const double kappa = bits == 1 ? 0.755 : 0.366;
        EXPECT_LT(errors.deviation(), 1.1 * kappa);
        EXPECT_GT(errors.deviation(), 0.7 * kappa);
      }
    }
  }
}

TEST(Query, PrefixCodesAreUnbiased) {
  for (const Geometry geometry : kGeometries) {
    for (const uint32_t bits : {1u, 2u}) {
      SCOPED_TRACE(bits);
      const Moments errors = neighbor_errors({768, 6, 384, bits, geometry}, 1500);
      EXPECT_LT(std::fabs(errors.mean()), 0.05 * errors.deviation());
    }
  }
}

TEST(Query, ExtremeInputGivesFiniteEstimates) {
  for (const uint32_t dims : {64u, 784u}) {
    const std::vector<std::vector<float>> vectors = extreme_vectors(dims);
    for (const Geometry geometry : kGeometries) {
      for (const uint32_t bits : {1u, 2u}) {
        const CodeShape shape = {dims, 6, dims / 64 * 64, bits, geometry};
        for (const std::vector<float> &q : vectors) {
          const Query query(shape, q);
          for (const std::vector<float> &x : vectors) {
            SCOPED_TRACE(testing::Message()
                         << q[0] << ", " << q[dims / 3] << " and " << x[0] << ", " << x[dims / 3]);
            const Element element(x, 6);
            const OwnEstimate own =
                estimate_own(query.prepared, element.planes.data(), element.factors);
            ASSERT_TRUE(std::isfinite(own.anchor) && std::isfinite(own.distance));
            ASSERT_TRUE(std::isfinite(own.error) && own.error >= 0.0f);
            Block block(shape, element.decoded);
            block.set(0, vectors[0]);
            block.set(31, q);
            for (const float estimate : block.estimates(query.prepared, own.anchor)) {
              ASSERT_TRUE(std::isfinite(estimate));
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace vann::quantize
