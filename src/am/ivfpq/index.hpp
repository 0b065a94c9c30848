// index.hpp — an open ivfpq index as the other files see it: the metapage's frozen part and the model, cached
// by the backend; vectors made ready for codes.
#pragma once

#include "pg/memory.hpp"
#include "pg/page.hpp"

#include "am/common/opclass.hpp"
#include "am/common/pages.hpp"
#include "am/ivfpq/page.hpp"
#include "core/quantize/rotation.hpp"

namespace vann::ivfpq {

inline constexpr const char *kAccessMethod = "ivfpq";

// Frozen parts of the metapage, and the model. One piece of memory without pointers into itself: processes
// of a build share it.
struct IndexCache {
  uint64_t build_id;
  uint32_t dims;
  Metric metric;
  RotationKind rotation_kind;
  uint8_t codebook_version;
  bool has_mean;
  float error_scale;
  Layout layout;
  // What stands behind this struct, in this order: sign words, mean, learned rotation, codebooks.
  uint32_t sign_words;
  uint32_t mean_floats;
  uint32_t matrix_floats;
  uint32_t codebook_floats;

  const uint64_t *signs() const { return reinterpret_cast<const uint64_t *>(this + 1); }
  const float *mean() const { return reinterpret_cast<const float *>(signs() + sign_words); }
  const float *matrix() const { return mean() + mean_floats; }
  const float *codebooks() const { return matrix() + matrix_floats; }
  quantize::Rotation rotation() const { return {layout.rotated_dims, signs()}; }
  quantize::ListModel model() const {
    return {layout.rows, codebooks(), matrix_floats > 0 ? matrix() : nullptr, error_scale};
  }
};

// A view of an open relation: cheap to copy, owns nothing.
struct Index {
  Relation relation;
  const IndexCache *cache;  // held by the memory context that was current when the view was opened
  const am::OperatorClass *opclass;
  MetaPage meta;                   // as it was when the view was opened
  mutable BlockNumber blocks = 0;  // how long the file is at least

  const Layout &layout() const { return cache->layout; }
  quantize::ListModel model() const { return cache->model(); }
};

// Palloc's a cache for a metapage, with room for the model that the metapage names; signs are made,
// floats are zero (codebooks: sign codebooks when none are stored). ERROR when it contradicts itself.
IndexCache *make_cache(Relation index, const MetaPage &meta);
size_t cache_bytes(const IndexCache &cache);

// Reads the metapage (share lock, released) and the model, or takes the cached one. ERROR
// index_corrupted, with a HINT to REINDEX, when it is not one of ours.
Index open_index(Relation relation);
// Reads the metapage of a view again, and the model if that has changed; `context` then holds it.
void refresh_index(Index *index, MemoryContext context);
MetaPage read_meta(Relation relation);

inline MetaPage *meta_of(uint8_t *page) { return at<MetaPage>(page, kPageHeaderBytes); }
inline const MetaPage *meta_of(const uint8_t *page) { return at<MetaPage>(page, kPageHeaderBytes); }

inline void init_page(uint8_t *page, uint16_t kind) { am::init_page(page, kPageId, kind); }
inline bool page_is(const uint8_t *page, uint16_t kind) { return am::page_is(page, kPageId, kind); }

// A block of the main fork, locked, of the kind that is expected. ERROR index_corrupted if the block lies
// beyond the file or is of another kind.
pg::LockedPage lock_page(const Index &index, BlockNumber block, uint16_t kind, int mode);
// The same, but an unexpected kind is the caller's to judge.
pg::LockedPage lock_any_page(const Index &index, BlockNumber block, int mode);

[[noreturn]] void report_corrupt(const Index &index, BlockNumber block, const char *what);

// An indexed value as codes see it: normalized (cosine), rotated, centred (not for inner product). `out`:
// rotated_dims floats. A zero vector under cosine stays zero before centring; `*zero` tells.
void prepare_vector(const Index &index, Datum value, float *out, bool *zero);
// The same from floats of the indexed type in out[0, dims).
void prepare_floats(const IndexCache &cache, float *out, bool *zero);

// A centre made of rotated rows: rotating may have added up more than a float holds, and a centre that is not
// finite would make every code say nothing.
void keep_finite(float *centre, uint32_t dims);

}  // namespace vann::ivfpq
