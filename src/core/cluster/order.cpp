// order.cpp — greedy chains through cells and through the centroids of a cell.
#include "core/cluster/order.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/simd/kernels.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::cluster {
namespace {

// A chain through points[count][dims] that starts at the one nearest to `from`.
std::vector<uint32_t> chain(const float *points, size_t count, size_t dims, const float *from,
                            parallel::Worker &worker) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  for (size_t i = 0; i + 1 < count; ++i) {
    worker.checkpoint();
    size_t nearest = i;
    float least = std::numeric_limits<float>::infinity();
    for (size_t j = i; j < count; ++j) {
      const float distance = simd::kernels().l2_squared_f32(from, points + order[j] * dims, dims);
      if (distance < least) {
        least = distance;
        nearest = j;
      }
    }
    std::swap(order[i], order[nearest]);
    from = points + order[i] * dims;
  }
  return order;
}

void reorder(const float *from, std::span<const uint32_t> order, size_t dims, float *to) {
  for (size_t i = 0; i < order.size(); ++i) {
    std::copy_n(from + order[i] * dims, dims, to + i * dims);
  }
}

}  // namespace

void arrange(Centroids &centroids, Progress &progress) {
  const size_t dims = centroids.dims;
  const size_t cells = centroids.cell_count();
  const Centroids old = centroids;
  std::vector<uint32_t> cell_order;
  progress.run(1, 1, [&](parallel::Worker &worker, size_t, size_t) {
    cell_order = chain(old.cells.data(), cells, dims, old.cells.data(), worker);
  });
  reorder(old.cells.data(), cell_order, dims, centroids.cells.data());
  for (size_t i = 0; i < cells; ++i) {
    const uint32_t cell = cell_order[i];
    centroids.cell_begin[i + 1] =
        centroids.cell_begin[i] + old.cell_begin[cell + 1] - old.cell_begin[cell];
  }
  progress.run(cells, 1, [&](parallel::Worker &worker, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t first = old.cell_begin[cell_order[i]];
      const size_t count = centroids.cell_begin[i + 1] - centroids.cell_begin[i];
      const float *points = old.values.data() + first * dims;
      const float *before = centroids.cells.data() + (i > 0 ? i - 1 : 0) * dims;
      reorder(points, chain(points, count, dims, before, worker), dims,
              centroids.values.data() + centroids.cell_begin[i] * dims);
    }
  });
}

}  // namespace vann::cluster
