// pages.hpp — large arrays straight from the system: their memory goes back when they go, whatever the C
// library keeps of its own. A build that counts its bytes must not leave holes in the heap.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <limits>
#include <new>
#include <utility>
#include <vector>

namespace vann {

// Below this the C library is asked: a mapping costs a call and whole pages.
inline constexpr size_t kLeastMapped = size_t{256} << 10;

// Memory for `bytes`, aligned to a cache line; untouched pages of a mapping take none. Throws
// std::bad_alloc.
inline void *allocate_pages(size_t bytes) {
  if (bytes < kLeastMapped) return ::operator new(bytes, std::align_val_t{64});
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}

// `bytes` as they were asked for.
inline void free_pages(void *memory, size_t bytes) noexcept {
  if (bytes < kLeastMapped) {
    ::operator delete(memory, std::align_val_t{64});
  } else {
    munmap(memory, bytes);
  }
}

// For std::vector.
template <class T>
struct PageAllocator {
  using value_type = T;

  PageAllocator() = default;
  template <class U>
  PageAllocator(const PageAllocator<U> &) noexcept {}

  T *allocate(size_t count) {
    if (count > std::numeric_limits<size_t>::max() / sizeof(T)) throw std::bad_alloc();
    return static_cast<T *>(allocate_pages(count * sizeof(T)));
  }
  void deallocate(T *memory, size_t count) noexcept { free_pages(memory, count * sizeof(T)); }
  bool operator==(const PageAllocator &) const noexcept { return true; }
};

template <class T>
using PageVector = std::vector<T, PageAllocator<T>>;

// Uninitialised memory on cache-line boundaries that only grows. Contents are lost on growth. Room that
// is not written to takes no memory, if it is large.
template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer &&other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  AlignedBuffer &operator=(AlignedBuffer &&other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~AlignedBuffer() { release(); }

  // At least `count` elements. Throws std::bad_alloc.
  T *reserve(size_t count) {
    if (count > capacity_) {
      release();
      memory_ = static_cast<T *>(allocate_pages(count * sizeof(T)));
      capacity_ = count;
    }
    return memory_;
  }
  T &operator[](size_t i) noexcept { return memory_[i]; }
  const T &operator[](size_t i) const noexcept { return memory_[i]; }
  T *data() noexcept { return memory_; }
  const T *data() const noexcept { return memory_; }

 private:
  void release() noexcept {
    if (capacity_ > 0) free_pages(memory_, capacity_ * sizeof(T));
    memory_ = nullptr;
    capacity_ = 0;
  }

  T *memory_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace vann
