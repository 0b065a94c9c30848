// model.hpp — a trained index without rows: what every process that scans the table needs. One piece of
// memory without pointers into itself, to be copied to workers.
#pragma once

#include "am/ivfpq/build/train.hpp"

namespace vann::ivfpq {

struct BuildModel {
  size_t bytes;  // of all
  MetaPage meta;
  BlockNumber end_block;  // behind the chains of the model
  uint32_t lists;
  uint32_t cells;
  size_t cache_at;    // byte offsets: IndexCache
  size_t factors_at;  // CodeFactors [lists]
  size_t codes_at;    // [lists][code_bytes] of the records
  size_t begin_at;    // first list of each cell, [cells + 1]
  size_t
      cells_at;  // centroids of cells, [cells][rotated_dims], in the space where rows are assigned

  template <class T>
  T *part(size_t at) const {
    return reinterpret_cast<T *>(const_cast<uint8_t *>(reinterpret_cast<const uint8_t *>(this)) +
                                 at);
  }
  IndexCache *cache() const { return part<IndexCache>(cache_at); }
  const Layout &layout() const { return cache()->layout; }
  quantize::CodeFactors *factors() const { return part<quantize::CodeFactors>(factors_at); }
  size_t code_bytes() const {
    return quantize::code_bytes(layout().rotated_dims, layout().centroids.code_bits);
  }
  uint8_t *code(uint32_t list) const { return part<uint8_t>(codes_at) + list * code_bytes(); }
  uint32_t *cell_begin() const { return part<uint32_t>(begin_at); }
  float *cell_centroids() const { return part<float>(cells_at); }

  // The centroid as its code says it: rotated_dims floats.
  void anchor(uint32_t list, float *out) const {
    quantize::decode_planes(code(list), factors()[list], layout().rotated_dims,
                            layout().centroids.code_bits, out);
  }
};

// Palloc's the model of an index that begins with the metapage `meta`: codes the centroids, takes over what
// was learned, and says in which blocks behind the metapage that will lie. `mean`: before any learned
// rotation, rotated_dims floats.
BuildModel *make_model(Relation index, MetaPage meta, const float *mean, const Training &training);

}  // namespace vann::ivfpq
