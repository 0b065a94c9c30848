// buffered_file.hpp — a temporary file with room for what is being appended, so that small records cost
// a copy and not a call.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "core/spill/spill_file.hpp"

namespace vann::spill {

class BufferedFile {
 public:
  // Memory is taken when something is appended first. All members throw SpillFailed, std::bad_alloc.
  BufferedFile(std::unique_ptr<SpillFile> file, size_t buffer) noexcept
      : file_(std::move(file)), capacity_(buffer) {}

  // Room for `size` bytes at the end, to be filled before the next call. For small records.
  std::byte *extend(size_t size) {
    if (used_ + size > buffer_.size()) {
      flush();
      if (size > buffer_.size()) buffer_.resize(size > capacity_ ? size : capacity_);
    }
    std::byte *room = buffer_.data() + used_;
    used_ += size;
    return room;
  }
  void append(const void *bytes, size_t size) {
    if (size == 0) return;  // of an empty array, which may be at no address
    if (size < capacity_) {
      std::memcpy(extend(size), bytes, size);
      return;
    }
    flush();
    file_->append(bytes, size);
  }
  // Writes out what was appended.
  void flush() {
    if (used_ > 0) file_->append(buffer_.data(), used_);
    used_ = 0;
  }
  // The same, and gives the room back: nothing will be appended for long.
  void finish() {
    flush();
    buffer_ = {};
  }

  void read(uint64_t offset, void *bytes, size_t size) {
    flush();
    file_->read(offset, bytes, size);
  }
  void overwrite(uint64_t offset, const void *bytes, size_t size) {
    flush();
    file_->overwrite(offset, bytes, size);
  }
  uint64_t size() const noexcept { return file_->size() + used_; }

 private:
  std::unique_ptr<SpillFile> file_;
  size_t capacity_;
  std::vector<std::byte> buffer_;
  size_t used_ = 0;
};

}  // namespace vann::spill
