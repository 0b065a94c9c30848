// page.cpp — the layout of pages for given dimensions and codec. See README.md, "Layout".
#include "am/ivfpq/page.hpp"

#include <algorithm>

namespace vann::ivfpq {

namespace {

using quantize::Codec;

constexpr uint32_t kCodeGroup = static_cast<uint32_t>(simd::kCodeBlock);
// What a scan code may leave out rather than have dimensions padded: one part in this many.
constexpr uint32_t kUncodedShare = 25;
// Room for the headers of pages and blocks, and for what a block has beside codes.
constexpr uint32_t kBlockExtra = sizeof(BlockHeader) + kBlockRows * (3 * 2 + sizeof(HeapTid));
constexpr uint32_t kEntriesExtra = sizeof(BlockHeader) + kBlockRows * (4 * 2 + 4);
constexpr uint32_t kLeastPageRoom = 7936;  // of a scan page, whatever its refine pages
constexpr uint32_t kMostScanDims =
    (kLeastPageRoom - kBlockExtra) * 8 / kBlockRows / kCodeGroup * kCodeGroup;
constexpr uint32_t kAnchorBits = 8;
constexpr uint32_t kFewAnchorBits = 4;
constexpr uint32_t kDefaultSubvector = 4;   // dimensions per subvector of 16 entries
constexpr uint32_t kDefaultSubvector8 = 8;  // of 256

constexpr uint32_t round_up(uint32_t value, uint32_t unit) {
  return (value + unit - 1) / unit * unit;
}

uint32_t rotated_dims_for(uint32_t dims) {
  const uint32_t rounded = round_up(dims, 16);
  const uint32_t uncoded = rounded % kCodeGroup;
  return uncoded * kUncodedShare > rounded ? round_up(rounded, kCodeGroup) : rounded;
}

// The most subvectors that leave room for 32 rows on a page.
uint32_t most_subvectors(Codec codec) {
  return codec == Codec::kPq4 ? kMostScanDims / 4 : kMostScanDims / 8;
}

quantize::ListShape shape_for(uint32_t rotated, Metric metric, const LayoutOptions &options) {
  quantize::ListShape shape{};
  shape.dims = rotated;
  shape.codec = options.codec;
  shape.geometry = am::geometry_of(metric);
  if (options.codec == Codec::kRabitq) {
    shape.scan_dims = std::min(rotated / kCodeGroup * kCodeGroup, kMostScanDims);
    return shape;
  }
  const uint32_t usual = options.codec == Codec::kPq4 ? kDefaultSubvector : kDefaultSubvector8;
  const uint32_t wanted = options.subvectors != 0 ? options.subvectors : rotated / usual;
  shape.subvectors = std::clamp(wanted, 1u, std::min(rotated, most_subvectors(options.codec)));
  shape.scan_dims =
      options.codec == Codec::kPq4 ? round_up(4 * shape.subvectors, kCodeGroup) : shape.subvectors;
  return shape;
}

quantize::CodeShape centroid_shape(uint32_t rotated, Metric metric) {
  quantize::CodeShape shape{};
  shape.dims = rotated;
  shape.geometry = am::geometry_of(metric);
  const uint32_t room = kLeastPageRoom - kEntriesExtra;
  const uint32_t coded = rotated / kCodeGroup * kCodeGroup;
  shape.neighbor_bits = coded / 8 * 2 * kBlockRows <= room ? 2 : 1;
  shape.neighbor_dims = std::min(coded, room * 8 / kBlockRows / kCodeGroup * kCodeGroup);
  const size_t bytes = sizeof(ListPageHeader) +
                       round_up(static_cast<uint32_t>(sizeof(ListRecord) +
                                                      quantize::code_bytes(rotated, kAnchorBits)),
                                8);
  shape.code_bits = bytes <= kUsableBytes ? kAnchorBits : kFewAnchorBits;
  return shape;
}

void place_lists(Layout *layout) {
  const size_t code = quantize::code_bytes(layout->rotated_dims, layout->centroids.code_bits);
  layout->list_stride = round_up(static_cast<uint32_t>(sizeof(ListRecord) + code), 8);
  layout->list_slots =
      static_cast<uint32_t>(kUsableBytes - sizeof(ListPageHeader)) / layout->list_stride;
}

void place_directory(Layout *layout) {
  const quantize::CodeShape &shape = layout->centroids;
  const uint32_t tiles = kBlockRows * static_cast<uint32_t>(quantize::neighbor_code_bytes(
                                          shape.neighbor_dims, shape.neighbor_bits));
  layout->centroid_scales = kTilesOffset + tiles;
  layout->centroid_offsets = layout->centroid_scales + 2 * kBlockRows;
  layout->centroid_residuals = layout->centroid_offsets + 2 * kBlockRows;
  layout->centroid_lengths = layout->centroid_residuals + 2 * kBlockRows;
  layout->centroid_lists = layout->centroid_lengths + 2 * kBlockRows;
  layout->directory_block_bytes = layout->centroid_lists + 4 * kBlockRows;
  layout->directory_begin = kPageHeaderBytes + sizeof(ScanHeader);
  layout->directory_blocks =
      (static_cast<uint32_t>(kUsableBytes) - sizeof(ScanHeader)) / layout->directory_block_bytes;
}

// With how many refine pages, and how many blocks, for given bits.
void place_rows(Layout *layout) {
  const quantize::ListShape &shape = layout->rows;
  const uint32_t tiles = static_cast<uint32_t>(quantize::block_code_bytes(shape));
  layout->scales = round_up(kTilesOffset + tiles, 4);
  layout->offsets = layout->scales + 2 * kBlockRows;
  layout->errors = layout->offsets + 2 * kBlockRows;
  layout->tids = layout->errors + 2 * kBlockRows;
  layout->block_bytes = round_up(layout->tids + kBlockRows * sizeof(HeapTid), 8);
  layout->refine_stride = round_up(
      static_cast<uint32_t>(sizeof(quantize::RefineFactors) + quantize::refine_code_bytes(shape)),
      4);
  layout->refine_slots =
      static_cast<uint32_t>((kUsableBytes - kRefineHeaderBytes) / layout->refine_stride);
  for (layout->refine_pages = 1;; ++layout->refine_pages) {
    layout->block_begin =
        round_up(kPageHeaderBytes + sizeof(ScanHeader) + 4 * layout->refine_pages, 8);
    layout->blocks =
        (static_cast<uint32_t>(kPageHeaderBytes + kUsableBytes) - layout->block_begin) /
        layout->block_bytes;
    if (layout->refine_slots == 0 ||
        layout->page_rows() <= layout->refine_pages * layout->refine_slots)
      return;
  }
}

// Bytes of index per row on full pages.
double bytes_per_row(const Layout &layout) {
  return static_cast<double>(kPageBytes) * (1 + layout.refine_pages) / layout.page_rows();
}

void choose_refine_bits(Layout *layout, uint32_t wanted) {
  layout->rows.refine_bits = wanted != 0 ? wanted : quantize::kMinCodeBits;
  place_rows(layout);
  if (wanted != 0) {
    while (layout->refine_slots == 0 && layout->rows.refine_bits > quantize::kMinCodeBits) {
      --layout->rows.refine_bits;
      place_rows(layout);
    }
    return;
  }
  // More bits cost nothing where they fill pages that four bits would leave half empty.
  for (uint32_t bits = quantize::kMinCodeBits + 1; bits <= quantize::kMaxCodeBits; ++bits) {
    Layout more = *layout;
    more.rows.refine_bits = bits;
    place_rows(&more);
    if (more.refine_slots == 0 || bytes_per_row(more) > bytes_per_row(*layout)) return;
    *layout = more;
  }
}

}  // namespace

Layout choose_layout(uint32_t dims, Metric metric, const LayoutOptions &options) noexcept {
  Layout layout{};
  layout.dims = dims;
  layout.rotated_dims = rotated_dims_for(dims);
  layout.rows = shape_for(layout.rotated_dims, metric, options);
  layout.centroids = centroid_shape(layout.rotated_dims, metric);
  place_lists(&layout);
  place_directory(&layout);
  choose_refine_bits(&layout, options.refine_bits);
  return layout;
}

void describe_layout(const Layout &layout, Metric metric, MetaPage *meta) noexcept {
  meta->dims = layout.dims;
  meta->rotated_dims = layout.rotated_dims;
  meta->metric = static_cast<uint8_t>(metric);
  meta->codec = static_cast<uint8_t>(layout.rows.codec);
  meta->refine_bits = static_cast<uint8_t>(layout.rows.refine_bits);
  meta->subvectors = layout.rows.subvectors;
  meta->scan_dims = layout.rows.scan_dims;
  meta->anchor_bits = static_cast<uint8_t>(layout.centroids.code_bits);
  meta->centroid_bits = static_cast<uint8_t>(layout.centroids.neighbor_bits);
  meta->centroid_dims = layout.centroids.neighbor_dims;
  meta->attribute_bytes = 0;
}

bool layout_from_meta(const MetaPage &meta, Layout *layout) noexcept {
  if (meta.dims == 0 || meta.dims > 65535 || meta.metric > static_cast<uint8_t>(Metric::kCosine) ||
      meta.codec > static_cast<uint8_t>(Codec::kPq8) || meta.attribute_bytes != 0 ||
      meta.refine_bits < quantize::kMinCodeBits || meta.refine_bits > quantize::kMaxCodeBits ||
      !(meta.error_scale >= 1 && meta.error_scale <= quantize::kMostErrorScale))
    return false;
  const Metric metric = static_cast<Metric>(meta.metric);
  *layout = choose_layout(meta.dims, metric,
                          {static_cast<Codec>(meta.codec), meta.subvectors, meta.refine_bits});
  MetaPage same = meta;
  describe_layout(*layout, metric, &same);
  // More dimensions than any type has may leave a page without room for a row or a list.
  if (layout->blocks == 0 || layout->refine_slots == 0 || layout->directory_blocks == 0 ||
      layout->list_slots == 0)
    return false;
  return same.rotated_dims == meta.rotated_dims && same.refine_bits == meta.refine_bits &&
         same.subvectors == meta.subvectors && same.scan_dims == meta.scan_dims &&
         same.anchor_bits == meta.anchor_bits && same.centroid_bits == meta.centroid_bits &&
         same.centroid_dims == meta.centroid_dims;
}

}  // namespace vann::ivfpq
