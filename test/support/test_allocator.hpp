// test_allocator.hpp — an allocator for core arrays that counts what lives and moves a block at
// every resize, so that a kept pointer to the old one is a use after free.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "core/base/array.hpp"

namespace vann::test {

class TestAllocator {
 public:
  Allocator get() noexcept { return {resize, this}; }
  size_t live_bytes() const noexcept { return live_bytes_; }
  size_t live_blocks() const noexcept { return blocks_.size(); }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    size_t size = 0;
  };

  static void *resize(void *context, void *memory, size_t bytes) {
    return static_cast<TestAllocator *>(context)->resize(memory, bytes);
  }

  void *resize(void *memory, size_t bytes) {
    Block old;
    if (memory != nullptr) {
      old = std::move(blocks_.at(memory));
      blocks_.erase(memory);
      live_bytes_ -= old.size;
    }
    if (bytes == 0) return nullptr;
    Block grown{std::unique_ptr<std::byte[]>(new std::byte[bytes]), bytes};
    std::memset(grown.bytes.get(), 0xa5, bytes);
    if (old.size > 0) std::memcpy(grown.bytes.get(), old.bytes.get(), std::min(old.size, bytes));
    void *address = grown.bytes.get();
    blocks_[address] = std::move(grown);
    live_bytes_ += bytes;
    return address;
  }

  std::unordered_map<void *, Block> blocks_;
  size_t live_bytes_ = 0;
};

}  // namespace vann::test
