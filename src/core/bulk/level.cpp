// level.cpp — which element a row of an upper level is.
#include "core/bulk/level.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/no_postgres.hpp"

namespace vann::bulk {

void Level::take_keys_as_elements() {
  elements_.resize(rows_);
  visit([this](uint32_t number, RowKey key, const quantize::ByteCode &, const int8_t *) {
    elements_[number] = static_cast<uint32_t>(key);
  });
  sorted_.resize(rows_);
  std::iota(sorted_.begin(), sorted_.end(), 0u);
  std::sort(sorted_.begin(), sorted_.end(),
            [this](uint32_t a, uint32_t b) { return elements_[a] < elements_[b]; });
}

uint32_t Level::number_of(uint32_t element) const noexcept {
  if (elements_.empty()) return element;
  return *std::lower_bound(sorted_.begin(), sorted_.end(), element,
                           [this](uint32_t number, uint32_t wanted) {
                             return elements_[number] < wanted;
                           });
}

}  // namespace vann::bulk
