// page.hpp — the on-disk format of an hnsw index, whole. PostgreSQL-free, so that unit tests can encode,
// decode and damage pages.
// Read README.md, "On-disk structure", first. A change here is a change of kFormatVersion and a line
// in README.md, "Format history".
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "am/common/page_format.hpp"
#include "core/quantize/query.hpp"

namespace vann::hnsw {

using am::geometry_of;
using am::HeapTid;
using am::kPageBytes;
using am::kPageHeaderBytes;
using am::kSpecialBytes;
using am::kUsableBytes;
using am::Metric;

inline constexpr uint32_t kMagic = 0x484e5641;  // "AVNH" in little-endian byte order
inline constexpr uint16_t kFormatVersion = 1;

inline constexpr uint32_t kMetaBlock = 0;
inline constexpr uint32_t kNoRecord = 0xffffffffu;

// Page kinds: numbers are never reused.
inline constexpr uint16_t kMetaPage = 1;
inline constexpr uint16_t kMeanPage = 2;
inline constexpr uint16_t kRecordPage = 3;

// In the special space of every page (am::PageSpecial).
inline constexpr uint16_t kPageId = 0xffa7;

// Block 0, behind the page header. Everything but the entry point is frozen when the index is built.
// Changed under the page's exclusive lock; readers take the share lock.
struct MetaPage {
  uint32_t magic;
  uint16_t version;
  uint16_t page_bytes;       // kPageBytes of the build that wrote it
  uint64_t build_id;         // random; tells a cached copy from a rebuilt index
  uint64_t rotation_seed;
  uint32_t dims;             // of the indexed type
  uint32_t degree;           // neighbor slots per record, multiple of 32
  uint16_t m;                // reloptions at build time
  uint16_t ef_construction;
  uint8_t metric;            // Metric
  uint8_t reserved[3];
  // Layout: see Layout.
  uint32_t rotated_dims;
  uint32_t code_dims;
  uint32_t code_bits;
  uint32_t neighbor_dims;
  uint32_t neighbor_bits;
  uint32_t slots;            // records per page
  uint32_t stride;           // bytes per record
  uint32_t attribute_bytes;  // per heap TID; 0 in this version
  uint32_t signature_bytes;  // per neighbor; 0 in this version
  // The mean of the vectors, code_dims floats from this block on; 0 pages = a mean of zero.
  uint32_t mean_block;
  uint32_t mean_pages;
  uint32_t first_record_block;
  // Mutable: where searches start. level = -1: the index holds no element.
  uint32_t entry_record;
  int16_t entry_level;
  uint8_t entry_generation;
  uint8_t reserved2;
};
static_assert(std::is_trivially_copyable_v<MetaPage> && std::is_standard_layout_v<MetaPage>);
static_assert(sizeof(MetaPage) == 96 && offsetof(MetaPage, entry_record) == 88);

// Floats of the mean on one mean page.
inline constexpr size_t kMeanPageFloats = kUsableBytes / sizeof(float);
constexpr uint32_t mean_pages_for(uint32_t code_dims) noexcept {
  return static_cast<uint32_t>((code_dims + kMeanPageFloats - 1) / kMeanPageFloats);
}

inline constexpr uint32_t kInlineTids = 3;

enum class State : uint8_t {
  kFree = 0,      // never used
  kLive = 1,      // an element with heap TIDs, or its record on an upper level
  kDead = 2,      // an element without TIDs: passed through, never returned, never linked to
  kUnlinked = 3,  // no edge leads here; reusable once no snapshot is older than delete_xid
  kTids = 4,      // holds further heap TIDs of an element with many duplicates
};

// One slot of a record page, fixed stride, slot i at byte 24 + i * stride:
//
//    0        18 19 20 21 22   24    28      32        44
//   +----------+--+--+--+--+----+-----+-------+---------+------+-----------------------+-------+
//   | 3 TIDs   |st|ge|le|tc| nc |chain|element| factors | code | neighbor slots (SoA)  | tiles |
//   +----------+--+--+--+--+----+-----+-------+---------+------+-----------------------+-------+
//                                                              ids u32 | scale | offset |
//                                                              residual bf16 | gen u8
//
// An element has one record per level it reaches: the record at level 0 holds its TIDs, each record
// above names the one below. All records of an element hold the same code.
struct RecordHeader {
  HeapTid tids[kInlineTids];  // level 0: the first tid_count are valid
  uint8_t state;              // State
  uint8_t generation;         // +1 whenever the slot is reused; edges carry it
  uint8_t level;
  uint8_t tid_count;        // 0..kInlineTids
  uint16_t neighbor_count;  // slots [0, neighbor_count) are edges
  uint32_t chain;    // level 0: newest kTids record or kNoRecord; above: this element one level
                     // below; kTids: next older kTids record or kNoRecord
  uint32_t element;  // level 0: kNoRecord; above and kTids: the element's record at level 0
  quantize::CodeFactors factors;
};
static_assert(std::is_trivially_copyable_v<RecordHeader>);
static_assert(sizeof(RecordHeader) == 44 && offsetof(RecordHeader, state) == 18 &&
              offsetof(RecordHeader, chain) == 24 && offsetof(RecordHeader, factors) == 32);

// kUnlinked: the first eight bytes (the TIDs are gone) hold the transaction id that decides reuse.
inline constexpr size_t kDeleteXidOffset = 0;

// kTids: behind the header's first 32 bytes.
struct TidsHeader {
  uint32_t count;
};
inline constexpr size_t kTidsHeaderOffset = 32;
inline constexpr size_t kTidsOffset = kTidsHeaderOffset + sizeof(TidsHeader);

// Where everything lies in a record: computed from what the metapage freezes.
struct Layout {
  quantize::CodeShape shape;
  uint32_t rotated_dims;  // the rotation's coordinates, >= shape.dims
  uint32_t degree;
  uint32_t slots;
  uint32_t stride;
  // Byte offsets in a record.
  uint32_t code;
  uint32_t ids;
  uint32_t scales;
  uint32_t offsets;
  uint32_t residuals;
  uint32_t generations;
  uint32_t tiles;
  uint32_t tile_block_bytes;  // tiles of 32 neighbors

