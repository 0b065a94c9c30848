// level.hpp — a finished graph of one level as a writer of pages reads it: in page order, a stretch
// at a time, whether it lies in memory or in temporary files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/build/graph_builder.hpp"
#include "core/bulk/id_set.hpp"
#include "core/quantize/vector_code.hpp"

namespace vann::bulk {

// A row's place in the table; keys sort like places. The core only sorts, hashes and hands back.
using RowKey = uint64_t;

// Consecutive rows of a level that are in memory together with all their neighbors. Rows are named by
// their number on the level, 0 .. rows - 1 in page order. Reading is thread-safe.
struct Stretch {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t degree = 0;
  size_t stride = 0;                              // padded_dims(dims)
  const uint32_t *neighbor_lists = nullptr;       // [end - begin][degree]
  const int8_t *all_values = nullptr;             // [index][stride]
  const quantize::ByteCode *all_codes = nullptr;  // [index]
  const RowKey *all_keys = nullptr;               // [index]
  // Where a row's code lies in the arrays: one of the two is set.
  const uint32_t *indexes = nullptr;  // [rows of the level]
  const IdSet *resident = nullptr;

  size_t index(uint32_t number) const noexcept {
    return indexes != nullptr ? indexes[number] : resident->rank(number);
  }

  // Of a row of the stretch, or a neighbor of one.
  const int8_t *values(uint32_t number) const noexcept {
    return all_values + index(number) * stride;
  }
  const quantize::ByteCode &code(uint32_t number) const noexcept {
    return all_codes[index(number)];
  }
  // Level 0: the least key of the element.
  RowKey key(uint32_t number) const noexcept { return all_keys[index(number)]; }
  // Numbers of a row of the stretch's neighbors, nearest first; [degree], free slots last, kNoRow.
  const uint32_t *neighbors(uint32_t number) const noexcept {
    return neighbor_lists + size_t{number - begin} * degree;
  }
};

// One level. Level 0 holds every element; the number of an element is its number on level 0.
class Level {
 public:
  virtual ~Level() = default;
  uint32_t rows() const noexcept { return rows_; }
  uint32_t entry() const noexcept { return entry_; }
  // The element that a row of this level is.
  uint32_t element(uint32_t number) const noexcept {
    return elements_.empty() ? number : elements_[number];
  }
  // The row that an element is on this level, which it must be.
  uint32_t number_of(uint32_t element) const noexcept;

  // Loads rows from `begin` on: at most `most` > 0, fewer if memory does not hold them, but at least
  // one. Valid until the next call. Throws spill::SpillFailed, std::bad_alloc.
  virtual const Stretch &load(uint32_t begin, uint32_t most) = 0;

  // Calls visit(number, key, code, values) for all rows in ascending order. On level 0 the key is the
  // element's least one, above it is the element. Invalidates the stretch. Throws as load().
  using Visit = std::function<void(uint32_t, RowKey, const quantize::ByteCode &, const int8_t *)>;
  virtual void visit(const Visit &visit) = 0;

  // To be called once on each level above 0, whose keys are elements.
  void take_keys_as_elements();

 protected:
  uint32_t rows_ = 0;
  uint32_t entry_ = build::kNoRow;
  std::vector<uint32_t> elements_;  // [rows]; empty on level 0
  std::vector<uint32_t> sorted_;    // level > 0: numbers by ascending element
};

}  // namespace vann::bulk
