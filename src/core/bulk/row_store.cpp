// row_store.cpp — collapses equal codes with an open hash table over them.
#include "core/bulk/row_store.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

constexpr size_t kFirstPlaces = 1024;

uint64_t mix(uint64_t x) noexcept {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93u;
  x ^= x >> 32;
  return x;
}

}  // namespace

// Digits are spread evenly, so a multiply and a rotation per word tell codes apart well enough.
uint64_t hash_code(const quantize::ByteCode &code, const int8_t *values, size_t stride) noexcept {
  uint64_t state = mix(std::bit_cast<uint32_t>(code.factors.norm_squared)) + stride;
  for (size_t i = 0; i < stride; i += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, values + i, sizeof word);
    state = std::rotl(state ^ word, 29) * 0x9e3779b97f4a7c15u;
  }
  return mix(state);
}

RowStore::RowStore(size_t dims, size_t capacity)
    : dims_(dims), stride_(quantize::padded_dims(dims)), capacity_(capacity),
      table_(kFirstPlaces) {
  values_.reserve(capacity * stride_);
  codes_.reserve(capacity);
  keys_.reserve(capacity);
}

bool RowStore::equals(size_t row, const quantize::ByteCode &code,
                      const int8_t *values) const noexcept {
  return std::memcmp(&codes_[row].factors, &code.factors, sizeof code.factors) == 0 &&
         std::memcmp(values_.data() + row * stride_, values, stride_) == 0;
}

void RowStore::grow_table() {
  PageVector<Place> grown(table_.size() * 2);
  const size_t mask = grown.size() - 1;
  // The low half of a hash is not kept: it is that of the row again.
  for (const Place place : table_) {
    if (place == 0) continue;
    const size_t row = static_cast<uint32_t>(place) - 1;
    size_t at = hash_code(codes_[row], values_.data() + row * stride_, stride_) & mask;
    while (grown[at] != 0) at = (at + 1) & mask;
    grown[at] = place;
  }
  table_ = std::move(grown);
}

// Sixteen further keys take less than a row does.
bool RowStore::is_full() const noexcept { return size_ + further_.size() / 16 >= capacity_; }

RowStore::Added RowStore::add(RowKey key, const quantize::ByteCode &code, const int8_t *values) {
  if (is_full()) return Added::kNoRoom;
  const uint64_t hashed = hash_code(code, values, stride_);
  const uint64_t tag = hashed >> 32;
  const size_t mask = table_.size() - 1;
  size_t at = hashed & mask;
  for (; table_[at] != 0; at = (at + 1) & mask) {
    const uint32_t row = static_cast<uint32_t>(table_[at]) - 1;
    if (table_[at] >> 32 != tag || !equals(row, code, values)) continue;
    if (key < keys_[row]) std::swap(key, keys_[row]);
    further_.emplace_back(row, key);
    return Added::kKnown;
  }
  std::memcpy(values_.data() + size_ * stride_, values, stride_);
  codes_[size_] = code;
  keys_[size_] = key;
  ++size_;
  table_[at] = tag << 32 | size_;
  if (size_ * 2 > table_.size()) grow_table();
  return Added::kNew;
}

void RowStore::reset() {
  size_ = 0;
  std::fill(table_.begin(), table_.end(), 0);
  further_.clear();
}

std::vector<uint32_t> RowStore::by_key() const {
  std::vector<uint32_t> rows(size_);
  std::iota(rows.begin(), rows.end(), 0u);
  const auto before = [this](uint32_t a, uint32_t b) { return keys_[a] < keys_[b]; };
  // One process scans a table in order.
  if (!std::is_sorted(rows.begin(), rows.end(), before))
    std::sort(rows.begin(), rows.end(), before);
  return rows;
}

}  // namespace vann::bulk
