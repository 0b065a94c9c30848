// dataset.cpp — readers of the formats: COPY text under gzip, NumPy half precision, idx bytes.
#include "dataset.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>

namespace vann::bench {
namespace {

[[noreturn]] void refuse(const std::string &path, const char *reason) {
  throw std::runtime_error(path + ": " + reason);
}

std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path, "cannot be opened");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string read_gzip(const std::string &path) {
  if (!std::ifstream(path)) refuse(path, "cannot be opened");
  const std::string command = "gzip -dc '" + path + "'";
  const std::unique_ptr<FILE, int (*)(FILE *)> pipe(popen(command.c_str(), "r"), pclose);
  if (!pipe) refuse(path, "cannot be decompressed");
  std::string content;
  std::array<char, 1 << 16> buffer;
  while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    content.append(buffer.data(), n);
  }
  return content;
}

void append_row(Matrix &matrix, const float *row) {
  matrix.values.insert(matrix.values.end(), row, row + matrix.dims);
  ++matrix.rows;
}

// Every stride-th row becomes a query, spread over the whole set; the others stay.
void split_queries(const Matrix &all, size_t n_queries, Dataset &data) {
  data.base.dims = data.queries.dims = all.dims;
  const size_t stride = std::max<size_t>(all.rows / std::max<size_t>(n_queries, 1), 2);
  for (size_t i = 0; i < all.rows; ++i) {
    const bool is_query = i % stride == 0 && data.queries.rows < n_queries;
    append_row(is_query ? data.queries : data.base, all.row(i));
  }
}

// Lines "rank <tab> word <tab> [x,y,...]".
Matrix parse_words(const std::string &path) {
  const std::string content = read_gzip(path);
  Matrix words;
  size_t at = content.find('[');
  while (at != std::string::npos) {
    const char *cursor = content.c_str() + at;
    size_t dims = 0;
    while (*cursor == '[' || *cursor == ',') {
      char *end;
      words.values.push_back(std::strtof(cursor + 1, &end));
      cursor = end;
      ++dims;
    }
    if (*cursor != ']' || (words.rows > 0 && dims != words.dims)) refuse(path, "is damaged");
    words.dims = dims;
    ++words.rows;
    at = content.find('[', static_cast<size_t>(cursor - content.c_str()));
  }
  if (words.rows == 0) refuse(path, "holds no vectors");
  return words;
}

float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  // Half's exponent, moved to float's place, is rebased by a multiplication, which also takes care
  // of subnormal numbers.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(scaled) | sign);
}

// NumPy format 1.0: magic, header length, a Python dictionary, then the array.
Matrix parse_half_npy(const std::string &path) {
  const std::string content = read_file(path);
  if (content.size() < 10 || !content.starts_with("\x93NUMPY\x01"))
    refuse(path, "is not NumPy 1.0");
  const size_t header = static_cast<uint8_t>(content[8]) + 256u * static_cast<uint8_t>(content[9]);
  const std::string description = content.substr(10, header);
  Matrix matrix;
  const size_t shape = description.find("'shape': (");
  if (description.find("'<f2'") == std::string::npos || shape == std::string::npos ||
      sscanf(description.c_str() + shape, "'shape': (%zu, %zu", &matrix.rows, &matrix.dims) != 2) {
    refuse(path, "is not a matrix of half precision");
  }
  const size_t n = matrix.rows * matrix.dims;
  if (content.size() != 10 + header + 2 * n) refuse(path, "is truncated");
  const auto *bytes = reinterpret_cast<const uint8_t *>(content.data() + 10 + header);
  matrix.values.resize(n);
  for (size_t i = 0; i < n; ++i) {
    matrix.values[i] = half_to_float(static_cast<uint16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8));
  }
  return matrix;
}

uint32_t big_endian(const std::string &content, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(content[at + i]);
  return value;
}

// idx3 of unsigned bytes: magic 0x803, images, height, width, pixels.
Matrix parse_idx(const std::string &path) {
  const std::string content = read_file(path);
  if (content.size() < 16 || big_endian(content, 0) != 0x803) refuse(path, "is not idx3-ubyte");
  Matrix matrix;
  matrix.rows = big_endian(content, 4);
  matrix.dims = size_t{big_endian(content, 8)} * big_endian(content, 12);
  if (content.size() != 16 + matrix.rows * matrix.dims) refuse(path, "is truncated");
  matrix.values.resize(matrix.rows * matrix.dims);
  for (size_t i = 0; i < matrix.values.size(); ++i) {
    matrix.values[i] = static_cast<uint8_t>(content[16 + i]);
  }
  return matrix;
}

// Points around uniformly drawn centers, a quarter as wide as the centers' spread.
Matrix draw_clusters(size_t rows, size_t dims, size_t clusters) {
  std::mt19937 random(20230517);
  std::normal_distribution<float> normal;
  Matrix centers{clusters, dims, std::vector<float>(clusters * dims)};
  for (float &value : centers.values) value = normal(random);
  std::uniform_int_distribution<size_t> pick(0, clusters - 1);
  Matrix matrix{rows, dims, std::vector<float>(rows * dims)};
  for (size_t i = 0; i < rows; ++i) {
    const float *center = centers.row(pick(random));
    for (size_t j = 0; j < dims; ++j) {
      matrix.values[i * dims + j] = center[j] + 0.25f * normal(random);
    }
  }
  return matrix;
}

void truncate(Matrix &matrix, size_t rows) {
  if (rows == 0 || rows >= matrix.rows) return;
  matrix.rows = rows;
  matrix.values.resize(rows * matrix.dims);
}

}  // namespace

Dataset load_dataset(const Options &options) {
  Dataset data{options.data, Metric::kL2, {}, {}};
  const std::string directory = options.data_dir + "/";
  if (options.data == "words") {
    data.metric = Metric::kCosine;
    split_queries(parse_words(directory + "words.tsv.gz"), options.queries, data);
  } else if (options.data == "text") {
    data.metric = Metric::kCosine;
    data.base = parse_half_npy(directory + "text512_base.f16.npy");
    data.queries = parse_half_npy(directory + "text512_query.f16.npy");
  } else if (options.data == "images") {
    data.base = parse_idx(directory + "train-images-idx3-ubyte");
    data.queries = parse_idx(directory + "t10k-images-idx3-ubyte");
  } else if (options.data == "synthetic") {
    const size_t rows = options.rows == 0 ? 100'000 : options.rows;
    split_queries(draw_clusters(rows + options.queries, options.dims, options.clusters),
                  options.queries, data);
  } else {
    throw std::runtime_error("no data set is called " + options.data);
  }
  truncate(data.base, options.rows);
  truncate(data.queries, options.queries);
  if (data.base.rows <= options.inserts + options.k) {
    throw std::runtime_error("too few rows to hold " + std::to_string(options.inserts) + " out");
  }
  return data;
}

}  // namespace vann::bench
