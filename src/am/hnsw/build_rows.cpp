// build_rows.cpp — scan stage of a build: encodes rows and collapses duplicates as they come.
#include "am/hnsw/build_rows.hpp"

#include <algorithm>

extern "C" {
#include "common/hashfn.h"
}

namespace vann::hnsw {

namespace {

// The mean is that of the first rows: it only has to be near, codes are correct with any.
constexpr size_t kSampleRows = 4096;
constexpr size_t kSampleBytes = 32 * 1024 * 1024;

}  // namespace

BuildRows::BuildRows(const Index &index, IndexCache *cache, MemoryContext context)
    : index_(index),
      cache_(cache),
      context_(context),
      row_context_(AllocSetContextCreate(context, "hnsw build row", ALLOCSET_DEFAULT_SIZES)),
      allocator_(pg::allocator_in(context)),
      stride_(quantize::padded_dims(cache->layout.shape.dims)),
      prepared_(pg::allocate_aligned<float>(context, rotated_floats(*cache))),
      sampling_(true),
      tuples_(0) {}

void BuildRows::add(Datum value, const HeapTid &tid) {
  {
    pg::ContextScope scope(row_context_);
    prepare_element(index_, value, prepared_);
  }
  MemoryContextReset(row_context_);
  ++tuples_;
  if (!sampling_) {
    add_prepared(prepared_, tid);
    return;
  }
  const uint32_t dims = cache_->layout.shape.dims;
  sample_.reserve(allocator_, sample_.size + dims);
  std::copy(prepared_, prepared_ + dims, sample_.end());
  sample_.size += dims;
  sample_tids_.push(allocator_, tid);
  if (sample_tids_.size >= kSampleRows || sample_.size * sizeof(float) >= kSampleBytes)
    end_sample();
}

void BuildRows::finish() {
  if (sampling_) end_sample();
}

void BuildRows::end_sample() {
  sampling_ = false;
  const uint32_t dims = cache_->layout.shape.dims;
  const size_t rows = sample_tids_.size;
  if (rows == 0) return;
  float *mean = cache_->mean();
  for (uint32_t i = 0; i < dims; ++i) {
    double sum = 0;
    for (size_t row = 0; row < rows; ++row) sum += sample_[row * dims + i];
    mean[i] = static_cast<float>(sum / static_cast<double>(rows));
  }
  cache_->mean_floats = dims;
  for (size_t row = 0; row < rows; ++row) {
    float *prepared = sample_.data + row * dims;
    for (uint32_t i = 0; i < dims; ++i) prepared[i] -= mean[i];
    add_prepared(prepared, sample_tids_[row]);
  }
  allocator_.resize(allocator_.context, sample_.data, 0);
  allocator_.resize(allocator_.context, sample_tids_.data, 0);
  sample_ = {};
  sample_tids_ = {};
}

void BuildRows::add_prepared(const float *prepared, const HeapTid &tid) {
  const uint32_t dims = cache_->layout.shape.dims;
  values_.reserve(allocator_, values_.size + stride_);
  int8_t *values = values_.end();
  const quantize::ByteCode code = quantize::encode_bytes(prepared, dims, values);
  bool added;
  const uint32_t element = find_or_add(values, code, &added);
  const uint32_t linked = static_cast<uint32_t>(tids_.size);
  tids_.push(allocator_, {tid, kNone});
  if (added) {
    first_tid_.push(allocator_, linked);
    last_tid_.push(allocator_, linked);
  } else {
    tids_[last_tid_[element]].next = linked;
    last_tid_[element] = linked;
  }
}

uint64_t BuildRows::hash(const int8_t *values, const quantize::ByteCode &code) const {
  const auto *bytes = reinterpret_cast<const unsigned char *>(values);
  return hash_bytes_extended(bytes, static_cast<int>(stride_), 0) ^
         hash_bytes_extended(reinterpret_cast<const unsigned char *>(&code.factors),
                             sizeof(code.factors), 1);
}

// `values` stand at the end of values_, where a new element keeps them.
uint32_t BuildRows::find_or_add(const int8_t *values, const quantize::ByteCode &code,
                                bool *added) {
  if (codes_.size * 2 >= table_.size) grow_table();
  size_t at = hash(values, code) & (table_.size - 1);
  for (; table_[at] != kNone; at = (at + 1) & (table_.size - 1)) {
    const uint32_t element = table_[at];
    if (memcmp(&codes_[element].factors, &code.factors, sizeof(code.factors)) == 0 &&
        memcmp(values_.data + element * stride_, values, stride_) == 0) {
      *added = false;
      return element;
    }
  }
  const uint32_t element = static_cast<uint32_t>(codes_.size);
  table_[at] = element;
  values_.size += stride_;
  codes_.push(allocator_, code);
  *added = true;
  return element;
}

void BuildRows::grow_table() {
  const size_t wanted = std::max<size_t>(1024, table_.size * 2);
  table_.reserve(allocator_, wanted);
  table_.size = wanted;
  std::fill(table_.begin(), table_.end(), kNone);
  for (uint32_t element = 0; element < codes_.size; ++element) {
    size_t at = hash(values_.data + element * stride_, codes_[element]) & (wanted - 1);
    while (table_[at] != kNone) at = (at + 1) & (wanted - 1);
    table_[at] = element;
  }
}

}  // namespace vann::hnsw
