// store.cpp — see store.hpp and ../README.md, "Build".
#include "am/ivfpq/build/store.hpp"

#include "am/ivfpq/build/core.hpp"
#include "core/base/bfloat16.hpp"
#include "core/spill/buffered_file.hpp"

extern "C" {
#include "miscadmin.h"
}

#include <algorithm>
#include <vector>

namespace vann::ivfpq {

namespace {

constexpr uint32_t kMostFiles = 64;
constexpr size_t kMostChunkBytes = size_t{1} << 20;
constexpr size_t kLeastRows = 64;
constexpr size_t kMostFileBuffer = size_t{64} << 10;
constexpr size_t kLeastFileBuffer = size_t{4} << 10;

}  // namespace

// Whichever way the context goes; after an ERROR the resource owner closes the files.
struct RowStore::Files {
  pg::SpillSpace space{CurrentMemoryContext};
  std::vector<spill::BufferedFile> files;

  ~Files() {
    if (!files.empty()) space.abandon();
  }
};

RowStore::RowStore(const Layout &layout, uint32_t lists, double rows, size_t memory,
                   MemoryContext context)
    : context_(context), allocator_(pg::allocator_in(context)), row_bytes_(coded_row_bytes(layout)),
      lists_(lists), rows_(0), held_(0), files_(nullptr), loaded_(0), loaded_end_(0),
      order_(nullptr), list_begin_(nullptr), read_(nullptr), read_size_(0) {
  const size_t per_row = row_bytes_ + sizeof(uint32_t);
  capacity_ = std::clamp<size_t>(memory / per_row, kLeastRows, UINT32_MAX);
  chunk_rows_ = std::max<size_t>(1, std::min(kMostChunkBytes, memory / 8) / row_bytes_);
  // Ranges of lists that fill half of the memory each, so that longer ones do as well.
  const double ranges = 2 * rows / static_cast<double>(capacity_) + 1;
  file_count_ = std::min({kMostFiles, lists, static_cast<uint32_t>(std::min(ranges, 1e6))});
  counts_ = static_cast<Count *>(MemoryContextAllocExtended(context, lists * sizeof(Count),
                                                            MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
}

// ---- Adding -------------------------------------------------------------------------------------

CodedRow *RowStore::room_for_row() {
  if (held_ / chunk_rows_ == chunks_.size)
    chunks_.push(allocator_, static_cast<uint8_t *>(
                                 MemoryContextAllocHuge(context_, chunk_rows_ * row_bytes_)));
  return row(held_++);
}

void RowStore::add(const CodedRow *added) {
  const double error = from_bfloat16(added->scan.error);
  ++counts_[added->list].rows;
  counts_[added->list].error += error * error;
  ++rows_;
  if (files_ == nullptr && held_ == capacity_) start_spilling();
  if (files_ != nullptr)
    spill(added);
  else
    memcpy(room_for_row(), added, row_bytes_);
}

uint32_t RowStore::file_of(uint32_t list) const {
  return static_cast<uint32_t>(uint64_t{list} * file_count_ / lists_);
}

uint32_t RowStore::first_list(uint32_t file) const {
  return static_cast<uint32_t>((uint64_t{file} * lists_ + file_count_ - 1) / file_count_);
}

void RowStore::start_spilling() {
  {
    pg::ContextScope scope(context_);
    files_ = make_core_object<Files>(context_);
  }
  const size_t buffer =
      std::clamp(capacity_ * row_bytes_ / 4 / file_count_, kLeastFileBuffer, kMostFileBuffer);
  in_core(
      [this, buffer] {
        for (uint32_t i = 0; i < file_count_; ++i)
          files_->files.emplace_back(files_->space.create(), buffer);
      },
      &files_->space);
  for (size_t i = 0; i < held_; ++i) {
    CHECK_FOR_INTERRUPTS();
    spill(row(i));
  }
  for (uint8_t *chunk : chunks_) pfree(chunk);
  chunks_.clear();
  held_ = 0;
}

void RowStore::spill(const CodedRow *spilled) {
  in_core([this, spilled] { files_->files[file_of(spilled->list)].append(spilled, row_bytes_); },
          &files_->space);
}

void RowStore::finish() {
  if (files_ == nullptr) {
    order_rows(0, lists_);
    return;
  }
  in_core(
      [this] {
        for (spill::BufferedFile &file : files_->files) file.finish();
      },
      &files_->space);
  read_rows_ =
      std::max<size_t>(1, std::min(kMostChunkBytes, capacity_ * row_bytes_ / 8) / row_bytes_);
  read_ = static_cast<uint8_t *>(MemoryContextAllocHuge(context_, read_rows_ * row_bytes_));
}

// ---- Reading ------------------------------------------------------------------------------------

// Sorts what is held, rows of lists [first, last), by list; rows of a list stay as they came.
void RowStore::order_rows(uint32_t first, uint32_t last) {
  const auto again = [this](void *memory, size_t bytes) {
    if (memory != nullptr) pfree(memory);
    return MemoryContextAllocHuge(context_, std::max<size_t>(bytes, 1));
  };
  order_ = static_cast<uint32_t *>(again(order_, held_ * sizeof(uint32_t)));
  list_begin_ = static_cast<uint64_t *>(again(list_begin_, (last - first + 2) * sizeof(uint64_t)));
  // One ahead: filling moves list_begin_[i + 1] to the end of list i.
  list_begin_[0] = list_begin_[1] = 0;
  for (uint32_t list = first; list < last; ++list)
    list_begin_[list - first + 2] = list_begin_[list - first + 1] + counts_[list].rows;
  for (size_t i = 0; i < held_; ++i) {
    CHECK_FOR_INTERRUPTS();
    order_[list_begin_[row(i)->list - first + 1]++] = static_cast<uint32_t>(i);
  }
  loaded_ = first;
  loaded_end_ = last;
}

// Reads what is at `offset` of a file, and as much behind it as fits. Returns how many bytes there are.
size_t RowStore::read_ahead(uint32_t file, uint64_t offset) {
  CHECK_FOR_INTERRUPTS();
  in_core(
      [this, file, offset] {
        spill::BufferedFile &source = files_->files[file];
        read_begin_ = offset;
        read_size_ = std::min<uint64_t>(read_rows_ * row_bytes_, source.size() - offset);
        if (read_size_ > 0) source.read(offset, read_, read_size_);
      },
      &files_->space);
  return read_size_;
}

// Brings as many lists of one file from `first` on into memory as fit: none when the first is too long.
void RowStore::load(uint32_t first) {
  const uint32_t file = file_of(first);
  const uint32_t end = first_list(file + 1);
  uint64_t rows = 0;
  uint32_t last = first;
  while (last < end && rows + counts_[last].rows <= capacity_) rows += counts_[last++].rows;
  held_ = 0;
  for (uint64_t offset = 0; rows > 0; offset += read_size_) {
    const size_t size = read_ahead(file, offset);
    if (size == 0) break;
    for (size_t at = 0; at < size; at += row_bytes_) {
      const CodedRow *found = reinterpret_cast<const CodedRow *>(read_ + at);
      if (found->list >= first && found->list < last) memcpy(room_for_row(), found, row_bytes_);
    }
  }
  read_size_ = 0;
  order_rows(first, last);
}

void RowStore::open(uint32_t list) {
  if (files_ != nullptr && (list < loaded_ || list >= loaded_end_)) load(list);
  open_ = list;
  // A list that is not in memory is read from its file, row by row.
  at_ = list < loaded_end_ ? list_begin_[list - loaded_] : 0;
}

const CodedRow *RowStore::next() {
  if (open_ >= loaded_end_) return next_in_file();
  if (at_ == list_begin_[open_ - loaded_ + 1]) return nullptr;
  return row(order_[at_++]);
}

const CodedRow *RowStore::next_in_file() {
  for (;;) {
    if (at_ < read_begin_ || at_ >= read_begin_ + read_size_) {
      if (read_ahead(file_of(open_), at_) == 0) return nullptr;
    }
    const CodedRow *found = reinterpret_cast<const CodedRow *>(read_ + (at_ - read_begin_));
    at_ += row_bytes_;
    if (found->list == open_) return found;
  }
}

void RowStore::free() {
  if (files_ == nullptr) return;
  in_core([this] { files_->files.clear(); });
}

}  // namespace vann::ivfpq
