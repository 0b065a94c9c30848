// opq.cpp — covariance, its eigenvectors by Eigen, and their allocation to subvectors.
#include "core/codebook/opq.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

// A server process must not abort on an assertion, and PGXS does not define NDEBUG.
#define EIGEN_NO_DEBUG
#define EIGEN_MPL2_ONLY
#include <eigen3/Eigen/Eigenvalues>
#include <eigen3/Eigen/QR>

#include "core/codebook/random.hpp"
#include "core/simd/kernels.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::codebook {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using RowsView = Eigen::Map<const RowMajor>;

// Columns of the covariance that one chunk computes; rows whose products are summed in float before
// they join the sums in double, which also bounds the time between two looks at cancelling.
constexpr Index kColumns = 32;
constexpr Index kSummedRows = 512;

// Least variance of a direction, as a share of the largest: logarithms stay finite.
constexpr double kLeastVariance = 1e-9;

VectorXd mean_row(const float *residuals, size_t rows, Index dims) {
  VectorXd sum = VectorXd::Zero(dims);
  for (size_t i = 0; i < rows; ++i) {
    for (Index k = 0; k < dims; ++k) {
      sum[k] +=
          static_cast<double>(residuals[i * static_cast<size_t>(dims) + static_cast<size_t>(k)]);
    }
  }
  return sum / static_cast<double>(rows);
}

// Second moments about zero, times rows: each column by one thread, over the rows in order. Only the
// entries on and below the diagonal are right, which is all that the eigensolver reads.
MatrixXd products(const float *residuals, size_t rows, Index dims, parallel::Team &team) {
  MatrixXd sums = MatrixXd::Zero(dims, dims);
  const auto chunks = static_cast<size_t>((dims + kColumns - 1) / kColumns);
  auto add = [&](parallel::Worker &worker, size_t begin, size_t end) {
    for (size_t chunk = begin; chunk < end; ++chunk) {
      const Index first = static_cast<Index>(chunk) * kColumns;
      const Index width = std::min(kColumns, dims - first);
      for (size_t row = 0; row < rows; row += kSummedRows) {
        worker.checkpoint();
        const Index n = std::min(kSummedRows, static_cast<Index>(rows - row));
        const RowsView block(residuals + row * static_cast<size_t>(dims), n, dims);
        const Eigen::MatrixXf part =
            block.rightCols(dims - first).transpose() * block.middleCols(first, width);
        sums.block(first, first, dims - first, width) += part.cast<double>();
      }
    }
  };
  team.run({.items = chunks, .chunk = 1, .stage_total = chunks}, add);
  return sums;
}

// Directions for each dimension: the largest variance that is left goes to the subvector with the
// smallest product of variances that still has room.
std::vector<Index> allocate(const VectorXd &variances, uint32_t subvectors) {
  const auto dims = static_cast<size_t>(variances.size());
  const double largest = variances[variances.size() - 1];
  std::vector<Index> directions(dims);
  std::vector<double> logarithms(subvectors, 0.0);
  std::vector<size_t> used(subvectors, 0);
  for (size_t k = 0; k < dims; ++k) {
    const auto direction = static_cast<Index>(dims - 1 - k);  // variances rise
    size_t chosen = subvectors;
    for (size_t i = 0; i < subvectors; ++i) {
      const size_t room = (i + 1) * dims / subvectors - i * dims / subvectors;
      if (used[i] < room && (chosen == subvectors || logarithms[i] < logarithms[chosen])) {
        chosen = i;
      }
    }
    directions[chosen * dims / subvectors + used[chosen]++] = direction;
    // In units of the least variance, so that every direction makes a product larger.
    const double variance = std::max(variances[direction] / largest, kLeastVariance);
    logarithms[chosen] += std::log(variance / kLeastVariance);
  }
  return directions;
}

// A random orthogonal matrix: the orthogonal factor of Gaussian columns.
MatrixXd random_orthogonal(Index n, uint64_t seed, uint64_t stream) {
  Random random(seed, stream);
  MatrixXd gaussian(n, n);
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; i < n; ++i) {
      gaussian(i, j) = random.normal();
    }
  }
  const Eigen::HouseholderQR<MatrixXd> factors(gaussian);
  return factors.householderQ() * MatrixXd::Identity(n, n);
}

void write_mixed(const MatrixXd &vectors, const std::vector<Index> &directions, uint32_t subvectors,
                 uint64_t seed, float *matrix) {
  const auto dims = static_cast<Index>(directions.size());
  Eigen::Map<RowMajor> out(matrix, dims, dims);
  for (uint32_t i = 0; i < subvectors; ++i) {
    const Index begin = Index{i} * dims / subvectors;
    const Index length = Index{i + 1} * dims / subvectors - begin;
    MatrixXd own(length, dims);
    for (Index k = 0; k < length; ++k) {
      own.row(k) = vectors.col(directions[static_cast<size_t>(begin + k)]).transpose();
    }
    out.middleRows(begin, length) = (random_orthogonal(length, seed, i) * own).cast<float>();
  }
}

}  // namespace

void train_rotation(const float *residuals, size_t rows, uint32_t dims, uint32_t subvectors,
                    uint64_t seed, parallel::Team &team, float *matrix) {
  const Index n = dims;
  Eigen::Map<RowMajor>(matrix, n, n).setIdentity();
  if (rows == 0) {
    return;
  }
  MatrixXd covariance = products(residuals, rows, n, team) / static_cast<double>(rows);
  const VectorXd mean = mean_row(residuals, rows, n);
  covariance -= mean * mean.transpose();
  team.poll(0, 1, 1);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(covariance);
  const VectorXd &variances = solver.eigenvalues();
  if (solver.info() != Eigen::Success || !(variances[n - 1] > 0.0)) {
    return;  // equal rows: every rotation is as good
  }
  write_mixed(solver.eigenvectors(), allocate(variances, subvectors), subvectors, seed, matrix);
}

}  // namespace vann::codebook
