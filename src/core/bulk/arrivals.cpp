// arrivals.cpp — moves rows to a file once memory is full.
#include "core/bulk/arrivals.hpp"

#include <stdexcept>

#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

constexpr uint64_t kMostRows = uint64_t{1} << 31;

}  // namespace

Arrivals::Arrivals(size_t dims, size_t capacity, spill::SpillSpace &space)
    : dims_(dims), space_(space), store_(std::in_place, dims, capacity) {}

void Arrivals::add(RowKey key, const quantize::ByteCode &code, const int8_t *values) {
  if (rows_ + 1 >= kMostRows) throw std::length_error("too many rows for one index");
  if (!spilled() && store_->add(key, code, values) == RowStore::Added::kNoRoom) spill();
  if (spilled()) file_->append(key, code, values);
  ++rows_;
}

// A row's further keys become rows again: where equal rows meet, they are collapsed once more.
void Arrivals::spill() {
  auto file = std::make_unique<RowFile>(space_.create(), dims_);
  for (size_t row = 0; row < store_->size(); ++row)
    file->append(store_->key(row), store_->code(row), store_->values(row));
  for (const auto &[row, key] : store_->further())
    file->append(key, store_->code(row), store_->values(row));
  store_.reset();
  file_ = std::move(file);
}

}  // namespace vann::bulk
