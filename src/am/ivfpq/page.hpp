// page.hpp — the on-disk format of an ivfpq index, whole. PostgreSQL-free, so that unit tests can encode,
// decode and damage pages. Read README.md, "On-disk structure", first. A change here is a change of
// kFormatVersion and a line in README.md, "Format history".
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "am/common/page_format.hpp"
#include "core/quantize/list_code.hpp"
#include "core/quantize/query.hpp"

namespace vann::ivfpq {

using am::HeapTid;
using am::kPageBytes;
using am::kPageHeaderBytes;
using am::kUsableBytes;
using am::Metric;

inline constexpr uint32_t kMagic = 0x49564156;  // "VAVI" in little-endian byte order
inline constexpr uint16_t kFormatVersion = 1;
inline constexpr uint16_t kPageId = 0xffa8;

inline constexpr uint32_t kMetaBlock = 0;
inline constexpr uint32_t kNoBlock = 0xffffffffu;
inline constexpr uint32_t kNoList = 0xffffffffu;
inline constexpr uint32_t kBlockRows = static_cast<uint32_t>(simd::kScanWidth);

// Page kinds: numbers are never reused.
inline constexpr uint16_t kMetaPage = 1;
inline constexpr uint16_t kModelPage = 2;
inline constexpr uint16_t kListPage = 3;
inline constexpr uint16_t kDirectoryPage = 4;
inline constexpr uint16_t kScanPage = 5;
inline constexpr uint16_t kRefinePage = 6;
inline constexpr uint16_t kFreePage = 7;

enum class RotationKind : uint8_t { kRandom = 0, kNone = 1, kLearned = 2 };

// Block 0, behind the page header. Changed under the page's exclusive lock; readers take the share lock.
struct MetaPage {
  uint32_t magic;
  uint16_t version;
  uint16_t page_bytes;
  uint64_t build_id;  // random; tells a cached copy from a rebuilt index
  uint64_t rotation_seed;
  // What rows are, and how they are coded: see Layout. Frozen when the index is created.
  uint32_t dims;
  uint32_t rotated_dims;
  uint8_t metric;    // Metric
  uint8_t codec;     // quantize::Codec
  uint8_t rotation;  // RotationKind
  uint8_t refine_bits;
  uint32_t subvectors;
  uint32_t scan_dims;
  uint8_t anchor_bits;
  uint8_t centroid_bits;
  uint16_t attribute_bytes;  // per row; 0 in this version
  uint32_t centroid_dims;
  uint32_t wanted_lists;  // option `lists`; 0 = by the number of rows
  // The model: heads of chains of model pages, kNoBlock = none. Each is written once: by the build, the
  // mean by the first insert into an empty index, codebooks also by maintenance.
  uint32_t mean_block;       // rotated_dims floats; none = a mean of zero
  uint32_t rotation_block;   // rotated_dims^2 floats, a rotation learned for product codes
  uint32_t codebook_block;   // codebook_floats(shape)
  uint8_t codebook_version;  // 0 = sign codebooks, which no page holds
  uint8_t depth;             // 1 = the root holds lists; 2 = it holds cells, which hold lists
  uint16_t reserved;
  uint32_t root;            // list record
  uint32_t list_pages;      // newest list page, head of their chain
  uint32_t free_list_page;  // a list page that may have a free slot: a hint
  // What was measured when lists were trained last.
  uint32_t probes;        // that find 95 % of the 10 nearest of a sampled row; 0 = not measured
  float trained_error;    // mean squared error factor of rows' scan codes
  uint64_t trained_rows;  // rows of the table then
  // By how much errors of scan codes are larger than if they were spread evenly; changes with the codebooks.
  float error_scale;
  uint32_t reserved2;
};
static_assert(std::is_trivially_copyable_v<MetaPage> && std::is_standard_layout_v<MetaPage>);
static_assert(sizeof(MetaPage) == 112 && offsetof(MetaPage, dims) == 24 &&
              offsetof(MetaPage, mean_block) == 56 && offsetof(MetaPage, trained_rows) == 96);
static_assert(sizeof(MetaPage) <= kUsableBytes);

// Model page: this header, then floats.
struct ModelHeader {
  uint32_t next;  // page of the chain, or kNoBlock
  uint32_t count;
};
inline constexpr size_t kModelPageFloats = (kUsableBytes - sizeof(ModelHeader)) / sizeof(float);

enum class ListState : uint8_t {
  kFree = 0,      // never used, or given up
  kLive = 1,      // in the directory
  kBuilding = 2,  // takes rows, but is not in the directory yet; of no use after a crash
  kRetired = 3,   // not in the directory any more; its chain is read by scans older than delete_xid
  kAnchor = 4,    // without a chain: blocks of other lists are coded against it
};

// List page: this header, then slots.
struct ListPageHeader {
  uint32_t next;  // older list page, or kNoBlock
  uint32_t reserved;
};

// ListRecord::flags: the list has what a split left of one that it could not divide, because rows are alike.
inline constexpr uint8_t kIndivisible = 1;

// A list: its centroid and its chain of pages. Slot i of a list page is at byte 32 + i * list_stride; list
// id = block * list_slots + slot. The centroid, as its code says it, is the anchor of the rows that come
// to the list; it never changes while a block is coded against it.
struct ListRecord {
  uint8_t state;  // ListState
  uint8_t level;  // 0 = rows; 1 = lists; 2 = cells
  uint8_t flags;  // kIndivisible
  uint8_t reserved;
  uint32_t head;          // first page of the chain, never kNoBlock but in kAnchor and kFree
  uint32_t open;          // where an insert begins to look for room: a page of the chain
  uint32_t parent;        // the list whose chain has this list's entry; kNoList for the root
  uint64_t delete_xid;    // kRetired: when the chain may be reused
  uint32_t written_rows;  // rows when the list was written
  float written_error;    // and their mean squared error factor; drift is measured against it
  float
      written_norm;  // inner product: mean length of its rows, of which the centroid has the direction
  quantize::CodeFactors factors;
};  // followed by the code: code_bytes(rotated_dims, anchor_bits)
static_assert(std::is_trivially_copyable_v<ListRecord> && sizeof(ListRecord) == 48 &&
              offsetof(ListRecord, delete_xid) == 16 && offsetof(ListRecord, factors) == 36);

// Scan pages and directory pages: chains of blocks of 32.
inline constexpr uint8_t kSealed = 1;  // takes no more rows: they are being copied to other lists
inline constexpr uint8_t kClosed =
    2;  // last page of a retired chain: look into the directory again
inline constexpr uint8_t kMoving = 4;  // copies of some rows are on their way to other lists

// Behind the page header of a scan page; followed by refine_pages block numbers (kNoBlock = not yet
// needed), then, at block_begin, the blocks.
struct ScanHeader {
  uint32_t list;  // that the page belongs to
  uint32_t next;  // page of the chain, or kNoBlock
  uint8_t flags;
  uint8_t codebook_version;
  uint16_t reserved;
  uint32_t removals;  // first page of a directory list: how many entries have gone out of its chain
  uint64_t moved_xid;  // rows in `moved` may go once no snapshot is older
};
static_assert(sizeof(ScanHeader) == 24);

// 32 rows, structure of arrays:
//
//    0      4      8       12          16       codes          +64      +128     +192      +384
//   +------+------+-------+-----------+--------+--------------+--------+--------+---------+------+
//   | live | moved| anchor| reserved  |  tiles / bytes        | scales | offsets| errors  | TIDs |
//   +------+------+-------+-----------+-----------------------+--------+--------+---------+------+
//
// A row exists when its bit in `live` is set. `moved`, a subset, marks rows that have a copy in another
// list, left for scans that may have passed there before the copy came.
struct BlockHeader {
  uint32_t live;
  uint32_t moved;
  uint32_t
      anchor;  // list record whose decoded centroid the codes are relative to; kNoList = no row yet
  uint32_t reserved;
};
static_assert(sizeof(BlockHeader) == 16);

// Refine page: rows at stride refine_stride behind this header, row i of the scan page on its refine page
// i / refine_slots.
struct RefineHeader {
  uint32_t scan_page;  // that owns it
  uint32_t list;
};
inline constexpr size_t kRefineHeaderBytes = 8;
static_assert(sizeof(RefineHeader) == kRefineHeaderBytes);

// Directory page: ScanHeader, then blocks: the same header (anchor = the owner), 2- or 1-bit codes of
// centroids against the owner's decoded centroid, scales, offsets, lengths of residuals, lengths of the
// centroids (all bfloat16), list ids.

// Where everything lies: computed from what the metapage freezes.
struct Layout {
  quantize::ListShape rows;  // of level 0
  quantize::CodeShape
      centroids;  // code_bits = anchor_bits of list records, neighbor_* of directories
  uint32_t dims;  // of the indexed type
  uint32_t rotated_dims;
  // List pages.
  uint32_t list_stride;
  uint32_t list_slots;
  // Scan pages.
  uint32_t blocks;  // per page
  uint32_t block_bytes;
  uint32_t block_begin;  // byte of the first block on the page
  uint32_t scales;       // byte offsets in a block
  uint32_t offsets;
  uint32_t errors;
  uint32_t tids;
  uint32_t refine_pages;  // of one scan page
  uint32_t refine_stride;
  uint32_t refine_slots;
  // Directory pages.
  uint32_t directory_blocks;
  uint32_t directory_block_bytes;
  uint32_t directory_begin;
  uint32_t centroid_scales;
  uint32_t centroid_offsets;
  uint32_t centroid_residuals;
  uint32_t centroid_lengths;
  uint32_t centroid_lists;

