// read_idx.cpp — idx3 of unsigned bytes: magic 0x803, images, height, width, pixels.
#include <cstdint>

#include "bench/data/bytes.hpp"
#include "bench/data/readers.hpp"

namespace vann::bench {

Matrix read_idx(const std::string &path) {
  constexpr size_t kHeader = 16;
  const std::string content = read_file(path);
  if (content.size() < kHeader || big_endian_32(content.data()) != 0x803) {
    refuse(path, "is not idx3-ubyte");
  }
  Matrix matrix;
  matrix.rows = big_endian_32(content.data() + 4);
  matrix.dims = size_t{big_endian_32(content.data() + 8)} * big_endian_32(content.data() + 12);
  if (content.size() != kHeader + matrix.rows * matrix.dims) refuse(path, "is truncated");
  const auto *pixels = reinterpret_cast<const uint8_t *>(content.data() + kHeader);
  matrix.values.assign(pixels, pixels + matrix.rows * matrix.dims);
  return matrix;
}

}  // namespace vann::bench
