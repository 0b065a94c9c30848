// index.hpp — an open hnsw index as the other files see it: the metapage's frozen part cached per
// relation, vectors made ready for codes, and checked access to records.
#pragma once

#include "pg/memory.hpp"
#include "pg/page.hpp"

#include "am/common/opclass.hpp"
#include "am/common/pages.hpp"
#include "am/hnsw/page.hpp"
#include "core/quantize/rotation.hpp"

namespace vann::hnsw {

using am::ElementType;
using am::from_heap_tid;
using am::indexed_dims;
using am::init_page;
using am::OperatorClass;
using am::operator_class_of;
using am::page_is;
using am::page_is_new;
using am::swept_page;
using am::tid_key;
using am::to_heap_tid;

// In messages.
inline constexpr const char *kAccessMethod = "hnsw";

// The frozen part of the metapage, unpacked; never changes while an index file lives. rd_amcache
// keeps one per relation, which any catalog access may free (another session's VACUUM invalidates the
// relation): views hold copies.
struct IndexCache {
  uint64_t build_id;
  uint32_t dims;
  uint32_t m;
  uint32_t ef_construction;
  uint32_t first_record_block;
  Metric metric;
  Layout layout;
  uint32_t sign_words;
  uint32_t mean_floats;  // 0 = the mean is zero
  // Followed by sign_words uint64_t and mean_floats floats.

  quantize::Rotation rotation() const {
    return {layout.rotated_dims, reinterpret_cast<const uint64_t *>(this + 1)};
  }
  const float *mean() const {
    return reinterpret_cast<const float *>(reinterpret_cast<const uint64_t *>(this + 1) +
                                           sign_words);
  }
  float *mean() {
    return reinterpret_cast<float *>(reinterpret_cast<uint64_t *>(this + 1) + sign_words);
  }
};

// Where a search starts. level < 0: the index is empty.
struct EntryPoint {
  uint32_t record;
  int level;
  uint8_t generation;
};

// A view of an open relation: cheap to copy, owns nothing.
struct Index {
  Relation relation;
  const IndexCache *cache;  // in the memory context that was current when the view was opened
  const OperatorClass *opclass;
  EntryPoint entry;  // as the metapage had it when the view was opened
  // How long the file is at least: blocks beyond are looked up once more before they count as damage.
  mutable BlockNumber blocks = 0;

  const Layout &layout() const { return cache->layout; }
};

// Palloc's the cache that a metapage describes, its mean still zero. ERROR when the metapage contradicts
// itself.
IndexCache *make_cache(Relation index, const MetaPage &meta);

// A cache is one piece of memory without pointers: this many bytes, which may be copied.
size_t cache_bytes(const IndexCache &cache);

// Reads the metapage (share lock, released before return) and palloc's the view's cache. ERROR,
// SQLSTATE index_corrupted, when it is not one of ours or of another version, with a HINT to REINDEX.
Index open_index(Relation relation);

// The metapage's entry point as it is now; the same lock and ERRORs.
EntryPoint read_entry_point(Relation relation);

[[noreturn]] void report_corrupt_record(Relation index, uint32_t record);

// Number of floats that `prepare_*` need as scratch.
inline size_t rotated_floats(const IndexCache &cache) { return cache.layout.rotated_dims; }

// An indexed value as codes see it: normalized (cosine), rotated, cut to the coded prefix and centred.
// `out` has rotated_floats(); the first layout.shape.dims are the result. A zero vector under cosine
// stays zero before centring.
void prepare_element(const Index &index, Datum value, float *out);

// A query: as an element, but not centred under the inner product. `*zero` tells a zero vector.
void prepare_search_vector(const Index &index, Datum value, float *out, bool *zero);

// The page of a record, locked, and the record in it. ERROR when the id lies outside the index.
class RecordPage {
 public:
  RecordPage(const Index &index, uint32_t record, int mode)
      : page_(index.relation, checked_block(index, record), mode),
        layout_(&index.layout()),
        slot_(slot_of(record, index.layout())) {}

  ConstRecord record() const {
    return record_in(const_cast<const uint8_t *>(page_.bytes()), slot_, *layout_);
  }
  // The same record in a working copy of the page.
  Record record_in_copy(uint8_t *copy) const { return record_in(copy, slot_, *layout_); }
  const pg::LockedPage &page() const { return page_; }
  void release() { page_.release(); }

 private:
  static BlockNumber checked_block(const Index &index, uint32_t record) {
    const BlockNumber block = block_of(record, index.layout());
    if (block >= index.blocks) index.blocks = RelationGetNumberOfBlocks(index.relation);
    if (block < index.cache->first_record_block || block >= index.blocks)
      report_corrupt_record(index.relation, record);
    return block;
  }

  pg::LockedPage page_;
  const Layout *layout_;
  uint32_t slot_;
};

inline MetaPage *meta_of(uint8_t *page) {
  return reinterpret_cast<MetaPage *>(page + kPageHeaderBytes);
}
inline const MetaPage *meta_of(const uint8_t *page) {
  return reinterpret_cast<const MetaPage *>(page + kPageHeaderBytes);
}

}  // namespace vann::hnsw
