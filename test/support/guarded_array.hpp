// guarded_array.hpp — an array between two inaccessible pages: a kernel that reads or writes past
// the end faults, with or without a sanitizer, whatever instruction it uses.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>

namespace vann::test {

// `n` elements that end `slack` elements before the inaccessible page, so that `slack` chooses the
// alignment. The slack and everything before the array are filled with a pattern for slack_intact().
template <class T>
class GuardedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit GuardedArray(size_t n, size_t slack = 0) : size_(n) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    bytes_ = ((n + slack) * sizeof(T) + page - 1) / page * page + 2 * page;
    void *mapped = mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<unsigned char *>(mapped);
    begin_ = base_ + page;
    end_ = base_ + bytes_ - page;
    if (begin_ < end_) {
      if (mprotect(begin_, static_cast<size_t>(end_ - begin_), PROT_READ | PROT_WRITE) != 0) {
        munmap(base_, bytes_);
        throw std::bad_alloc();
      }
      std::memset(begin_, kFill, static_cast<size_t>(end_ - begin_));
    }
    data_ = reinterpret_cast<T *>(end_ - (n + slack) * sizeof(T));
  }
  ~GuardedArray() { munmap(base_, bytes_); }
  GuardedArray(const GuardedArray &) = delete;
  GuardedArray &operator=(const GuardedArray &) = delete;

  T *data() noexcept { return data_; }
  const T *data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }
  T &operator[](size_t i) noexcept { return data_[i]; }
  const T &operator[](size_t i) const noexcept { return data_[i]; }
  std::span<T> span() noexcept { return {data_, size_}; }

  // Whether nobody wrote to the accessible bytes around the array.
  bool slack_intact() const noexcept {
    const auto *first = reinterpret_cast<const unsigned char *>(data_);
    for (const unsigned char *p = begin_; p < first; p++) {
      if (*p != kFill) return false;
    }
    for (const unsigned char *p = first + size_ * sizeof(T); p < end_; p++) {
      if (*p != kFill) return false;
    }
    return true;
  }

 private:
  static constexpr unsigned char kFill = 0xa5;

  size_t size_;
  size_t bytes_ = 0;
  unsigned char *base_ = nullptr;
  unsigned char *begin_ = nullptr;
  unsigned char *end_ = nullptr;
  T *data_ = nullptr;
};

}  // namespace vann::test
