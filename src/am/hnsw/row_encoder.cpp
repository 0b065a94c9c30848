// row_encoder.cpp — see row_encoder.hpp.
#include "am/hnsw/row_encoder.hpp"

extern "C" {
#include "utils/snapmgr.h"
}

namespace vann::hnsw {

RowEncoder::RowEncoder(const Index &index, Relation heap, MemoryContext context)
    : index_(index),
      row_context_(AllocSetContextCreate(context, "hnsw build row", ALLOCSET_DEFAULT_SIZES)),
      prepared_(pg::allocate_aligned<float>(context, rotated_floats(*index.cache))),
      values_(pg::allocate_aligned<int8_t>(context, values_bytes())) {
  toast_.init(heap, context);
}

const float *RowEncoder::prepare(Datum value) {
  {
    pg::ContextScope scope(row_context_);
    // Builds see rows that only older snapshots see; their chunks are still there as well.
    prepare_element(index_, toast_.plain(value, SnapshotAny), prepared_);
  }
  MemoryContextReset(row_context_);
  return prepared_;
}

quantize::ByteCode RowEncoder::encode(Datum value) {
  return quantize::encode_bytes(prepare(value), index_.layout().shape.dims, values_);
}

}  // namespace vann::hnsw
