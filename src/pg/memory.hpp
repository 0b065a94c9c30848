// memory.hpp — memory contexts for core containers, and switching between contexts.
#pragma once

#include "pg/postgres.hpp"

#include "core/base/array.hpp"

extern "C" {
#include "utils/memutils.h"
}

namespace vann::pg {

// An allocator for core arrays over a memory context: raises an ERROR when memory is short.
inline void *resize_in_context(void *context, void *memory, size_t bytes) {
  if (bytes == 0) {
    if (memory != nullptr) pfree(memory);
    return nullptr;
  }
  if (memory != nullptr) return repalloc_huge(memory, bytes);
  return MemoryContextAllocHuge(static_cast<MemoryContext>(context), bytes);
}

inline Allocator allocator_in(MemoryContext context) { return {resize_in_context, context}; }

// Palloc's room for `count` values whose first byte is aligned to a cache line, or to another power
// of two.
template <class T, size_t kAlignment = 64>
T *allocate_aligned(MemoryContext context, size_t count) {
  void *memory = MemoryContextAllocHuge(context, count * sizeof(T) + kAlignment);
  constexpr uintptr_t kMask = kAlignment - 1;
  return reinterpret_cast<T *>((reinterpret_cast<uintptr_t>(memory) + kMask) & ~kMask);
}

// Switches to a memory context for the life of the scope. Abandonable: an error resets the current
// context anyway.
class ContextScope {
 public:
  explicit ContextScope(MemoryContext context) : previous_(MemoryContextSwitchTo(context)) {}
  ContextScope(const ContextScope &) = delete;
  ContextScope &operator=(const ContextScope &) = delete;
  ~ContextScope() { MemoryContextSwitchTo(previous_); }

 private:
  MemoryContext previous_;
};

}  // namespace vann::pg
