// reserved_array.hpp — an array whose room is reserved as addresses and becomes memory only where it is
// written: it never moves, so growing costs no copy and no second array.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "core/base/pages.hpp"

namespace vann::bulk {

template <class T>
class ReservedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  ReservedArray() = default;
  // Room for `capacity` elements, uninitialised. Throws std::bad_alloc.
  explicit ReservedArray(size_t capacity)
      : data_(static_cast<T *>(allocate_pages(capacity * sizeof(T)))),
        bytes_(capacity * sizeof(T)) {}
  ReservedArray(ReservedArray &&other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  ReservedArray &operator=(ReservedArray &&other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~ReservedArray() {
    if (data_ != nullptr) free_pages(data_, bytes_);
  }

  T *data() const noexcept { return data_; }
  T &operator[](size_t i) const noexcept { return data_[i]; }

 private:
  T *data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace vann::bulk