  uint32_t page_rows() const noexcept { return blocks * kBlockRows; }
  uint32_t directory_page_rows() const noexcept { return directory_blocks * kBlockRows; }
  bool operator==(const Layout &) const = default;
};

inline constexpr uint32_t kTilesOffset = sizeof(BlockHeader);

// What a user may choose; 0 = by the dimensions.
struct LayoutOptions {
  quantize::Codec codec;
  uint32_t subvectors;
  uint32_t refine_bits;
};

// Computes every field. `dims` is what the type allows; refine_bits is lowered where rows would not fit
// on a page. See README.md, "Layout".
Layout choose_layout(uint32_t dims, Metric metric, const LayoutOptions &options) noexcept;

// Writes a layout into the fields of a metapage that describe it, and reads it back. False when its
// numbers contradict each other.
void describe_layout(const Layout &layout, Metric metric, MetaPage *meta) noexcept;
bool layout_from_meta(const MetaPage &meta, Layout *layout) noexcept;

// ---- Views of pages and page images. `Byte` is uint8_t or const uint8_t. ------------------------

template <class Byte, class T>
using Of = std::conditional_t<std::is_const_v<Byte>, const T, T>;

template <class T, class Byte>
Of<Byte, T> *at(Byte *data, size_t offset) noexcept {
  return reinterpret_cast<Of<Byte, T> *>(data + offset);
}

template <class Byte>
class BasicListView {
 public:
  explicit BasicListView(Byte *data) noexcept : data_(data) {}
  Of<Byte, ListRecord> &record() const noexcept { return *at<ListRecord>(data_, 0); }
  ListState state() const noexcept { return static_cast<ListState>(record().state); }
  Byte *code() const noexcept { return data_ + sizeof(ListRecord); }

