// read_vecs.cpp — the formats of the TEXMEX corpora: fvecs and bvecs.
#include <algorithm>
#include <bit>
#include <cstdint>

#include "bench/data/bytes.hpp"
#include "bench/data/readers.hpp"

namespace vann::bench {

Matrix read_vecs(const std::string &path, size_t limit) {
  constexpr size_t kLength = 4;
  const size_t width = path.ends_with(".bvecs") ? 1 : 4;
  const std::string start = read_file(path, kLength);
  if (start.size() < kLength) refuse(path, "is empty");
  Matrix matrix;
  matrix.dims = little_endian_32(start.data());
  const size_t stride = kLength + matrix.dims * width;
  const size_t bytes = file_bytes(path);
  if (matrix.dims == 0 || matrix.dims > 1'000'000 || bytes % stride != 0) {
    refuse(path, "is truncated, or its rows differ in length");
  }
  matrix.rows = std::min(bytes / stride, limit);
  const std::string content = read_file(path, matrix.rows * stride);
  matrix.values.reserve(matrix.rows * matrix.dims);
  for (size_t i = 0; i < matrix.rows; ++i) {
    const char *row = content.data() + i * stride;
    if (little_endian_32(row) != matrix.dims) refuse(path, "has rows of several lengths");
    for (size_t j = 0; j < matrix.dims; ++j) {
      const char *value = row + kLength + j * width;
      matrix.values.push_back(width == 1 ? static_cast<float>(static_cast<uint8_t>(*value))
                                         : std::bit_cast<float>(little_endian_32(value)));
    }
  }
  return matrix;
}

}  // namespace vann::bench
