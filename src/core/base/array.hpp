// array.hpp — growable arrays that may be abandoned: trivially destructible, memory from a caller's
// allocator. A backend's error jumps over frames that hold them; the memory context frees them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace vann {

// resize() returns memory of `bytes` with the old contents kept, or frees it when `bytes` is 0. It
// fails by not returning (the shell's allocator raises an error; a test's may throw).
struct Allocator {
  void *(*resize)(void *context, void *memory, size_t bytes);
  void *context;
};

template <class T>
struct Array {
  static_assert(std::is_trivially_copyable_v<T>);

  T *data = nullptr;
  size_t size = 0;
  size_t capacity = 0;

  void reserve(const Allocator &allocator, size_t wanted) {
    if (wanted <= capacity) return;
    const size_t grown = wanted > capacity * 2 ? wanted : capacity * 2;
    data = static_cast<T *>(allocator.resize(allocator.context, data, grown * sizeof(T)));
    capacity = grown;
  }
  void push(const Allocator &allocator, const T &value) {
    if (size == capacity) reserve(allocator, size + 16);
    data[size++] = value;
  }
  void clear() noexcept { size = 0; }
  T &operator[](size_t i) noexcept { return data[i]; }
  const T &operator[](size_t i) const noexcept { return data[i]; }
  T *begin() noexcept { return data; }
  T *end() noexcept { return data + size; }
  const T *begin() const noexcept { return data; }
  const T *end() const noexcept { return data + size; }
};

}  // namespace vann
