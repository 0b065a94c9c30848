// read_npy.cpp — NumPy arrays: magic, version, header length, a Python dictionary, then the array.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>

#include "bench/data/bytes.hpp"
#include "bench/data/readers.hpp"

namespace vann::bench {
namespace {

constexpr size_t kLongestHeader = 1 << 16;

struct Header {
  size_t bytes;    // up to the array
  char precision;  // '2', '4' or '8' bytes per number
  size_t rows;
  size_t dims;
};

Header parse_header(const std::string &path) {
  const std::string start = read_file(path, kLongestHeader);
  if (start.size() < 12 || !start.starts_with("\x93NUMPY")) refuse(path, "is not a NumPy array");
  const bool short_length = start[6] == 1;
  const size_t length_at = 8, dictionary_at = short_length ? 10 : 12;
  const size_t length = short_length ? little_endian_16(start.data() + length_at)
                                     : little_endian_32(start.data() + length_at);
  Header header{dictionary_at + length, 0, 0, 0};
  if (header.bytes > start.size()) refuse(path, "has a damaged header");
  const std::string dictionary = start.substr(dictionary_at, length);
  const size_t type = dictionary.find("'<f");
  if (type == std::string::npos) refuse(path, "does not hold little-endian floats");
  header.precision = dictionary[type + 3];
  const size_t shape = dictionary.find("'shape': (");
  if (dictionary.find("'fortran_order': False") == std::string::npos ||
      shape == std::string::npos ||
      sscanf(dictionary.c_str() + shape, "'shape': (%zu, %zu)", &header.rows, &header.dims) != 2) {
    refuse(path, "is not an array of two axes in C order");
  }
  return header;
}

float number(const char *bytes, char precision) {
  if (precision == '2') return half_to_float(little_endian_16(bytes));
  if (precision == '4') return std::bit_cast<float>(little_endian_32(bytes));
  const uint64_t low = little_endian_32(bytes), high = little_endian_32(bytes + 4);
  return static_cast<float>(std::bit_cast<double>(low | high << 32));
}

}  // namespace

Matrix read_npy(const std::string &path, size_t limit) {
  const Header header = parse_header(path);
  if (header.precision != '2' && header.precision != '4' && header.precision != '8') {
    refuse(path, std::string("holds floats of ") + header.precision + " bytes");
  }
  const auto width = static_cast<size_t>(header.precision - '0');
  if (file_bytes(path) < header.bytes + header.rows * header.dims * width) {
    refuse(path, "is truncated");
  }
  Matrix matrix{std::min(header.rows, limit), header.dims, {}};
  const size_t n = matrix.rows * matrix.dims;
  const std::string content = read_file(path, header.bytes + n * width);
  matrix.values.resize(n);
  for (size_t i = 0; i < n; ++i) {
    matrix.values[i] = number(content.data() + header.bytes + i * width, header.precision);
  }
  return matrix;
}

}  // namespace vann::bench
