// index.cpp — opens indexes and makes vectors ready for codes. Locks: at most the share lock of one meta or
// model page, released before return.
#include "am/ivfpq/index.hpp"

#include "am/ivfpq/lists.hpp"
#include "am/ivfpq/model_cache.hpp"
#include "core/codebook/codebooks.hpp"

#include <algorithm>
#include <cmath>

namespace vann::ivfpq {

namespace {

[[noreturn]] void report_bad_meta(Relation index, const char *detail) {
  ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                  errmsg("index \"%s\" is not a valid ivfpq index", RelationGetRelationName(index)),
                  errdetail_internal("%s", detail), errhint("Please REINDEX it.")));
  pg_unreachable();
}

void check_meta(Relation index, const uint8_t *page) {
  if (!page_is(page, kMetaPage) || meta_of(page)->magic != kMagic)
    report_bad_meta(index, "The metapage does not have the magic number.");
  const MetaPage &meta = *meta_of(page);
  if (meta.version != kFormatVersion || meta.page_bytes != kPageBytes)
    ereport(ERROR,
            (errcode(ERRCODE_INDEX_CORRUPTED),
             errmsg("index \"%s\" has format version %u, but this vector_ann reads version %u",
                    RelationGetRelationName(index), meta.version, kFormatVersion),
             errhint("Please REINDEX it.")));
}

void read_model(Relation relation, const MetaPage &meta, IndexCache *cache) {
  const Index index{relation, cache, nullptr, meta};
  const auto part = [&](BlockNumber head, const float *out, uint32_t count) {
    if (head != kNoBlock) read_floats(index, head, const_cast<float *>(out), count);
  };
  part(meta.mean_block, cache->mean(), cache->mean_floats);
  part(meta.rotation_block, cache->matrix(), cache->matrix_floats);
  part(meta.codebook_block, cache->codebooks(), cache->codebook_floats);
}

const IndexCache *cache_for(Relation relation, const MetaPage &meta) {
  const ModelKey key = model_key(meta);
  const IndexCache *kept = find_model(key, CurrentMemoryContext);
  if (kept != nullptr) return kept;
  IndexCache *built = make_cache(relation, meta);
  read_model(relation, meta, built);
  kept = keep_model(key, *built, CurrentMemoryContext);
  pfree(built);
  return kept;
}

void rotate(const IndexCache &cache, float *x) {
  const uint32_t dims = cache.layout.rotated_dims;
  std::fill(x + cache.dims, x + dims, 0.0f);
  if (cache.rotation_kind != RotationKind::kNone) cache.rotation().apply(x);
}

}  // namespace

size_t cache_bytes(const IndexCache &cache) {
  return sizeof(IndexCache) + cache.sign_words * sizeof(uint64_t) +
         (size_t{cache.mean_floats} + cache.matrix_floats + cache.codebook_floats) * sizeof(float);
}

IndexCache *make_cache(Relation relation, const MetaPage &meta) {
  IndexCache shape{};
  if (!layout_from_meta(meta, &shape.layout) ||
      meta.rotation > static_cast<uint8_t>(RotationKind::kLearned) || meta.depth < 1 ||
      meta.depth > 2)
    report_bad_meta(relation, "The metapage contradicts itself.");
  const Layout &layout = shape.layout;
  shape.build_id = meta.build_id;
  shape.dims = meta.dims;
  shape.metric = static_cast<Metric>(meta.metric);
  shape.rotation_kind = static_cast<RotationKind>(meta.rotation);
  shape.codebook_version = meta.codebook_version;
  shape.error_scale = meta.error_scale;
  shape.has_mean = meta.mean_block != kNoBlock;
  const bool random = shape.rotation_kind != RotationKind::kNone;
  shape.sign_words =
      random ? static_cast<uint32_t>(quantize::rotation_words(layout.rotated_dims)) : 0;
  shape.mean_floats = layout.rotated_dims;
  shape.matrix_floats =
      meta.rotation_block != kNoBlock ? layout.rotated_dims * layout.rotated_dims : 0;
  shape.codebook_floats = static_cast<uint32_t>(quantize::codebook_floats(layout.rows));

  IndexCache *cache = static_cast<IndexCache *>(MemoryContextAllocExtended(
      CurrentMemoryContext, cache_bytes(shape), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
  *cache = shape;
  if (random)
    quantize::make_rotation_signs(meta.rotation_seed, layout.rotated_dims,
                                  const_cast<uint64_t *>(cache->signs()));
  if (shape.codebook_floats > 0 && meta.codebook_block == kNoBlock)
    codebook::sign_codebooks(layout.rows, const_cast<float *>(cache->codebooks()));
  return cache;
}

MetaPage read_meta(Relation relation) {
  pg::LockedPage page(relation, kMetaBlock, BUFFER_LOCK_SHARE);
  check_meta(relation, page.bytes());
  return *meta_of(const_cast<const uint8_t *>(page.bytes()));
}

Index open_index(Relation relation) {
  // Looks into the catalogs, so it stands before the relation's cache is used.
  const am::OperatorClass &opclass = am::operator_class_of(relation);
  const MetaPage meta = read_meta(relation);
  return {relation, cache_for(relation, meta), &opclass, meta};
}

void refresh_index(Index *index, MemoryContext context) {
  const MetaPage meta = read_meta(index->relation);
  const bool same = meta.build_id == index->meta.build_id &&
                    meta.codebook_version == index->meta.codebook_version &&
                    (meta.mean_block != kNoBlock) == index->cache->has_mean;
  index->meta = meta;
  if (same) return;
  pg::ContextScope scope(context);
  index->cache = cache_for(index->relation, meta);
}

void report_corrupt(const Index &index, BlockNumber block, const char *what) {
  ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                  errmsg("index \"%s\" is damaged at block %u",
                         RelationGetRelationName(index.relation), block),
                  errdetail_internal("%s", what), errhint("Please REINDEX it.")));
  pg_unreachable();
}

pg::LockedPage lock_any_page(const Index &index, BlockNumber block, int mode) {
  if (block >= index.blocks) index.blocks = RelationGetNumberOfBlocks(index.relation);
  if (block == kMetaBlock || block >= index.blocks)
    report_corrupt(index, block, "A reference leads beyond the end of the index.");
  return pg::LockedPage(index.relation, block, mode);
}

pg::LockedPage lock_page(const Index &index, BlockNumber block, uint16_t kind, int mode) {
  pg::LockedPage page = lock_any_page(index, block, mode);
  if (!page_is(page.bytes(), kind))
    report_corrupt(index, block, "The page is not of the kind that a reference expects.");
  return page;
}

void prepare_floats(const IndexCache &cache, float *out, bool *zero) {
  *zero = false;
  if (cache.metric == Metric::kCosine) am::normalize(out, cache.dims, zero);
  rotate(cache, out);
  // Under the inner product a shift would change what queries are compared with.
  if (cache.metric == Metric::kInnerProduct || !cache.has_mean) return;
  const float *mean = cache.mean();
  for (uint32_t i = 0; i < cache.mean_floats; ++i) out[i] -= mean[i];
}

void prepare_vector(const Index &index, Datum value, float *out, bool *zero) {
  am::to_floats(*index.opclass, value, static_cast<int>(index.cache->dims), out);
  prepare_floats(*index.cache, out, zero);
}

void keep_finite(float *centre, uint32_t dims) {
  std::replace_if(
      centre, centre + dims, [](float x) { return !std::isfinite(x); }, 0.0f);
}

}  // namespace vann::ivfpq
