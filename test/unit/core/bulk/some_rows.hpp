// some_rows.hpp — distinct rows with codes, for tests of the parts of an index build.
#pragma once

#include <cstring>
#include <random>
#include <vector>

#include "core/quantize/vector_code.hpp"

namespace vann::bulk::test {

class SomeRows {
 public:
  SomeRows(size_t rows, size_t dims) : stride_(quantize::padded_dims(dims)), codes_(rows) {
    std::mt19937 random(static_cast<uint32_t>(rows + dims));
    std::normal_distribution<float> normal;
    values_.resize(rows * stride_);
    std::vector<float> vector(dims);
    for (size_t row = 0; row < rows; ++row) {
      for (float &x : vector) x = normal(random);
      codes_[row] = quantize::encode_bytes(vector.data(), dims, values_.data() + row * stride_);
    }
  }

  size_t size() const { return codes_.size(); }
  size_t stride() const { return stride_; }
  const quantize::ByteCode &code(size_t row) const { return codes_[row]; }
  const int8_t *values(size_t row) const { return values_.data() + row * stride_; }
  bool equal(size_t row, const quantize::ByteCode &code, const int8_t *values) const {
    return std::memcmp(&codes_[row], &code, sizeof code) == 0 &&
           std::memcmp(this->values(row), values, stride_) == 0;
  }

 private:
  size_t stride_;
  std::vector<quantize::ByteCode> codes_;
  std::vector<int8_t> values_;
};

}  // namespace vann::bulk::test
