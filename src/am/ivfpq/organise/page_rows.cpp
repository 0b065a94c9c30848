// page_rows.cpp — see page_rows.hpp. Locks: one page at a time; exclusively to seal it, else shared.
#include "am/ivfpq/organise/page_rows.hpp"

#include "am/ivfpq/chain.hpp"

namespace vann::ivfpq {

namespace {

constexpr size_t kMostAnchors = 256;
constexpr uint32_t kNoRefinePage = 0xffffffffu;

void seal(const Index &index, const pg::LockedPage &page) {
  if ((scan_header(page.bytes()).flags & kSealed) != 0) return;
  pg::PageEdit edit(index.relation);
  scan_header(edit.modify(page)).flags |= kSealed;
  edit.commit();
}

}  // namespace

void AnchorCache::init(const Index &index, MemoryContext context) {
  index_ = index;
  context_ = context;
  allocator_ = pg::allocator_in(context);
  entries_ = {};
  used_ = 0;
}

const float *AnchorCache::decoded(uint32_t list) {
  // From the newest: rows of a block have one anchor, blocks that follow often the same.
  for (size_t i = used_; i-- > 0;)
    if (entries_[i].list == list) return entries_[i].centroid;
  if (used_ == kMostAnchors) used_ = 0;
  if (used_ == entries_.size)
    entries_.push(allocator_,
                  {list, pg::allocate_aligned<float>(context_, index_.layout().rotated_dims)});
  Entry &entry = entries_[used_];
  entry.list = list;
  read_list(index_, list, entry.centroid);
  ++used_;
  return entry.centroid;
}

void PageReader::init(const Index &index, BufferAccessStrategy strategy, MemoryContext context) {
  index_ = index;
  strategy_ = strategy;
  anchors_.init(index, context);
  image_ = pg::allocate_aligned<uint8_t>(context, 2 * kPageBytes);
  refine_image_ = image_ + kPageBytes;
  x_ = pg::allocate_aligned<float>(context, index.layout().rotated_dims);
  scan_ = pg::allocate_aligned<uint8_t>(context, quantize::scan_code_bytes(index.layout().rows));
}

BlockNumber PageReader::read(uint32_t list, BlockNumber block, bool sealing) {
  pg::vacuum_delay();
  const pg::LockedPage page = lock_swept(
      index_, list, block, sealing ? BUFFER_LOCK_EXCLUSIVE : BUFFER_LOCK_SHARE, strategy_);
  if (sealing) seal(index_, page);
  memcpy(image_, page.bytes(), kPageBytes);
  block_ = block;
  place_ = 0;
  refine_number_ = kNoRefinePage;
  return scan_header(image_).next;
}

void PageReader::read_refine_page(uint32_t number) {
  const BlockNumber block = refine_blocks(image_)[number];
  if (block == kNoBlock) report_corrupt(index_, block_, "Rows have no refine page.");
  const pg::LockedPage page = lock_page(index_, block, kRefinePage, BUFFER_LOCK_SHARE);
  if (refine_header(page.bytes()).scan_page != block_)
    report_corrupt(index_, block, "The refine page belongs to another scan page.");
  memcpy(refine_image_, page.bytes(), kPageBytes);
  refine_number_ = number;
}

bool PageReader::next(PageRow *row) {
  const Layout &layout = index_.layout();
  for (; place_ < layout.page_rows(); ++place_) {
    const ConstBlock block =
        block_in(const_cast<const uint8_t *>(image_), place_ / kBlockRows, layout);
    const BlockHeader &header = block.header();
    const uint32_t slot = place_ % kBlockRows;
    if (((header.live & ~header.moved) >> slot & 1) == 0) continue;

    const RefinePlace refine = refine_place(place_, layout);
    if (refine.page != refine_number_) read_refine_page(refine.page);
    const uint8_t *code = refine_row_in(refine_image_, refine.slot, layout);
    const float *anchor = anchors_.decoded(header.anchor);
    quantize::load_code(layout.rows, block.tiles(), slot, scan_);
    *row = {block.tids()[slot],
            place_,
            header.anchor,
            scan_header(image_).codebook_version != index_.cache->codebook_version,
            {block.scales()[slot], block.offsets()[slot], block.errors()[slot]},
            refine_factors(code),
            scan_,
            refine_planes(code),
            x_,
            0};
    quantize::decode_refine(layout.rows, anchor, row->refine, row->refine_factors, x_);
    row->residual_squared = simd::kernels().l2_squared_f32(anchor, x_, layout.rotated_dims);
    ++place_;
    return true;
  }
  return false;
}

}  // namespace vann::ivfpq
