// row_file.hpp — rows in a temporary file, one record each: key, factors, digits. Written front to back,
// read in stretches or by ascending numbers.
#pragma once

#include <cstddef>
#include <memory>

#include "core/bulk/id_set.hpp"
#include "core/bulk/row_block.hpp"
#include "core/spill/buffered_file.hpp"

namespace vann::bulk {

class RowFile {
 public:
  // `buffer`: bytes gathered before a write. All members throw spill::SpillFailed, std::bad_alloc.
  RowFile(std::unique_ptr<spill::SpillFile> file, size_t dims, size_t buffer = size_t{64} << 10);

  void append(RowKey key, const quantize::ByteCode &code, const int8_t *values);
  size_t rows() const noexcept { return rows_; }
  // Nothing will be appended any more: gives up the room for it.
  void finish() { file_.finish(); }

  // Rows [first, first + count) as rows [0, count) of the block.
  void read(size_t first, size_t count, RowBlock &block);
  // The members as rows of the block, in ascending order. The set must be indexed.
  void gather(const IdSet &members, RowBlock &block);
  // Squared L2 between two decoded rows, by their numbers.
  float distance(size_t a, size_t b);

 private:
  void read_records(size_t first, size_t count);
  void unpack(size_t record, size_t row, RowBlock &block) const;

  size_t dims_;
  size_t stride_;
  size_t record_bytes_;
  size_t rows_ = 0;
  spill::BufferedFile file_;
  AlignedBuffer<std::byte> records_;  // what was read last
};

}  // namespace vann::bulk
