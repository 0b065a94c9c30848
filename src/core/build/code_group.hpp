// code_group.hpp — byte codes of a group of rows, gathered into the form of the product kernel, and
// squared L2 distances between groups. All distances of a build are computed here, with one
// order of operations that is symmetric in the two rows: d(a, b) has the same bits wherever and
// in whichever direction it is computed, which is what makes candidate lists comparable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/base/pages.hpp"
#include "core/build/graph_builder.hpp"

namespace vann::build {

// The rows of a set under a numbering: row i of the view is row numbers[i] of the set's arrays.
class RowView {
 public:
  // `numbers` may be null: the identity. Owns nothing.
  RowView(const VectorSet &set, const uint32_t *numbers, size_t size) noexcept
      : set_(set), numbers_(numbers), size_(size), stride_(quantize::padded_dims(set.dims)) {}

  size_t size() const noexcept { return size_; }
  size_t dims() const noexcept { return set_.dims; }
  size_t stride() const noexcept { return stride_; }
  size_t number(uint32_t row) const noexcept { return numbers_ ? numbers_[row] : row; }
  const int8_t *values(uint32_t row) const noexcept { return set_.values + number(row) * stride_; }
  const quantize::ByteCode &code(uint32_t row) const noexcept { return set_.codes[number(row)]; }

  // Squared L2 distance between two decoded rows.
  float distance(uint32_t a, uint32_t b) const noexcept;

 private:
  const VectorSet &set_;
  const uint32_t *numbers_;
  size_t size_;
  size_t stride_;
};

// A gathered copy of some rows. Reused from group to group, so that memory is allocated once.
class CodeGroup {
 public:
  // Copies the rows `ids` of the view. Throws std::bad_alloc.
  void gather(const RowView &view, std::span<const uint32_t> ids);
  // Makes the packed form that the right-hand side of a product needs.
  void pack();

  size_t size() const noexcept { return size_; }
  // Columns of a row of distances to this group: size() rounded up to the kernel's 16.
  size_t columns() const noexcept { return norm_.size(); }

 private:
  friend class DistanceTile;

  size_t size_ = 0;
  size_t stride_ = 0;
  AlignedBuffer<int8_t> values_;  // [size][stride]
  AlignedBuffer<int8_t> packed_;
  // [columns]: |c|^2 (NaN beyond size, so that padding is never near), delta, and the row's share
  // of the level offset of decoded_dot(): sum / 2 + dims / 8.
  std::vector<float> norm_;
  std::vector<float> delta_;
  std::vector<float> half_;
};

// Distances from some rows of one group to all rows of another.
class DistanceTile {
 public:
  // Multiplies rows [first, first + count) of `a` with all of `b`, which is packed. Both groups
  // must live until the last row() of this tile. Throws std::bad_alloc.
  void multiply(const CodeGroup &a, size_t first, size_t count, const CodeGroup &b);

  // Distances of the tile's row `i` (row first + i of `a`) to the columns [from, b.columns());
  // `from` is a multiple of 16. The result is indexed by column and valid until the next call.
  float *row(size_t i, size_t from = 0);

 private:
  const CodeGroup *a_ = nullptr;
  const CodeGroup *b_ = nullptr;
  size_t first_ = 0;
  AlignedBuffer<int32_t> products_;  // [count][b.columns()]
  AlignedBuffer<float> distances_;   // [b.columns()]
};

}  // namespace vann::build
