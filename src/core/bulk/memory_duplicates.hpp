// memory_duplicates.hpp — further keys of elements, from a sorted list in memory.
#pragma once

#include <vector>

#include "core/bulk/index_build.hpp"
#include "core/bulk/row_store.hpp"

namespace vann::bulk {

class MemoryDuplicates final : public Duplicates {
 public:
  // Pairs of element and key, ascending.
  explicit MemoryDuplicates(std::vector<RowStore::Further> further) noexcept
      : further_(std::move(further)) {}

  void rewind() override { at_ = end_ = 0; }
  bool next(uint32_t *element, uint64_t *count) override {
    at_ = end_;
    if (at_ == further_.size()) return false;
    *element = further_[at_].first;
    while (end_ < further_.size() && further_[end_].first == *element) ++end_;
    *count = end_ - at_;
    return true;
  }
  void read(RowKey *keys, size_t count) override {
    for (size_t i = 0; i < count; ++i) keys[i] = further_[at_++].second;
  }

 private:
  std::vector<RowStore::Further> further_;
  size_t at_ = 0;   // next key of the current element
  size_t end_ = 0;  // of the current element's keys
};

}  // namespace vann::bulk
