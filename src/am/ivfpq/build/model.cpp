// model.cpp — see model.hpp.
#include "am/ivfpq/build/model.hpp"

#include "am/ivfpq/lists.hpp"

extern "C" {
#include "miscadmin.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

constexpr size_t kAlignment = 64;

size_t take(size_t *end, size_t bytes) {
  const size_t at = *end;
  *end = (at + bytes + kAlignment - 1) / kAlignment * kAlignment;
  return at;
}

// What training has learned goes where scans will find it.
void fill_cache(const float *mean, const Training &training, IndexCache *cache) {
  std::copy_n(mean, cache->mean_floats, const_cast<float *>(cache->mean()));
  std::copy(training.rotation.begin(), training.rotation.end(),
            const_cast<float *>(cache->matrix()));
  if (!training.codebooks.empty())
    std::copy(training.codebooks.begin(), training.codebooks.end(),
              const_cast<float *>(cache->codebooks()));
}

void code_centroids(const BuildModel &model, const Training &training) {
  float *centroid = static_cast<float *>(palloc(model.layout().rotated_dims * sizeof(float)));
  for (uint32_t list = 0; list < model.lists; ++list) {
    CHECK_FOR_INTERRUPTS();
    training.anchor(list, centroid);
    model.factors()[list] = encode_centroid(model.layout(), centroid, model.code(list));
  }
  pfree(centroid);
}

// Lets the metapage say what of the model is stored, in blocks behind it. Returns the block behind them.
BlockNumber place_model(const Layout &layout, const Training &training, MetaPage *meta) {
  BlockNumber next = kMetaBlock + 1;
  const auto place = [&next](size_t floats) {
    const BlockNumber head = next;
    next += static_cast<BlockNumber>((floats + kModelPageFloats - 1) / kModelPageFloats);
    return head;
  };
  if (static_cast<Metric>(meta->metric) != Metric::kInnerProduct)
    meta->mean_block = place(layout.rotated_dims);
  if (!training.rotation.empty()) meta->rotation_block = place(training.rotation.size());
  if (!training.codebooks.empty()) {
    meta->codebook_block = place(training.codebooks.size());
    meta->codebook_version = 1;
  }
  meta->error_scale = training.error_scale;
  return next;
}

}  // namespace

BuildModel *make_model(Relation index, MetaPage meta, const float *mean, const Training &training) {
  Layout layout;
  layout_from_meta(meta, &layout);
  const BlockNumber end = place_model(layout, training, &meta);
  IndexCache *cache = make_cache(index, meta);
  fill_cache(mean, training, cache);
  const cluster::Centroids &centroids = training.centroids;
  const size_t code =
      quantize::code_bytes(cache->layout.rotated_dims, cache->layout.centroids.code_bits);
  BuildModel sizes{};
  sizes.meta = meta;
  sizes.end_block = end;
  sizes.lists = centroids.count;
  sizes.cells = static_cast<uint32_t>(centroids.cell_count());
  take(&sizes.bytes, sizeof(BuildModel));
  sizes.cache_at = take(&sizes.bytes, cache_bytes(*cache));
  sizes.factors_at = take(&sizes.bytes, sizes.lists * sizeof(quantize::CodeFactors));
  sizes.codes_at = take(&sizes.bytes, sizes.lists * code);
  sizes.begin_at = take(&sizes.bytes, centroids.cell_begin.size() * sizeof(uint32_t));
  sizes.cells_at = take(&sizes.bytes, centroids.cells.size() * sizeof(float));

  BuildModel *model = reinterpret_cast<BuildModel *>(
      pg::allocate_aligned<uint8_t, kAlignment>(CurrentMemoryContext, sizes.bytes));
  *model = sizes;
  memcpy(model->cache(), cache, cache_bytes(*cache));
  pfree(cache);
  std::copy(centroids.cell_begin.begin(), centroids.cell_begin.end(), model->cell_begin());
  std::copy(centroids.cells.begin(), centroids.cells.end(), model->cell_centroids());
  code_centroids(*model, training);
  return model;
}

}  // namespace vann::ivfpq
