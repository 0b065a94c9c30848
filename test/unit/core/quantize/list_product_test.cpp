// list_product_test.cpp — product codes of lists' rows against codebooks of random entries: nearest
// entries, tables, factors, errors. test/unit/core/codebook tests those that are trained.
#include <gtest/gtest.h>

#include <limits>

#include "core/base/bfloat16.hpp"
#include "core/quantize/codebook.hpp"
#include "core/quantize/list_code.hpp"
#include "list_rows.hpp"

namespace vann::quantize {
namespace {

constexpr Geometry kGeometries[] = {Geometry::kL2, Geometry::kInnerProduct};

// Subvectors of one length, and of two; a last group of sixteen that is full, and one that is not.
constexpr uint32_t kShapes[][2] = {{64, 16},  {112, 28}, {112, 30},
                                   {128, 32}, {768, 96}, {784, 196}};

struct Codebooks {
  Codebooks(Codec codec, uint32_t dims, uint32_t subvectors, Geometry geometry)
      : shape{dims, codec, subvectors, scan_dims_of(codec, subvectors), 6, geometry} {
    Sampler sampler(dims + subvectors);
    values = sampler.vector(codebook_floats(shape));
    // Entries as large as residuals of length 0.6.
    const double unit = 0.6 * std::sqrt(static_cast<double>(values.size()) / dims);
    for (float &value : values) {
      value *= static_cast<float>(unit);
    }
  }
  ListModel model() const { return {shape, values.data()}; }
  const float *entry(size_t i, size_t u) const {
    return &values[(i * codebook_entries(shape.codec) + u) * longest_subvector(shape)];
  }
  ListShape shape;
  std::vector<float> values;
};

template <class Check>
void for_each_codebook(Check check) {
  for (const auto &[dims, subvectors] : kShapes) {
    for (const Codec codec : {Codec::kPq4, Codec::kPq8}) {
      for (const Geometry geometry : kGeometries) {
        SCOPED_TRACE(testing::Message()
                     << dims << " dims, " << subvectors << " subvectors, codec "
                     << static_cast<int>(codec) << ", geometry " << static_cast<int>(geometry));
        check(Codebooks(codec, dims, subvectors, geometry));
      }
    }
  }
}

size_t entry_of(const ListShape &shape, const std::vector<uint8_t> &code, size_t i) {
  return shape.codec == Codec::kPq8 ? code[i] : (code[i / 2] >> (i % 2 * 4)) & 15u;
}

TEST(ListProduct, CodesNameTheNearestEntries) {
  for_each_codebook([](const Codebooks &books) {
    const ListShape &shape = books.shape;
    const std::vector<float> r = Sampler(3).vector(shape.dims);
    std::vector<uint8_t> code(scan_code_bytes(shape), 0xff);
    std::vector<float> decoded(shape.dims);
    encode_subvectors(books.model(), r.data(), code.data(), decoded.data());
    for (size_t i = 0; i < shape.subvectors; ++i) {
      const size_t begin = subvector_begin(shape, i);
      const size_t end = subvector_begin(shape, i + 1);
      const auto distance = [&](size_t u) {
        double sum = 0;
        for (size_t k = begin; k < end; ++k) {
          const double difference = static_cast<double>(r[k]) - books.entry(i, u)[k - begin];
          sum += difference * difference;
        }
        return sum;
      };
      const size_t chosen = entry_of(shape, code, i);
      for (size_t u = 0; u < codebook_entries(shape.codec); ++u) {
        ASSERT_LE(distance(chosen), distance(u) * (1 + 1e-5)) << i;
      }
      for (size_t k = begin; k < end; ++k) {
        ASSERT_EQ(decoded[k], books.entry(i, chosen)[k - begin]);
      }
    }
    for (size_t i = shape.subvectors; shape.codec == Codec::kPq4 && i < 2 * code.size(); ++i) {
      ASSERT_EQ(entry_of(shape, code, i), 0u) << "surplus nibble";
    }
  });
}

TEST(ListProduct, NearestIsTheLowestOfEquals) {
  const std::vector<float> entries(16 * 3, 1.0f);
  const float x[3] = {0.5f, 2.0f, -1.0f};
  EXPECT_EQ(nearest_entry(entries.data(), 16, 3, x, 3), 0u);
}

// The scan says, up to the table's rounding, what the formula says with the decoded entries.
TEST(ListProduct, EstimatesAreThoseOfTheDecodedEntries) {
  for_each_codebook([](const Codebooks &books) {
    const ListShape &shape = books.shape;
    Sampler sampler(shape.dims);
    const std::vector<float> c = sampler.vector(shape.dims);
    const std::vector<float> q = sampler.near(c, 0.8f);
    const PreparedListQuery query(books.model(), q);
    const AnchorDistance anchor = anchor_distance(shape.geometry, q, c);
    ListBlock block(books.model());
    std::vector<double> expected(32);
    for (size_t slot = 0; slot < 32; ++slot) {
      const std::vector<float> x = sampler.near(c, 0.6f);
      block.set(slot, c, x);
      std::vector<uint8_t> code(scan_code_bytes(shape));
      load_code(shape, block.tiles.data(), slot, code.data());
      double product = 0;
      for (size_t i = 0; i < shape.subvectors; ++i) {
        const size_t begin = subvector_begin(shape, i);
        for (size_t k = begin; k < subvector_begin(shape, i + 1); ++k) {
          product +=
              static_cast<double>(books.entry(i, entry_of(shape, code, i))[k - begin]) * q[k];
        }
      }
      const double unit = shape.geometry == Geometry::kL2 ? 2.0 : 1.0;
      expected[slot] = anchor.base + from_bfloat16(block.offsets[slot]) -
                       unit * from_bfloat16(block.scales[slot]) * product;
    }
    BlockEstimates out;
    block.scan(query.prepared, anchor, 1.9f, 0.0f, &out);
    for (size_t slot = 0; slot < 32; ++slot) {
      const double rounding = from_bfloat16(block.scales[slot]) * query.prepared.rounding;
      ASSERT_NEAR(out.estimates[slot], expected[slot], 5 * rounding + 1e-6);
    }
  });
}

TEST(ListProduct, EstimatesAreUnbiasedAndWithinTheirError) {
  for_each_codebook([](const Codebooks &books) {
    const ListShape &shape = books.shape;
    Sampler sampler(shape.dims * 3 + shape.subvectors);
    Moments moments;
    // Encoding takes 256 distances per subvector: fewer blocks where there are many.
    const int blocks = shape.dims > 128 && shape.codec == Codec::kPq8 ? 60 : 200;
    for (int round = 0; round < blocks; ++round) {
      const std::vector<float> c = sampler.vector(shape.dims);
      const std::vector<float> q = sampler.near(c, 0.8f);
      ListBlock block(books.model());
      std::vector<double> truths(32);
      for (size_t slot = 0; slot < 32; ++slot) {
        const std::vector<float> x = sampler.near(c, 0.6f);
        truths[slot] = list_distance(shape.geometry, q, x);
        block.set(slot, c, x);
      }
      BlockEstimates out;
      block.scan(PreparedListQuery(books.model(), q).prepared,
                 anchor_distance(shape.geometry, q, c), 1.9f, 0.0f, &out);
      for (size_t slot = 0; slot < 32; ++slot) {
        moments.add((out.estimates[slot] - truths[slot]) / out.errors[slot]);
      }
    }
    EXPECT_LT(std::fabs(moments.mean()), 3.5 / std::sqrt(32.0 * blocks));
    EXPECT_GT(moments.deviation(), 0.9);
    EXPECT_LT(moments.deviation(), 1.15);
  });
}

TEST(ListProduct, ARowAtTheAnchorIsTheAnchor) {
  for_each_codebook([](const Codebooks &books) {
    const std::vector<float> c = Sampler(9).vector(books.shape.dims);
    const std::vector<float> q = Sampler(10).vector(books.shape.dims);
    ListBlock block(books.model());
    block.set(5, c, c);
    EXPECT_EQ(block.tiles, std::vector<uint8_t>(block_code_bytes(books.shape)));
    const AnchorDistance anchor = anchor_distance(books.shape.geometry, q, c);
    BlockEstimates out;
    block.scan(PreparedListQuery(books.model(), q).prepared, anchor, 1.9f, 0.0f, &out);
    EXPECT_EQ(out.estimates[5], anchor.base);
    EXPECT_EQ(out.errors[5], 0.0f);
  });
}

// Codebooks that know nothing of the rows: estimates are poor, but say so.
TEST(ListProduct, ErrorHoldsForCodebooksThatDoNotFit) {
  Codebooks books(Codec::kPq4, 128, 32, Geometry::kL2);
  for (float &value : books.values) {
    value = 0.5f + 0.01f * value;  // all entries point the same way
  }
  Sampler sampler(6);
  Moments moments;
  for (int i = 0; i < 4000; ++i) {
    const std::vector<float> c = sampler.vector(128);
    const std::vector<float> x = sampler.near(c, 0.6f);
    const std::vector<float> q = sampler.near(c, 0.8f);
    ListBlock block(books.model());
    block.set(0, c, x);
    BlockEstimates out;
    block.scan(PreparedListQuery(books.model(), q).prepared, anchor_distance(Geometry::kL2, q, c),
               1.9f, 0.0f, &out);
    moments.add((out.estimates[0] - squared_distance(x, q)) / out.errors[0]);
  }
  EXPECT_LT(moments.deviation(), 1.15);
}

TEST(ListProduct, ExtremeInputGivesFiniteFactorsAndEstimates) {
  for (const Codec codec : {Codec::kPq4, Codec::kPq8}) {
    for (const Geometry geometry : kGeometries) {
      const Codebooks books(codec, 64, 10, geometry);
      const std::vector<std::vector<float>> vectors = extreme_vectors(64);
      for (const std::vector<float> &c : vectors) {
        const PreparedListQuery query(books.model(), c);
        for (const std::vector<float> &x : vectors) {
          ListBlock block(books.model());
          block.set(0, c, x);
          BlockEstimates out;
          block.scan(query.prepared, {1e30f, 1e15f}, 1.9f, 0.0f, &out);
          for (const float value :
               {from_bfloat16(block.scales[0]), from_bfloat16(block.offsets[0]),
                from_bfloat16(block.errors[0]), out.estimates[0], out.errors[0]}) {
            ASSERT_TRUE(std::isfinite(value)) << c[0] << ", " << x[0];
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace vann::quantize
