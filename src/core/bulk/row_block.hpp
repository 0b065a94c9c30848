// row_block.hpp — rows read back from a file: keys and codes in arrays that stages can work on.
#pragma once

#include <cstdint>

#include "core/build/code_group.hpp"
#include "core/bulk/level.hpp"

namespace vann::bulk {

// Room that only grows; contents are lost when it does.
class RowBlock {
 public:
  explicit RowBlock(size_t dims) : dims_(dims), stride_(quantize::padded_dims(dims)) {}

  // Throws std::bad_alloc.
  void resize(size_t rows) {
    keys_.reserve(rows);
    codes_.reserve(rows);
    values_.reserve(rows * stride_);
    size_ = rows;
  }

  size_t size() const noexcept { return size_; }
  size_t dims() const noexcept { return dims_; }
  size_t stride() const noexcept { return stride_; }
  RowKey &key(size_t row) noexcept { return keys_.data()[row]; }
  quantize::ByteCode &code(size_t row) noexcept { return codes_.data()[row]; }
  int8_t *values(size_t row) noexcept { return values_.data() + row * stride_; }
  const RowKey *keys() const noexcept { return keys_.data(); }

  build::VectorSet set() const noexcept {
    return {size_, dims_, values_.data(), codes_.data(), {}};
  }

 private:
  size_t dims_;
  size_t stride_;
  size_t size_ = 0;
  AlignedBuffer<RowKey> keys_;
  AlignedBuffer<quantize::ByteCode> codes_;
  AlignedBuffer<int8_t> values_;  // [size][stride]
};

}  // namespace vann::bulk
