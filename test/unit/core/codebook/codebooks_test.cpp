// codebooks_test.cpp — trained codebooks and those of signs: their error beside that of bits, their
// entries, threads, cancelling.
#include "core/codebook/codebooks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numbers>
#include <set>

#include "training_rows.hpp"

namespace vann::codebook {
namespace {

using quantize::Codec;
using quantize::Geometry;
using quantize::ListModel;
using quantize::ListShape;

ListShape product_shape(Codec codec, uint32_t dims, uint32_t subvectors) {
  return {dims, codec, subvectors, quantize::scan_dims_of(codec, subvectors), 6, Geometry::kL2};
}

ListShape bit_shape(uint32_t dims) { return {dims, Codec::kRabitq, 0, dims, 6, Geometry::kL2}; }

std::vector<float> trained(const ListShape &shape, const Rows &rows, unsigned threads = 2,
                           uint64_t seed = 7) {
  SilentMonitor monitor;
  parallel::Team team(threads, monitor);
  std::vector<float> codebooks(quantize::codebook_floats(shape));
  train_codebooks(shape, rows.values.data(), rows.count(), seed, team, codebooks.data());
  return codebooks;
}

// Both codecs take sixteen bytes of a row: half the error of bits is far from chance.
TEST(Codebooks, TrainedOnClustersErrLessThanBits) {
  const Rows sample = clustered_rows(8192, 128, 10);
  const Rows rows = clustered_rows(640, 128, 20);
  const Rows queries = clustered_rows(40, 128, 30);
  const double bits = mean_squared_error(CodedRows({bit_shape(128), nullptr}, rows), rows, queries);
  const ListShape four = product_shape(Codec::kPq4, 128, 32);
  const std::vector<float> four_books = trained(four, sample);
  EXPECT_LT(mean_squared_error(CodedRows({four, four_books.data()}, rows), rows, queries),
            0.5 * bits);
  const ListShape eight = product_shape(Codec::kPq8, 128, 16);
  const std::vector<float> eight_books = trained(eight, sample);
  EXPECT_LT(mean_squared_error(CodedRows({eight, eight_books.data()}, rows), rows, queries),
            0.5 * bits);
}

// Where there is nothing to learn, sixteen points in four dimensions are still not worse than signs.
TEST(Codebooks, TrainedOnNoiseErrNoMoreThanBits) {
  const Rows rows = gaussian_rows(640, 128, 21);
  const Rows queries = gaussian_rows(40, 128, 31);
  const ListShape shape = product_shape(Codec::kPq4, 128, 32);
  const std::vector<float> books = trained(shape, gaussian_rows(8192, 128, 11));
  EXPECT_LT(mean_squared_error(CodedRows({shape, books.data()}, rows), rows, queries),
            mean_squared_error(CodedRows({bit_shape(128), nullptr}, rows), rows, queries));
}

TEST(Codebooks, EstimatesStayUnbiasedAndWithinTheirError) {
  const ListShape shape = product_shape(Codec::kPq4, 128, 32);
  const std::vector<float> books = trained(shape, gaussian_rows(8192, 128, 12));
  const Rows rows = gaussian_rows(1280, 128, 22);
  const Rows queries = gaussian_rows(100, 128, 32);
  const CodedRows coded({shape, books.data()}, rows);
  double sum = 0;
  double squares = 0;
  for (size_t i = 0; i < queries.count(); ++i) {
    std::vector<float> errors;
    const std::vector<float> estimates = coded.estimates(queries.at(i), &errors);
    for (size_t k = 0; k < estimates.size(); ++k) {
      const double truth = squared_distance(queries.at(i), rows.at(k), 128);
      const double error = (estimates[k] - truth) / errors[k];
      sum += error;
      squares += error * error;
    }
  }
  const double n = static_cast<double>(queries.count() * rows.count());
  EXPECT_LT(std::fabs(sum / n), 0.03);
  EXPECT_GT(std::sqrt(squares / n), 0.9);
  EXPECT_LT(std::sqrt(squares / n), 1.15);
}

// Subvectors of four dimensions: the same code bytes and factors; the table's steps differ.
TEST(Codebooks, SignsAreBits) {
  for (const uint32_t dims : {64u, 128u, 768u}) {
    const ListShape shape = product_shape(Codec::kPq4, dims, dims / 4);
    std::vector<float> books(quantize::codebook_floats(shape));
    sign_codebooks(shape, books.data());
    const Rows rows = gaussian_rows(64, dims, dims);
    const Rows queries = gaussian_rows(4, dims, dims + 1);
    const CodedRows products({shape, books.data()}, rows);
    const CodedRows bits({bit_shape(dims), nullptr}, rows);
    for (size_t b = 0; b < 2; ++b) {
      EXPECT_EQ(products.blocks[b].tiles, bits.blocks[b].tiles);
      for (size_t slot = 0; slot < 32; ++slot) {
        EXPECT_NEAR(from_bfloat16(products.blocks[b].scales[slot]) /
                        from_bfloat16(bits.blocks[b].scales[slot]),
                    1.0, 0x1p-7);
      }
    }
    for (size_t i = 0; i < queries.count(); ++i) {
      std::vector<float> errors;
      const std::vector<float> expected = bits.estimates(queries.at(i), &errors);
      const std::vector<float> estimates = products.estimates(queries.at(i));
      for (size_t k = 0; k < expected.size(); ++k) {
        ASSERT_NEAR(estimates[k], expected[k], 0.25 * errors[k] + 0.01 * expected[k]);
      }
    }
  }
}

TEST(Codebooks, SignsOfAnyLengthHoldTheRows) {
  for (const auto &[codec, subvectors] :
       {std::pair{Codec::kPq4, 16u}, {Codec::kPq4, 50u}, {Codec::kPq8, 16u}, {Codec::kPq8, 9u}}) {
    const ListShape shape = product_shape(codec, 128, subvectors);
    std::vector<float> books(quantize::codebook_floats(shape));
    sign_codebooks(shape, books.data());
    const Rows rows = gaussian_rows(640, 128, 3);
    const Rows queries = gaussian_rows(20, 128, 4);
    const CodedRows coded({shape, books.data()}, rows);
    // Without codes the error is that of a product of independent vectors.
    double blind = 0;
    for (size_t i = 0; i < queries.count(); ++i) {
      const std::vector<float> zero(128);
      const double norm = squared_distance(queries.at(i), zero.data(), 128);
      for (size_t k = 0; k < rows.count(); ++k) {
        const double own = squared_distance(rows.at(k), zero.data(), 128);
        const double error = norm + own - squared_distance(queries.at(i), rows.at(k), 128);
        blind += error * error;
      }
    }
    blind /= static_cast<double>(queries.count() * rows.count());
    const double bits = static_cast<double>(subvectors) * (codec == Codec::kPq8 ? 8 : 4);
    // The variance of an estimate by n signs of 128, with sums of several coordinates at worst.
    const double expected = blind * (std::numbers::pi / 2 * 128 / std::min(bits, 128.0) - 1);
    EXPECT_NEAR(mean_squared_error(coded, rows, queries), expected, 0.2 * expected) << subvectors;
  }
}

TEST(Codebooks, AreTheSameForAnyNumberOfThreads) {
  const ListShape shape = product_shape(Codec::kPq4, 112, 30);
  const Rows rows = gaussian_rows(1500, 112, 5);
  const std::vector<float> expected = trained(shape, rows, 1);
  EXPECT_EQ(trained(shape, rows, 2), expected);
  EXPECT_EQ(trained(shape, rows, 5), expected);
  EXPECT_NE(trained(shape, rows, 1, 8), expected);
}

TEST(Codebooks, EntriesDifferWhileThereAreRowsForThem) {
  const ListShape shape = product_shape(Codec::kPq8, 64, 16);
  const std::vector<float> books = trained(shape, gaussian_rows(2000, 64, 6));
  for (size_t i = 0; i < 16; ++i) {
    std::set<std::vector<float>> entries;
    for (size_t u = 0; u < 256; ++u) {
      const float *entry = &books[(i * 256 + u) * 4];
      entries.insert(std::vector<float>(entry, entry + 4));
    }
    EXPECT_EQ(entries.size(), 256u);
  }
}

TEST(Codebooks, FewRowsAreCodedExactly) {
  const ListShape shape = product_shape(Codec::kPq4, 64, 16);
  const Rows rows = gaussian_rows(9, 64, 7);
  const std::vector<float> books = trained(shape, rows);
  std::vector<float> scratch(quantize::encode_scratch_floats(shape));
  std::vector<uint8_t> code(quantize::scan_code_bytes(shape));
  const std::vector<float> anchor(64);
  for (size_t i = 0; i < rows.count(); ++i) {
    const quantize::ScanFactors factors = quantize::encode_scan(
        {shape, books.data()}, anchor.data(), rows.at(i), scratch.data(), code.data());
    const double norm = std::sqrt(squared_distance(rows.at(i), anchor.data(), 64));
    EXPECT_LT(from_bfloat16(factors.error), 0.01 * norm);
  }
}

TEST(Codebooks, NoRowsGiveTheCodebooksOfSigns) {
  const ListShape shape = product_shape(Codec::kPq4, 64, 16);
  std::vector<float> signs(quantize::codebook_floats(shape));
  sign_codebooks(shape, signs.data());
  EXPECT_EQ(trained(shape, Rows(0, 64)), signs);
}

TEST(Codebooks, EqualRowsGiveFiniteEntries) {
  const ListShape shape = product_shape(Codec::kPq4, 64, 16);
  Rows rows(100, 64);
  std::fill(rows.values.begin(), rows.values.end(), 0.25f);
  for (const float value : trained(shape, rows)) {
    ASSERT_EQ(value, 0.25f);
  }
}

TEST(Codebooks, TrainingCanBeCancelled) {
  class Cancelling : public SilentMonitor {
   public:
    bool cancelled() noexcept override { return true; }
  } monitor;
  parallel::Team team(2, monitor);
  const ListShape shape = product_shape(Codec::kPq8, 64, 16);
  const Rows rows = gaussian_rows(4000, 64, 8);
  std::vector<float> books(quantize::codebook_floats(shape));
  EXPECT_THROW(train_codebooks(shape, rows.values.data(), rows.count(), 1, team, books.data()),
               parallel::Cancelled);
}

}  // namespace
}  // namespace vann::codebook