 private:
  Byte *data_;
};
using ListView = BasicListView<uint8_t>;
using ConstListView = BasicListView<const uint8_t>;

template <class Byte>
Of<Byte, ListPageHeader> &list_page_header(Byte *page) noexcept {
  return *at<ListPageHeader>(page, kPageHeaderBytes);
}
template <class Byte>
BasicListView<Byte> list_in(Byte *page, uint32_t slot, const Layout &layout) noexcept {
  return BasicListView<Byte>(page + kPageHeaderBytes + sizeof(ListPageHeader) +
                             size_t{slot} * layout.list_stride);
}

// One block of a scan page.
template <class Byte>
class BasicBlock {
 public:
  BasicBlock(Byte *data, const Layout &layout) noexcept : data_(data), layout_(&layout) {}
  Of<Byte, BlockHeader> &header() const noexcept { return *at<BlockHeader>(data_, 0); }
  Byte *tiles() const noexcept { return data_ + kTilesOffset; }
  Of<Byte, uint16_t> *scales() const noexcept { return at<uint16_t>(data_, layout_->scales); }
  Of<Byte, uint16_t> *offsets() const noexcept { return at<uint16_t>(data_, layout_->offsets); }
  Of<Byte, uint16_t> *errors() const noexcept { return at<uint16_t>(data_, layout_->errors); }
  Of<Byte, HeapTid> *tids() const noexcept { return at<HeapTid>(data_, layout_->tids); }

