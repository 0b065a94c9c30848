// matrix.hpp — vectors in memory.
#pragma once

#include <cstddef>
#include <vector>

namespace vann::bench {

struct Matrix {
  size_t rows = 0;
  size_t dims = 0;
  std::vector<float> values;  // [rows][dims]

  const float *row(size_t i) const { return values.data() + i * dims; }

  void append(const float *row) {
    values.insert(values.end(), row, row + dims);
    ++rows;
  }
};

}  // namespace vann::bench
