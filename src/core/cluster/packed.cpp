// packed.cpp — encodes blocks of centroids and keeps the nearest of them.
#include "core/cluster/packed.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/no_postgres.hpp"

namespace vann::cluster {

void PackedCentroids::resize(std::span<const uint32_t> begin) {
  begin_.assign(begin.begin(), begin.end());
  groups_.resize(begin_.size() - 1);
  numbers_.resize(begin_.back());
  std::iota(numbers_.begin(), numbers_.end(), 0u);
}

void PackedCentroids::pack(size_t block, const float *values, size_t dims) {
  const size_t first = begin_[block];
  const size_t count = begin_[block + 1] - first;
  const size_t stride = quantize::padded_dims(dims);
  AlignedBuffer<int8_t> bytes;
  std::vector<quantize::ByteCode> codes(count);
  bytes.reserve(count * stride);
  for (size_t i = 0; i < count; ++i) {
    codes[i] = quantize::encode_bytes(values + (first + i) * dims, dims, bytes.data() + i * stride);
  }
  const build::VectorSet set{count, dims, bytes.data(), codes.data(), {}};
  groups_[block].gather(build::RowView(set, nullptr, count), std::span(numbers_).first(count));
  groups_[block].pack();
}

void PackedCentroids::offer(size_t block, size_t wanted, MeasureScratch &scratch,
                            build::Candidate *best) const {
  const build::CodeGroup &group = groups_[block];
  const uint32_t *numbers = numbers_.data() + begin_[block];
  const size_t rows = scratch.rows.size();
  scratch.tile.multiply(scratch.rows, 0, rows, group);
  for (size_t i = 0; i < rows; ++i) {
    const std::span list(best + i * wanted, wanted);
    scratch.nearest.reset(wanted, list.back());
    scratch.nearest.offer_all(scratch.tile.row(i), group.columns(), numbers);
    for (const build::Candidate near : scratch.nearest.list()) build::insert_candidate(list, near);
  }
}

std::vector<uint32_t> cut_blocks(std::span<const uint32_t> begin,
                                 std::vector<uint32_t> &first_block) {
  std::vector<uint32_t> bounds{begin[0]};
  first_block.assign(1, 0);
  for (size_t i = 0; i + 1 < begin.size(); ++i) {
    const size_t count = begin[i + 1] - begin[i];
    const size_t blocks = (count + kBlockColumns - 1) / kBlockColumns;
    for (size_t j = 1; j <= blocks; ++j) {
      bounds.push_back(begin[i] + static_cast<uint32_t>(count * j / blocks));
    }
    first_block.push_back(static_cast<uint32_t>(bounds.size() - 1));
  }
  return bounds;
}

}  // namespace vann::cluster