 private:
  Byte *data_;
  const Layout *layout_;
};
using Block = BasicBlock<uint8_t>;
using ConstBlock = BasicBlock<const uint8_t>;

// One block of a directory page.
template <class Byte>
class BasicEntries {
 public:
  BasicEntries(Byte *data, const Layout &layout) noexcept : data_(data), layout_(&layout) {}
  Of<Byte, BlockHeader> &header() const noexcept { return *at<BlockHeader>(data_, 0); }
  Byte *tiles() const noexcept { return data_ + kTilesOffset; }
  Of<Byte, uint16_t> *scales() const noexcept {
    return at<uint16_t>(data_, layout_->centroid_scales);
  }
  Of<Byte, uint16_t> *offsets() const noexcept {
    return at<uint16_t>(data_, layout_->centroid_offsets);
  }
  Of<Byte, uint16_t> *residuals() const noexcept {
    return at<uint16_t>(data_, layout_->centroid_residuals);
  }
  Of<Byte, uint16_t> *lengths() const noexcept {
    return at<uint16_t>(data_, layout_->centroid_lengths);
  }
  Of<Byte, uint32_t> *lists() const noexcept {
    return at<uint32_t>(data_, layout_->centroid_lists);
  }

 private:
  Byte *data_;
  const Layout *layout_;
};
using Entries = BasicEntries<uint8_t>;
using ConstEntries = BasicEntries<const uint8_t>;

template <class Byte>
Of<Byte, ScanHeader> &scan_header(Byte *page) noexcept {
  return *at<ScanHeader>(page, kPageHeaderBytes);
}
// Block numbers of the refine pages of a scan page, [layout.refine_pages].
template <class Byte>
Of<Byte, uint32_t> *refine_blocks(Byte *page) noexcept {
  return at<uint32_t>(page, kPageHeaderBytes + sizeof(ScanHeader));
}
template <class Byte>
BasicBlock<Byte> block_in(Byte *page, uint32_t block, const Layout &layout) noexcept {
  return {page + layout.block_begin + size_t{block} * layout.block_bytes, layout};
}
template <class Byte>
BasicEntries<Byte> entries_in(Byte *page, uint32_t block, const Layout &layout) noexcept {
  return {page + layout.directory_begin + size_t{block} * layout.directory_block_bytes, layout};
}
template <class Byte>
Of<Byte, RefineHeader> &refine_header(Byte *page) noexcept {
  return *at<RefineHeader>(page, kPageHeaderBytes);
}
// A row of a refine page: factors, then planes.
template <class Byte>
Byte *refine_row_in(Byte *page, uint32_t slot, const Layout &layout) noexcept {
  return page + kPageHeaderBytes + kRefineHeaderBytes + size_t{slot} * layout.refine_stride;
}
template <class Byte>
Of<Byte, quantize::RefineFactors> &refine_factors(Byte *row) noexcept {
  return *at<quantize::RefineFactors>(row, 0);
}
template <class Byte>
Byte *refine_planes(Byte *row) noexcept {
  return row + sizeof(quantize::RefineFactors);
}
template <class Byte>
Of<Byte, ModelHeader> &model_header(Byte *page) noexcept {
  return *at<ModelHeader>(page, kPageHeaderBytes);
}
template <class Byte>
Of<Byte, float> *model_floats(Byte *page) noexcept {
  return at<float>(page, kPageHeaderBytes + sizeof(ModelHeader));
}
// Where a row of a scan page has its refine code.
struct RefinePlace {
  uint32_t page;  // index into refine_blocks()
  uint32_t slot;
};
inline RefinePlace refine_place(uint32_t row, const Layout &layout) noexcept {
  return {row / layout.refine_slots, row % layout.refine_slots};
}

constexpr uint32_t block_of(uint32_t list, const Layout &layout) noexcept {
  return list / layout.list_slots;
}
constexpr uint32_t slot_of(uint32_t list, const Layout &layout) noexcept {
  return list % layout.list_slots;
}
constexpr uint32_t list_id(uint32_t block, uint32_t slot, const Layout &layout) noexcept {
  return block * layout.list_slots + slot;
}

}  // namespace vann::ivfpq
