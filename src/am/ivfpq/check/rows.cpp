// rows.cpp — chains of lists of rows: blocks, refine pages, and which TIDs they hold.
#include "am/ivfpq/check/check.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/base/bfloat16.hpp"

namespace vann::ivfpq {

namespace {

bool valid_factor(uint16_t factor) { return std::isfinite(from_bfloat16(factor)); }

class ChainCheck {
 public:
  ChainCheck(Census *census, KnownList *list)
      : census_(census), layout_(census->index->layout()), list_(list) {}

  void run() {
    walk_chain(census_, list_, kScanPage,
               [&](BlockNumber block, const uint8_t *page) { check_page(block, page); });
  }

 private:
  void check_page(BlockNumber block, const uint8_t *page) {
    const uint8_t version = scan_header(page).codebook_version;
    if (version != 0 && version != census_->index->meta.codebook_version)
      census_->problems->add(list_->id, "block %u has codes of version %u", block, version);
    list_->slots += layout_.page_rows();
    for (uint32_t i = 0; i < layout_.blocks; ++i)
      check_block(block, i, block_in(page, i, layout_), scan_header(page).flags);
    for (uint32_t i = 0; i < layout_.refine_pages; ++i)
      check_refine_page(block, i, refine_blocks(page)[i], page);
  }

  void check_block(BlockNumber page, uint32_t number, ConstBlock block, uint8_t flags) {
    const BlockHeader &header = block.header();
    if ((header.moved & ~header.live) != 0)
      census_->problems->add(list_->id, "rows of block %u are moved, but not there", page);
    if (header.live == 0) return;
    check_anchor(page, header.anchor);
    list_->rows += static_cast<uint64_t>(std::popcount(header.live & ~header.moved));
    list_->moved += static_cast<uint64_t>(std::popcount(header.live & header.moved));
    for (uint32_t live = header.live; live != 0; live &= live - 1) {
      const uint32_t place = static_cast<uint32_t>(__builtin_ctz(live));
      check_factors(page, number * kBlockRows + place, block, place);
      if (list_->state() != ListState::kLive) continue;
      census_->rows.push(census_->allocator,
                         {am::tid_key(block.tids()[place]), list_->id, page,
                          static_cast<uint16_t>(number * kBlockRows + place),
                          (header.moved >> place & 1) != 0, (flags & (kSealed | kMoving)) != 0});
    }
  }

  void check_anchor(BlockNumber page, uint32_t anchor) {
    const KnownList *found = census_->find(anchor);
    if (found == nullptr || (found->state() == ListState::kBuilding && anchor != list_->id &&
                             list_->state() != ListState::kBuilding))
      census_->problems->add(list_->id, "rows of block %u are coded against list %u, which is none",
                             page, anchor);
  }

  void check_factors(BlockNumber page, uint32_t row, ConstBlock block, uint32_t place) {
    const float error = from_bfloat16(block.errors()[place]);
    if (!valid_factor(block.scales()[place]) || !valid_factor(block.offsets()[place]) ||
        !std::isfinite(error) || error < 0)
      census_->problems->add(list_->id, "invalid factors of row %u of block %u", row, page);
    else
      list_->squared_error += static_cast<double>(error) * error;
    if (block.tids()[place].offset == InvalidOffsetNumber)
      census_->problems->add(list_->id, "an invalid heap TID in block %u", page);
  }

  // Whether any of the rows with a refine code on this page exists.
  bool needed(const uint8_t *page, uint32_t number) const {
    for (uint32_t row = number * layout_.refine_slots;
         row < std::min((number + 1) * layout_.refine_slots, layout_.page_rows()); ++row)
      if (exists(page, row)) return true;
    return false;
  }

  bool exists(const uint8_t *page, uint32_t row) const {
    return (block_in(page, row / kBlockRows, layout_).header().live >> row % kBlockRows & 1) != 0;
  }

  void check_refine_page(BlockNumber block, uint32_t number, BlockNumber refine,
                         const uint8_t *page) {
    if (refine == kNoBlock) {
      if (needed(page, number))
        census_->problems->add(list_->id, "rows of block %u have no refine codes", block);
      return;
    }
    if (!census_->take(refine, list_->id, "a refine page")) return;
    const uint8_t *codes = census_->copy_page(refine, census_->refine_image);
    const RefineHeader header = refine_header(codes);
    if (!page_is(codes, kRefinePage) || header.scan_page != block || header.list != list_->id) {
      census_->problems->add(list_->id, "block %u is not a refine page of block %u", refine, block);
      return;
    }
    for (uint32_t slot = 0; slot < layout_.refine_slots; ++slot) {
      const uint32_t row = number * layout_.refine_slots + slot;
      if (row < layout_.page_rows() && exists(page, row))
        check_refine_factors(block, row, refine_factors(refine_row_in(codes, slot, layout_)));
    }
  }

  void check_refine_factors(BlockNumber page, uint32_t row,
                            const quantize::RefineFactors &factors) {
    if (!std::isfinite(factors.scale) || !std::isfinite(factors.offset) ||
        !std::isfinite(factors.error) || factors.error < 0)
      census_->problems->add(list_->id, "invalid refine factors of row %u of block %u", row, page);
  }

  Census *census_;
  const Layout &layout_;
  KnownList *list_;
};

// A split that was interrupted leaves sealed pages whose rows are in another list too, a re-assignment pages
// whose rows were moving. Any other two copies of a row are one too many.
void check_copies(Census *census) {
  const Array<RowPlace> &rows = census->rows;
  const RowPlace *staying = nullptr;
  for (size_t i = 0; i < rows.size; ++i) {
    if (i == 0 || rows[i].tid != rows[i - 1].tid) staying = nullptr;
    if (rows[i].moved || rows[i].leaving) continue;
    if (staying != nullptr)
      census->problems->add(rows[i].list, "heap TID (%llu,%u) is also in list %u",
                            static_cast<unsigned long long>(rows[i].tid >> 16),
                            static_cast<unsigned>(rows[i].tid & 0xffff), staying->list);
    staying = &rows[i];
  }
}

}  // namespace

void walk_rows(Census *census) {
  for (KnownList &list : census->lists)
    if (list.record.level == 0 && list.state() != ListState::kAnchor)
      ChainCheck(census, &list).run();
  std::sort(census->rows.begin(), census->rows.end(), [](const RowPlace &a, const RowPlace &b) {
    if (a.tid != b.tid) return a.tid < b.tid;
    if (a.moved != b.moved) return b.moved;
    return a.block < b.block || (a.block == b.block && a.row < b.row);
  });
  check_copies(census);
}

}  // namespace vann::ivfpq
