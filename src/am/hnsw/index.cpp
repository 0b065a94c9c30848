// index.cpp — opens indexes and makes vectors ready for codes. Locks: at most the share lock of one
// meta or mean page, released before return.
#include "am/hnsw/index.hpp"

extern "C" {
#include "miscadmin.h"
}

#include <cmath>

namespace vann::hnsw {

static_assert(sizeof(MetaPage) <= kUsableBytes);

namespace {

[[noreturn]] void report_bad_meta(Relation index, const char *detail) {
  ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                  errmsg("index \"%s\" is not a valid hnsw index", RelationGetRelationName(index)),
                  errdetail_internal("%s", detail), errhint("Please REINDEX it.")));
  pg_unreachable();
}

void check_meta(Relation index, const uint8_t *page) {
  if (page_is_new(page) || !page_is(page, kPageId, kMetaPage) ||
      meta_of(page)->magic != kMagic)
    report_bad_meta(index, "The metapage does not have the magic number.");
  const MetaPage &meta = *meta_of(page);
  if (meta.version != kFormatVersion || meta.page_bytes != kPageBytes)
    ereport(ERROR,
            (errcode(ERRCODE_INDEX_CORRUPTED),
             errmsg("index \"%s\" has format version %u, but this vector_ann reads version %u",
                    RelationGetRelationName(index), meta.version, kFormatVersion),
             errhint("Please REINDEX it.")));
}

MetaPage read_meta(Relation index) {
  pg::LockedPage page(index, kMetaBlock, BUFFER_LOCK_SHARE);
  check_meta(index, page.bytes());
  return *meta_of(const_cast<const uint8_t *>(page.bytes()));
}

EntryPoint entry_point_in(const MetaPage &meta) {
  return {meta.entry_record, meta.entry_level, meta.entry_generation};
}

void read_mean(Relation index, const MetaPage &meta, float *mean) {
  for (uint32_t i = 0; i < meta.mean_pages; ++i) {
    const size_t done = i * kMeanPageFloats;
    const size_t count = std::min(kMeanPageFloats, meta.code_dims - done);
    pg::LockedPage page(index, meta.mean_block + i, BUFFER_LOCK_SHARE);
    if (!page_is(page.bytes(), kPageId, kMeanPage))
      report_bad_meta(index, "A mean page is damaged.");
    memcpy(mean + done, page.bytes() + kPageHeaderBytes, count * sizeof(float));
  }
}

// The cache of the relation, rebuilt when the file is not the one it was read from.
const IndexCache *cache_for(Relation index, const MetaPage &meta) {
  IndexCache *cached = static_cast<IndexCache *>(index->rd_amcache);
  if (cached != nullptr && cached->build_id == meta.build_id) return cached;
  IndexCache *built = make_cache(index, meta);
  read_mean(index, meta, built->mean());
  const size_t bytes = cache_bytes(*built);
  // One chunk in the relation's own context: relcache invalidation frees it.
  IndexCache *kept = static_cast<IndexCache *>(MemoryContextAlloc(index->rd_indexcxt, bytes));
  memcpy(kept, built, bytes);
  pfree(built);
  if (index->rd_amcache != nullptr) pfree(index->rd_amcache);
  index->rd_amcache = kept;
  return kept;
}

void rotate_to_prefix(const IndexCache &cache, float *x) {
  const Layout &layout = cache.layout;
  std::fill(x + cache.dims, x + layout.rotated_dims, 0.0f);
  cache.rotation().apply(x);
  if (layout.shape.dims == layout.rotated_dims) return;
  // A prefix stands for all dimensions: scaled so that distances agree in expectation.
  const float scale = std::sqrt(static_cast<float>(layout.rotated_dims) /
                                static_cast<float>(layout.shape.dims));
  for (uint32_t i = 0; i < layout.shape.dims; ++i) x[i] *= scale;
}

void centre(const IndexCache &cache, float *x) {
  const float *mean = cache.mean();
  for (uint32_t i = 0; i < cache.mean_floats; ++i) x[i] -= mean[i];
}

}  // namespace

size_t cache_bytes(const IndexCache &cache) {
  return sizeof(IndexCache) + cache.sign_words * sizeof(uint64_t) +
         cache.mean_floats * sizeof(float);
}

IndexCache *make_cache(Relation index, const MetaPage &meta) {
  Layout layout;
  const size_t mean_needed = meta.mean_pages == 0 ? 0 : mean_pages_for(meta.code_dims);
  if (!layout_from_meta(meta, &layout) || meta.mean_pages != mean_needed)
    report_bad_meta(index, "The metapage contradicts itself.");
  IndexCache shape{};
  shape.build_id = meta.build_id;
  shape.dims = meta.dims;
  shape.m = meta.m;
  shape.ef_construction = meta.ef_construction;
  shape.first_record_block = meta.first_record_block;
  shape.metric = static_cast<Metric>(meta.metric);
  shape.layout = layout;
  shape.sign_words = static_cast<uint32_t>(quantize::rotation_words(layout.rotated_dims));
  shape.mean_floats = meta.mean_pages == 0 ? 0 : meta.code_dims;

  IndexCache *cache = static_cast<IndexCache *>(palloc0(cache_bytes(shape)));
  *cache = shape;
  quantize::make_rotation_signs(meta.rotation_seed, layout.rotated_dims,
                                const_cast<uint64_t *>(cache->rotation().signs));
  return cache;
}

Index open_index(Relation relation) {
  // Looks into the catalogs, so it stands before the relation's cache is used.
  const OperatorClass &opclass = operator_class_of(relation);
  const MetaPage meta = read_meta(relation);
  const IndexCache *cached = cache_for(relation, meta);
  const size_t bytes = cache_bytes(*cached);
  IndexCache *cache = static_cast<IndexCache *>(palloc(bytes));
  memcpy(cache, cached, bytes);
  return {relation, cache, &opclass, entry_point_in(meta)};
}

EntryPoint read_entry_point(Relation relation) { return entry_point_in(read_meta(relation)); }

void report_corrupt_record(Relation index, uint32_t record) {
  ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                  errmsg("index \"%s\" contains an invalid reference to record %u",
                         RelationGetRelationName(index), record),
                  errhint("Please REINDEX it.")));
  pg_unreachable();
}

void prepare_element(const Index &index, Datum value, float *out) {
  const IndexCache &cache = *index.cache;
  am::to_floats(*index.opclass, value, static_cast<int>(cache.dims), out);
  bool zero;
  if (cache.metric == Metric::kCosine) am::normalize(out, cache.dims, &zero);
  rotate_to_prefix(cache, out);
  centre(cache, out);
}

void prepare_search_vector(const Index &index, Datum value, float *out, bool *zero) {
  const IndexCache &cache = *index.cache;
  am::to_floats(*index.opclass, value, static_cast<int>(cache.dims), out);
  *zero = false;
  if (cache.metric == Metric::kCosine) am::normalize(out, cache.dims, zero);
  rotate_to_prefix(cache, out);
  if (cache.metric != Metric::kInnerProduct) centre(cache, out);
}

}  // namespace vann::hnsw
