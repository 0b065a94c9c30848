// opq_test.cpp — the learned rotation: orthogonal, better for product codes, the same for any team.
#include "core/codebook/opq.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/codebook/codebooks.hpp"
#include "core/quantize/codebook.hpp"
#include "training_rows.hpp"

namespace vann::codebook {
namespace {

using quantize::Codec;
using quantize::ListShape;

std::vector<float> rotation_of(const Rows &rows, uint32_t subvectors, unsigned threads = 2,
                               uint64_t seed = 3) {
  SilentMonitor monitor;
  parallel::Team team(threads, monitor);
  std::vector<float> matrix(rows.dims * rows.dims);
  train_rotation(rows.values.data(), rows.count(), static_cast<uint32_t>(rows.dims), subvectors,
                 seed, team, matrix.data());
  return matrix;
}

Rows rotated(const std::vector<float> &matrix, const Rows &rows) {
  Rows out(rows.count(), rows.dims);
  const quantize::ListModel model = {
      {static_cast<uint32_t>(rows.dims), Codec::kPq4, 1, 0, 4, quantize::Geometry::kL2},
      nullptr,
      matrix.data()};
  for (size_t i = 0; i < rows.count(); ++i) {
    quantize::turn(model, rows.at(i), out.at(i));
  }
  return out;
}

double product_error(const Rows &sample, const Rows &rows, const Rows &queries,
                     uint32_t subvectors) {
  const auto dims = static_cast<uint32_t>(rows.dims);
  const ListShape shape = {dims,       Codec::kPq4,
                           subvectors, quantize::scan_dims_of(Codec::kPq4, subvectors),
                           6,          quantize::Geometry::kL2};
  SilentMonitor monitor;
  parallel::Team team(2, monitor);
  std::vector<float> books(quantize::codebook_floats(shape));
  train_codebooks(shape, sample.values.data(), sample.count(), 7, team, books.data());
  return mean_squared_error(CodedRows({shape, books.data()}, rows), rows, queries);
}

void expect_orthogonal(const std::vector<float> &matrix, size_t dims) {
  for (size_t i = 0; i < dims; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double product = 0;
      for (size_t k = 0; k < dims; ++k) {
        product += static_cast<double>(matrix[i * dims + k]) * matrix[j * dims + k];
      }
      ASSERT_NEAR(product, i == j ? 1.0 : 0.0, 1e-6) << i << ", " << j;
    }
  }
}

TEST(Opq, MatrixIsOrthogonal) {
  expect_orthogonal(rotation_of(decaying_rows(2000, 64, 1), 16), 64);
  expect_orthogonal(rotation_of(gaussian_rows(500, 112, 2), 30), 112);
  // Fewer rows than dimensions: most directions have no variance.
  expect_orthogonal(rotation_of(gaussian_rows(20, 128, 3), 32), 128);
}

TEST(Opq, LowersTheErrorWhereVarianceDecays) {
  const Rows sample = decaying_rows(6000, 128, 4);
  const Rows rows = decaying_rows(640, 128, 5);
  const Rows queries = decaying_rows(40, 128, 6);
  const std::vector<float> matrix = rotation_of(sample, 32);
  const double before = product_error(sample, rows, queries, 32);
  const double after =
      product_error(rotated(matrix, sample), rotated(matrix, rows), rotated(matrix, queries), 32);
  EXPECT_LT(after, 0.5 * before);
}

// Logarithm of the determinant of the second moments of `n` columns from `first`.
double log_volume(const Rows &rows, size_t first, size_t n) {
  std::vector<double> m(n * n);
  for (size_t row = 0; row < rows.count(); ++row) {
    const float *x = rows.at(row) + first;
    for (size_t i = 0; i < n * n; ++i) {
      m[i] += static_cast<double>(x[i / n]) * x[i % n] / static_cast<double>(rows.count());
    }
  }
  double sum = 0;
  for (size_t pivot = 0; pivot < n; ++pivot) {  // Gaussian elimination
    sum += std::log(m[pivot * n + pivot]);
    for (size_t i = pivot + 1; i < n; ++i) {
      const double share = m[i * n + pivot] / m[pivot * n + pivot];
      for (size_t k = pivot; k < n; ++k) {
        m[i * n + k] -= share * m[pivot * n + k];
      }
    }
  }
  return sum;
}

// The subvectors' products of variances are alike: four directions in a row would differ by far more.
TEST(Opq, BalancesTheSubvectors) {
  const Rows sample = decaying_rows(8000, 64, 7);
  const Rows out = rotated(rotation_of(sample, 16), sample);
  double low = log_volume(out, 0, 4);
  double high = low;
  for (size_t first = 4; first < 64; first += 4) {
    low = std::min(low, log_volume(out, first, 4));
    high = std::max(high, log_volume(out, first, 4));
  }
  EXPECT_LT(high - low, 2.0);
}

TEST(Opq, IsTheSameForAnyNumberOfThreads) {
  const Rows rows = decaying_rows(3000, 112, 8);
  const std::vector<float> expected = rotation_of(rows, 28, 1);
  EXPECT_EQ(rotation_of(rows, 28, 2), expected);
  EXPECT_EQ(rotation_of(rows, 28, 4), expected);
  EXPECT_NE(rotation_of(rows, 28, 1, 4), expected);
}

TEST(Opq, KeepsDistances) {
  const Rows rows = decaying_rows(64, 128, 9);
  const Rows out = rotated(rotation_of(rows, 16), rows);
  for (size_t i = 1; i < rows.count(); ++i) {
    const double expected = squared_distance(rows.at(0), rows.at(i), 128);
    EXPECT_NEAR(squared_distance(out.at(0), out.at(i), 128), expected, 1e-5 * expected);
  }
}

TEST(Opq, NothingToLearnGivesTheIdentity) {
  Rows equal(10, 64);
  std::fill(equal.values.begin(), equal.values.end(), 0.5f);
  for (const Rows &rows : {Rows(0, 64), equal}) {
    const std::vector<float> matrix = rotation_of(rows, 16);
    for (size_t i = 0; i < 64 * 64; ++i) {
      ASSERT_EQ(matrix[i], i % 65 == 0 ? 1.0f : 0.0f);
    }
  }
}

}  // namespace
}  // namespace vann::codebook
