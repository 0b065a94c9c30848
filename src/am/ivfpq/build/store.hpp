// store.hpp — coded rows between the scan of the table and the writing of pages: in memory, or where
// they do not fit in temporary files, each of a range of lists.
#pragma once

#include "am/ivfpq/build/coder.hpp"
#include "core/base/array.hpp"

namespace vann::ivfpq {

class RowStore {
 public:
  // Rows take at most about `memory` bytes, which come from `context`; `rows` is about how many there
  // will be. Abandonable: everything goes with the context, whichever way that goes.
  RowStore(const Layout &layout, uint32_t lists, double rows, size_t memory, MemoryContext context);

  void add(const CodedRow *row);
  // To be called after the last row, before the first is read.
  void finish();

  // Starts to read the rows of a list, which may be done twice: next() returns them one by one, always in
  // the same order, then null. A row goes with the call after it. Lists are best taken in their order.
  void open(uint32_t list);
  const CodedRow *next();

  uint64_t rows() const { return rows_; }
  uint64_t rows_of(uint32_t list) const { return counts_[list].rows; }
  // The sum of the squared error factors of its scan codes.
  double error_of(uint32_t list) const { return counts_[list].error; }
  bool spilled() const { return files_ != nullptr; }
  // Closes what files there are.
  void free();

 private:
  struct Files;
  struct Count {
    uint64_t rows;
    double error;
  };

  CodedRow *row(size_t i) const {
    return reinterpret_cast<CodedRow *>(chunks_[i / chunk_rows_] + i % chunk_rows_ * row_bytes_);
  }
  CodedRow *room_for_row();
  uint32_t file_of(uint32_t list) const;
  uint32_t first_list(uint32_t file) const;
  void start_spilling();
  void spill(const CodedRow *row);
  void order_rows(uint32_t first, uint32_t last);
  void load(uint32_t first);
  size_t read_ahead(uint32_t file, uint64_t offset);
  const CodedRow *next_in_file();

  MemoryContext context_;
  Allocator allocator_;
  size_t row_bytes_;
  size_t capacity_;  // rows in memory
  size_t chunk_rows_;
  uint32_t lists_;
  uint32_t file_count_;
  uint64_t rows_;
  Count *counts_;  // [lists]
  Array<uint8_t *> chunks_;
  size_t held_;  // rows in chunks
  Files *files_;
  // Lists whose rows are in memory in order: [loaded_, loaded_end_).
  uint32_t loaded_;
  uint32_t loaded_end_;
  uint32_t *order_;       // row numbers by list
  uint64_t *list_begin_;  // [loaded_end_ - loaded_ + 1] into order_
  uint32_t open_;
  uint64_t at_;  // in order_, or offset in the file
  // What was read of a file at once.
  uint8_t *read_;
  size_t read_rows_;
  uint64_t read_begin_;
  size_t read_size_;
};

}  // namespace vann::ivfpq
