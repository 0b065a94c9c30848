// list_code_test.cpp — scan codes of bits and refine codes: against the formulas, unbiased, within
// their stated error, finite. list_product_test.cpp tests product codes.
#include "core/quantize/list_code.hpp"

#include <gtest/gtest.h>

#include "core/base/bfloat16.hpp"
#include "list_rows.hpp"

namespace vann::quantize {
namespace {

constexpr Geometry kGeometries[] = {Geometry::kL2, Geometry::kInnerProduct};
constexpr uint32_t kDims[][2] = {{64, 64}, {112, 64}, {128, 128}, {768, 768}, {784, 768}};

ListShape bit_shape(uint32_t dims, uint32_t scan_dims, uint32_t refine_bits, Geometry geometry) {
  return {dims, Codec::kRabitq, 0, scan_dims, refine_bits, geometry};
}

template <class Check>
void for_each_shape(Check check) {
  for (const auto &[dims, scan_dims] : kDims) {
    for (const Geometry geometry : kGeometries) {
      for (uint32_t bits = 4; bits <= 8; ++bits) {
        SCOPED_TRACE(testing::Message() << dims << " dims, " << bits << " refine bits, geometry "
                                        << static_cast<int>(geometry));
        check(bit_shape(dims, scan_dims, bits, geometry));
      }
    }
  }
}

std::vector<ListShape> shapes_of(uint32_t dims, uint32_t scan_dims) {
  std::vector<ListShape> shapes;
  for (const Geometry geometry : kGeometries) {
    for (uint32_t bits = 4; bits <= 8; ++bits) {
      shapes.push_back(bit_shape(dims, scan_dims, bits, geometry));
    }
  }
  return shapes;
}

// Errors of estimates in units of the stated ones.
struct Errors {
  void add(const ListShape &shape, const std::vector<float> &c, const std::vector<float> &q,
           const std::vector<std::vector<float>> &rows) {
    const ListModel model = {shape, nullptr};
    const AnchorDistance anchor = anchor_distance(shape.geometry, q, c);
    const PreparedListQuery query(model, q);
    ListBlock block(model);
    for (size_t slot = 0; slot < rows.size(); ++slot) {
      block.set(slot, c, rows[slot]);
    }
    BlockEstimates estimates;
    block.scan(query.prepared, anchor, 0.0f, 0.0f, &estimates);
    for (size_t slot = 0; slot < rows.size(); ++slot) {
      const double truth = list_distance(shape.geometry, q, rows[slot]);
      scan.add((estimates.estimates[slot] - truth) / estimates.errors[slot]);
      const RefinedRow row(shape, c, rows[slot]);
      const RowEstimate refined =
          refine_row(query.prepared, anchor, row.planes.data(), row.factors);
      refine.add((refined.distance - truth) / refined.error);
    }
  }
  Moments scan;
  Moments refine;
};

// Errors with each of the shapes over the same rows. Rows are near their anchor, queries `step` away
// from it in any direction.
std::vector<Errors> sampled_errors(const std::vector<ListShape> &shapes, float step, int blocks) {
  const size_t dims = shapes[0].dims;
  Sampler sampler(dims * 17);
  std::vector<Errors> errors(shapes.size());
  for (int round = 0; round < blocks; ++round) {
    const std::vector<float> c = sampler.vector(dims);
    const std::vector<float> q = sampler.near(c, step);
    std::vector<std::vector<float>> rows;
    for (size_t slot = 0; slot < 32; ++slot) {
      rows.push_back(sampler.near(c, 0.6f));
    }
    for (size_t i = 0; i < shapes.size(); ++i) {
      errors[i].add(shapes[i], c, q, rows);
    }
  }
  return errors;
}

TEST(ListCode, EstimatesAreUnbiasedAndWithinTheirError) {
  for (const auto &[dims, scan_dims] : kDims) {
    const std::vector<ListShape> shapes = shapes_of(dims, scan_dims);
    const std::vector<Errors> errors = sampled_errors(shapes, 0.8f, 400);
    for (size_t i = 0; i < shapes.size(); ++i) {
      SCOPED_TRACE(testing::Message()
                   << dims << " dims, " << shapes[i].refine_bits << " refine bits, geometry "
                   << static_cast<int>(shapes[i].geometry));
      for (const Moments &moments : {errors[i].scan, errors[i].refine}) {
        EXPECT_LT(std::fabs(moments.mean()), 0.03);
        EXPECT_GT(moments.deviation(), 0.9);
        EXPECT_LT(moments.deviation(), 1.15);
      }
    }
  }
}

// Near the anchor the rounding of the query and of factors is a part of the error.
TEST(ListCode, ErrorsHoldForQueriesNearTheAnchor) {
  for (const auto &[dims, scan_dims] : kDims) {
    for (const Errors &errors : sampled_errors(shapes_of(dims, scan_dims), 0.1f, 100)) {
      EXPECT_LT(errors.scan.deviation(), 1.15) << dims;
      EXPECT_LT(errors.refine.deviation(), 1.15) << dims;
    }
  }
}

double level_dot(const ListShape &shape, const std::vector<uint8_t> &planes,
                 const std::vector<float> &y) {
  std::vector<float> levels(shape.dims);
  decode_planes(planes.data(), {0, 1, 1}, shape.dims, shape.refine_bits, levels.data());
  return dot(levels, y);
}

TEST(ListCode, RefineFactorsMatchTheFormulas) {
  for_each_shape([](const ListShape &shape) {
    Sampler sampler(shape.dims);
    const std::vector<float> c = sampler.vector(shape.dims);
    const std::vector<float> x = sampler.near(c, 0.5f);
    std::vector<float> r(shape.dims);
    for (size_t i = 0; i < r.size(); ++i) {
      r[i] = x[i] - c[i];
    }
    const RefinedRow row(shape, c, x);
    const double squared = dot(r, r);
    const double scale = row.factors.scale;
    // The byte code's error is taken to be orthogonal to the levels of fewer bits.
    EXPECT_NEAR(scale * level_dot(shape, row.planes, r), squared, 2e-4 * squared);
    const double level_anchor = scale * level_dot(shape, row.planes, c);
    const double offset =
        shape.geometry == Geometry::kL2 ? squared + 2 * level_anchor : level_anchor - dot(r, c);
    EXPECT_NEAR(row.factors.offset, offset, 1e-6);
  });
}

TEST(ListCode, DecodedRowsAreTheLeastSquaresOnes) {
  for_each_shape([](const ListShape &shape) {
    Sampler sampler(shape.dims + 5);
    const std::vector<float> c = sampler.vector(shape.dims);
    const std::vector<float> x = sampler.near(c, 0.5f);
    const RefinedRow row(shape, c, x);
    std::vector<float> levels(shape.dims);
    std::vector<float> r(shape.dims);
    decode_planes(row.planes.data(), {0, 1, 1}, shape.dims, shape.refine_bits, levels.data());
    for (size_t i = 0; i < r.size(); ++i) {
      r[i] = x[i] - c[i];
    }
    const double delta = dot(r, levels) / dot(levels, levels);
    double along = 0.0;
    if (shape.geometry == Geometry::kInnerProduct) {
      along = (dot(r, c) - delta * dot(levels, c)) / dot(c, c);
    }
    std::vector<float> decoded(shape.dims);
    decode_refine(shape, c.data(), row.planes.data(), row.factors, decoded.data());
    for (size_t i = 0; i < r.size(); ++i) {
      const double expected = (1 + along) * c[i] + delta * levels[i];
      ASSERT_NEAR(decoded[i], expected, 1e-3 * std::fabs(delta * levels[i]) + 1e-6);
    }
    if (shape.geometry == Geometry::kInnerProduct) {
      EXPECT_NEAR(dot(decoded, c), dot(x, c), 1e-5);
    }
  });
}

// A row that moves to another anchor from its refine code: errors of both codes together.
TEST(ListCode, ErrorsAddUpWhenARowIsEncodedAgain) {
  for (const Geometry geometry : kGeometries) {
    const ListShape shape = bit_shape(128, 128, 4, geometry);
    Sampler sampler(77);
    Moments moments;
    for (int i = 0; i < 4000; ++i) {
      const std::vector<float> c = sampler.vector(128);
      const std::vector<float> x = sampler.near(c, 0.5f);
      const std::vector<float> other = sampler.near(c, 0.2f);
      const std::vector<float> q = sampler.near(c, 0.8f);
      const RefinedRow row(shape, c, x);
      std::vector<float> decoded(128);
      decode_refine(shape, c.data(), row.planes.data(), row.factors, decoded.data());
      const RefinedRow again(shape, other, decoded);
      const RefineFactors factors = with_error(shape, again.factors, row.factors.error);
      const RowEstimate estimate =
          refine_row(PreparedListQuery({shape, nullptr}, q).prepared,
                     anchor_distance(geometry, q, other), again.planes.data(), factors);
      moments.add((estimate.distance - list_distance(geometry, q, x)) / estimate.error);
    }
    EXPECT_LT(std::fabs(moments.mean()), 0.05);
    EXPECT_GT(moments.deviation(), 0.9);
    EXPECT_LT(moments.deviation(), 1.15);
  }
}

// However often: errors that all point to the anchor would soon be more than their squares say.
TEST(ListCode, RowsEncodedOverAndOverStayWhereTheyAre) {
  for (const Geometry geometry : kGeometries) {
    const ListShape shape = bit_shape(128, 128, 5, geometry);
    Sampler sampler(78);
    const std::vector<float> c = sampler.vector(128);
    const std::vector<float> x = sampler.near(c, 0.5f);
    std::vector<float> decoded = x;
    float error = 0;
    for (int i = 0; i < 30; ++i) {
      const RefinedRow row(shape, c, decoded);
      const RefineFactors factors = with_error(shape, row.factors, error);
      error = factors.error;
      decode_refine(shape, c.data(), row.planes.data(), factors, decoded.data());
    }
    double lost = 0;
    double residual = 0;
    for (size_t i = 0; i < 128; ++i) {
      lost += (decoded[i] - x[i]) * (decoded[i] - x[i]);
      residual += (x[i] - c[i]) * (x[i] - c[i]);
    }
    const double weight = geometry == Geometry::kL2 ? 2 : 1;
    const double stated = error / weight * std::sqrt(127.0);
    EXPECT_LT(std::sqrt(lost), 2 * stated) << std::sqrt(residual);
  }
}

TEST(ListCode, ErrorsCombineAsRootOfSquares) {
  const RefineFactors refine = with_error(RefineFactors{1.0f, 2.0f, 3.0f}, 4.0f);
  EXPECT_EQ(refine.scale, 1.0f);
  EXPECT_EQ(refine.offset, 2.0f);
  EXPECT_FLOAT_EQ(refine.error, 5.0f);
  const ScanFactors scan = with_error(ScanFactors{1, 2, to_bfloat16(3.0f)}, 4.0f);
  EXPECT_EQ(scan.scale, 1);
  EXPECT_EQ(scan.offset, 2);
  EXPECT_EQ(scan.error, to_bfloat16(5.0f));
}

TEST(ListCode, MaskHoldsTheRowsBelowTheLimit) {
  const ListShape shape = bit_shape(128, 128, 6, Geometry::kL2);
  const ListModel model = {shape, nullptr};
  Sampler sampler(3);
  const std::vector<float> c = sampler.vector(128);
  const std::vector<float> q = sampler.near(c, 0.8f);
  ListBlock block(model);
  for (size_t slot = 0; slot < 32; ++slot) {
    block.set(slot, c, sampler.near(c, 0.6f));
  }
  const PreparedListQuery query(model, q);
  const AnchorDistance anchor = anchor_distance(Geometry::kL2, q, c);
  int kept = 0;
  for (const float deviations : {0.0f, 1.9f}) {
    BlockEstimates out;
    const uint32_t mask = block.scan(query.prepared, anchor, deviations, 0.9f, &out);
    for (size_t slot = 0; slot < 32; ++slot) {
      const bool below = out.estimates[slot] - deviations * out.errors[slot] < 0.9f;
      EXPECT_EQ((mask >> slot & 1) != 0, below);
      kept += below ? 1 : 0;
    }
  }
  EXPECT_GT(kept, 3);
  EXPECT_LT(kept, 61);
}

TEST(ListCode, ARowAtTheAnchorIsTheAnchor) {
  for_each_shape([](const ListShape &shape) {
    const std::vector<float> c = Sampler(9).vector(shape.dims);
    ListBlock block({shape, nullptr});
    block.set(5, c, c);
    const RefinedRow row(shape, c, c);
    EXPECT_EQ(block.tiles, std::vector<uint8_t>(block_code_bytes(shape)));
    EXPECT_EQ(row.planes, std::vector<uint8_t>(refine_code_bytes(shape)));
    const std::vector<float> q = Sampler(10).vector(shape.dims);
    const PreparedListQuery query({shape, nullptr}, q);
    const AnchorDistance anchor = anchor_distance(shape.geometry, q, c);
    BlockEstimates out;
    block.scan(query.prepared, anchor, 1.9f, 0.0f, &out);
    EXPECT_EQ(out.estimates[5], anchor.base);
    EXPECT_EQ(out.errors[5], 0.0f);
    const RowEstimate refined = refine_row(query.prepared, anchor, row.planes.data(), row.factors);
    EXPECT_EQ(refined.distance, anchor.base);
    EXPECT_EQ(refined.error, 0.0f);
    std::vector<float> decoded(shape.dims);
    decode_refine(shape, c.data(), row.planes.data(), row.factors, decoded.data());
    EXPECT_EQ(decoded, c);
  });
}

TEST(ListCode, CodesHaveTheSameBitsEverywhere) {
  uint64_t hash = hash_bytes(nullptr, 0);
  for (const auto &[dims, scan_dims] : kDims) {
    for (uint32_t bits = 4; bits <= 8; ++bits) {
      const ListShape shape = bit_shape(dims, scan_dims, bits, Geometry::kL2);
      Sampler sampler(dims);
      const std::vector<float> c = sampler.integers(dims);
      const std::vector<float> x = sampler.integers(dims);
      ListBlock block({shape, nullptr});
      block.set(0, c, x);
      const RefinedRow row(shape, c, x);
      hash = hash_bytes(block.tiles.data(), block.tiles.size(), hash);
      for (const uint16_t factor : {block.scales[0], block.offsets[0], block.errors[0]}) {
        hash = hash_bytes(&factor, sizeof factor, hash);
      }
      hash = hash_bytes(row.planes.data(), row.planes.size(), hash);
      hash = hash_bytes(&row.factors, sizeof row.factors, hash);
    }
  }
  EXPECT_EQ(hash, 0xa895b78156ee2ac1u);
}

TEST(ListCode, ExtremeInputGivesFiniteFactorsAndEstimates) {
  for (const auto &[dims, scan_dims] : {std::pair<uint32_t, uint32_t>{64, 64}, {112, 64}}) {
    const std::vector<std::vector<float>> vectors = extreme_vectors(dims);
    for (const Geometry geometry : kGeometries) {
      const ListShape shape = bit_shape(dims, scan_dims, 5, geometry);
      const PreparedListQuery query({shape, nullptr}, Sampler(1).vector(dims));
      for (const std::vector<float> &c : vectors) {
        for (const std::vector<float> &x : vectors) {
          ListBlock block({shape, nullptr});
          block.set(0, c, x);
          const RefinedRow row(shape, c, x);
          for (const float factor :
               {from_bfloat16(block.scales[0]), from_bfloat16(block.offsets[0]),
                from_bfloat16(block.errors[0]), row.factors.scale, row.factors.offset,
                row.factors.error}) {
            ASSERT_TRUE(std::isfinite(factor)) << c[0] << ", " << x[0];
          }
          const AnchorDistance anchor = {1e30f, 1e15f};
          BlockEstimates out;
          block.scan(query.prepared, anchor, 1.9f, 0.0f, &out);
          const RowEstimate refined =
              refine_row(query.prepared, anchor, row.planes.data(), row.factors);
          for (const float value :
               {out.estimates[0], out.errors[0], refined.distance, refined.error}) {
            ASSERT_TRUE(std::isfinite(value)) << c[0] << ", " << x[0];
          }
        }
      }
    }
  }
}

TEST(ListCode, FactorsScaleWithTheVectors) {
  const ListShape shape = bit_shape(128, 128, 6, Geometry::kL2);
  Sampler sampler(4);
  const std::vector<float> c = sampler.vector(128);
  const std::vector<float> x = sampler.near(c, 0.6f);
  const RefinedRow expected(shape, c, x);
  for (const float unit : {0x1p50f, 0x1p-50f}) {
    std::vector<float> large = c;
    std::vector<float> row = x;
    for (size_t i = 0; i < 128; ++i) {
      large[i] *= unit;
      row[i] *= unit;
    }
    const RefinedRow scaled(shape, large, row);
    EXPECT_EQ(scaled.planes, expected.planes);
    EXPECT_FLOAT_EQ(scaled.factors.scale, expected.factors.scale * unit);
    EXPECT_FLOAT_EQ(scaled.factors.offset / unit / unit, expected.factors.offset);
    EXPECT_FLOAT_EQ(scaled.factors.error, expected.factors.error * unit);
  }
}

TEST(ListCode, BlocksReturnWhatWasStored) {
  std::mt19937 generator(5);
  for (const ListShape &shape :
       {bit_shape(128, 128, 6, Geometry::kL2), bit_shape(784, 768, 6, Geometry::kL2),
        ListShape{112, Codec::kPq4, 28, scan_dims_of(Codec::kPq4, 28), 6, Geometry::kL2},
        ListShape{128, Codec::kPq8, 24, scan_dims_of(Codec::kPq8, 24), 6, Geometry::kL2}}) {
    std::vector<uint8_t> tiles(block_code_bytes(shape), 0xee);
    std::vector<std::vector<uint8_t>> codes(32, std::vector<uint8_t>(scan_code_bytes(shape)));
    for (size_t slot = 0; slot < 32; ++slot) {
      for (uint8_t &byte : codes[slot]) {
        byte = static_cast<uint8_t>(generator());
      }
      store_code(shape, tiles.data(), slot, codes[slot].data());
    }
    for (size_t slot = 0; slot < 32; ++slot) {
      std::vector<uint8_t> loaded(scan_code_bytes(shape));
      load_code(shape, tiles.data(), slot, loaded.data());
      EXPECT_EQ(loaded, codes[slot]) << slot;
    }
  }
}

}  // namespace
}  // namespace vann::quantize