  uint32_t tids_capacity() const noexcept {
    return static_cast<uint32_t>((stride - kTidsOffset) / sizeof(HeapTid));
  }
  bool operator==(const Layout &) const = default;
};

// P(level >= l) = level_divisor^-l. Sparser than the paper's 1 / m, for a record on an upper level takes
// as much room as one at level 0, and a hop there costs as much (README.md, "Differences").
constexpr uint32_t level_divisor(uint32_t degree) noexcept { return 4 * degree; }
inline constexpr int kMaxLevel = 15;

// The layout for vectors of `dims` dimensions: the most records per page, then the most precise own
// code, then the widest neighbor codes (README.md, "On-disk structure").
// `degree` is a multiple of 32, at most 224.
Layout choose_layout(uint32_t dims, Metric metric, uint32_t degree) noexcept;

// Writes a layout into the fields of a metapage that describe it, and reads it back. False when its
// numbers contradict each other.
void describe_layout(const Layout &layout, uint32_t dims, Metric metric, MetaPage *meta) noexcept;
bool layout_from_meta(const MetaPage &meta, Layout *layout) noexcept;

// A record in a page, or in a copy. `Byte` is uint8_t or const uint8_t.
template <class Byte>
class BasicRecord {
 public:
  BasicRecord(Byte *data, const Layout &layout) noexcept : data_(data), layout_(&layout) {}

  template <class T>
  using Of = std::conditional_t<std::is_const_v<Byte>, const T, T>;

  Of<RecordHeader> &header() const noexcept { return *at<RecordHeader>(0); }
  State state() const noexcept { return static_cast<State>(header().state); }
  Byte *code() const noexcept { return data_ + layout_->code; }
  Of<uint32_t> *ids() const noexcept { return at<uint32_t>(layout_->ids); }
  Of<uint16_t> *scales() const noexcept { return at<uint16_t>(layout_->scales); }
  Of<uint16_t> *offsets() const noexcept { return at<uint16_t>(layout_->offsets); }
  Of<uint16_t> *residuals() const noexcept { return at<uint16_t>(layout_->residuals); }
  Byte *generations() const noexcept { return data_ + layout_->generations; }
  // Tiles of neighbors [32 * block, 32 * block + 32).
  Byte *tiles(uint32_t block) const noexcept {
    return data_ + layout_->tiles + size_t{block} * layout_->tile_block_bytes;
  }
  Of<TidsHeader> &tids_header() const noexcept { return *at<TidsHeader>(kTidsHeaderOffset); }
  Of<HeapTid> *chained_tids() const noexcept { return at<HeapTid>(kTidsOffset); }
  // Unaligned on purpose.
  Byte *delete_xid() const noexcept { return data_ + kDeleteXidOffset; }

  Byte *data() const noexcept { return data_; }
  const Layout &layout() const noexcept { return *layout_; }

  // True for a record that a search may pass through.
  bool traversable() const noexcept {
    const State s = state();
    return (s == State::kLive || s == State::kDead || s == State::kUnlinked) &&
           header().neighbor_count <= layout_->degree;
  }

 private:
  template <class T>
  Of<T> *at(size_t offset) const noexcept {
    return reinterpret_cast<Of<T> *>(data_ + offset);
  }

  Byte *data_;
  const Layout *layout_;
};

using Record = BasicRecord<uint8_t>;
using ConstRecord = BasicRecord<const uint8_t>;

// Record id = block * slots + slot.
constexpr uint32_t block_of(uint32_t record, const Layout &layout) noexcept {
  return record / layout.slots;
}
constexpr uint32_t slot_of(uint32_t record, const Layout &layout) noexcept {
  return record % layout.slots;
}
constexpr uint32_t record_id(uint32_t block, uint32_t slot, const Layout &layout) noexcept {
  return block * layout.slots + slot;
}

// The slot's record in a page image.
inline Record record_in(uint8_t *page, uint32_t slot, const Layout &layout) noexcept {
  return {page + kPageHeaderBytes + size_t{slot} * layout.stride, layout};
}
inline ConstRecord record_in(const uint8_t *page, uint32_t slot, const Layout &layout) noexcept {
  return {page + kPageHeaderBytes + size_t{slot} * layout.stride, layout};
}

}  // namespace vann::hnsw
