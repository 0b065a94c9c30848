// arrivals.hpp — the rows of one level before they are linked: collapsed in memory while they fit, then
// all of them, duplicates included, in a file.
#pragma once

#include <memory>
#include <optional>

#include "core/bulk/row_file.hpp"
#include "core/bulk/row_store.hpp"

namespace vann::bulk {

class Arrivals {
 public:
  // `capacity`: distinct rows that may stay in memory.
  Arrivals(size_t dims, size_t capacity, spill::SpillSpace &space);

  // Throws spill::SpillFailed, std::bad_alloc, std::length_error at 2^31 rows.
  void add(RowKey key, const quantize::ByteCode &code, const int8_t *values);

  uint64_t rows() const noexcept { return rows_; }
  bool spilled() const noexcept { return file_ != nullptr; }
  // While not spilled().
  RowStore &store() noexcept { return *store_; }
  // Once spilled().
  std::unique_ptr<RowFile> take_file() noexcept { return std::move(file_); }

 private:
  void spill();

  size_t dims_;
  spill::SpillSpace &space_;
  uint64_t rows_ = 0;
  std::optional<RowStore> store_;
  std::unique_ptr<RowFile> file_;
};

}  // namespace vann::bulk
