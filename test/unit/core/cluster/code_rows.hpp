// code_rows.hpp — vectors as byte codes for the tests of clustering, and Gaussian mixtures.
// Test support: clear rather than fast.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "core/build/code_group.hpp"
#include "core/cluster/train.hpp"
#include "core/parallel/monitor.hpp"

namespace vann::cluster::test {

using Vectors = std::vector<std::vector<float>>;

class QuietMonitor : public parallel::Monitor {
 public:
  bool cancelled() noexcept override { return false; }
  void progress(int, uint64_t, uint64_t) noexcept override {}
};

// Owns what its view points to.
class CodeRows {
 public:
  explicit CodeRows(const Vectors &vectors, size_t dims_if_empty = 16)
      : dims_(vectors.empty() ? dims_if_empty : vectors[0].size()),
        values_(vectors.size() * quantize::padded_dims(dims_)), codes_(vectors.size()) {
    for (size_t row = 0; row < vectors.size(); ++row) {
      codes_[row] = quantize::encode_bytes(vectors[row].data(), dims_,
                                           values_.data() + row * quantize::padded_dims(dims_));
    }
    set_ = {vectors.size(), dims_, values_.data(), codes_.data(), {}};
  }
  CodeRows(const CodeRows &) = delete;
  CodeRows &operator=(const CodeRows &) = delete;

  build::RowView view() const { return {set_, nullptr, set_.rows}; }

  std::vector<float> decoded(size_t row) const {
    std::vector<float> out(dims_);
    quantize::decode_bytes(values_.data() + row * quantize::padded_dims(dims_), codes_[row].factors,
                           dims_, out.data());
    return out;
  }

 private:
  size_t dims_;
  std::vector<int8_t> values_;
  std::vector<quantize::ByteCode> codes_;
  build::VectorSet set_;
};

inline Vectors gaussian(size_t rows, size_t dims, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Vectors vectors(rows, std::vector<float>(dims));
  for (auto &vector : vectors) {
    for (float &x : vector) x = normal(random);
  }
  return vectors;
}

// Row i lies around centre i % centres.size().
inline Vectors around(const Vectors &centres, size_t rows, float spread, uint64_t seed) {
  Vectors vectors = gaussian(rows, centres[0].size(), seed);
  for (size_t row = 0; row < rows; ++row) {
    const auto &centre = centres[row % centres.size()];
    for (size_t i = 0; i < centre.size(); ++i) {
      vectors[row][i] = centre[i] + spread * vectors[row][i];
    }
  }
  return vectors;
}

// A mixture whose parts differ a hundredfold in weight and spread.
inline Vectors skewed(size_t rows, size_t dims, size_t parts, uint64_t seed) {
  const Vectors centres = gaussian(parts, dims, seed);
  Vectors vectors = gaussian(rows, dims, seed + 1);
  std::mt19937_64 random(seed + 2);
  for (auto &vector : vectors) {
    const double u = static_cast<double>(random() >> 11) * 0x1p-53;
    const auto part = static_cast<size_t>(u * u * u * static_cast<double>(parts));
    const float spread =
        0.01f * std::pow(100.0f, static_cast<float>(part) / static_cast<float>(parts));
    for (size_t i = 0; i < dims; ++i) vector[i] = centres[part][i] + spread * vector[i];
  }
  return vectors;
}

inline Centroids train_on(const CodeRows &rows, const Params &params, unsigned threads = 1) {
  QuietMonitor monitor;
  parallel::Team team(threads, monitor);
  return train(rows.view(), params, team);
}

inline double squared_distance(const std::vector<float> &a, const float *b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

}  // namespace vann::cluster::test
