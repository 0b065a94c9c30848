// unit_length.hpp — centroids under cosine have the length of the vectors that they stand for, wherever they
// come from: a mean is shorter, and would draw rows and queries from lists whose centroids are not.
#pragma once

#include <cmath>
#include <cstddef>

namespace vann::ivfpq {

// `centroid` and the `mean` that was taken off it: `dims` values each.
inline void to_unit_length(float *centroid, const float *mean, size_t dims) {
  double squares = 0;
  for (size_t i = 0; i < dims; ++i) {
    centroid[i] += mean[i];
    squares += static_cast<double>(centroid[i]) * centroid[i];
  }
  const double scale = squares > 0 ? 1 / std::sqrt(squares) : 1;
  for (size_t i = 0; i < dims; ++i)
    centroid[i] = static_cast<float>(centroid[i] * scale) - mean[i];
}

}  // namespace vann::ivfpq
