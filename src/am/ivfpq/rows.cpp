// rows.cpp — rows encoded and put into chains. Locks: one scan page, then its refine pages, exclusively; a
// new tail while the old one is held. See README.md, "Insert".
#include "am/ivfpq/rows.hpp"

extern "C" {
#include "miscadmin.h"
}

#include <optional>

namespace vann::ivfpq {

namespace {

// Of the four pages of a WAL record one is the scan page.
constexpr size_t kRefinePagesAtOnce = 3;

// A row's place on a scan page, or -1. Blocks whose rows have another anchor do not count, empty ones do.
int find_slot(const uint8_t *page, const Layout &layout, uint32_t anchor) {
  for (uint32_t i = 0; i < layout.blocks; ++i) {
    const BlockHeader &header = block_in(page, i, layout).header();
    if (header.live == ~0u || (header.live != 0 && header.anchor != anchor)) continue;
    return static_cast<int>(i * kBlockRows + static_cast<uint32_t>(__builtin_ctz(~header.live)));
  }
  return -1;
}

void write_scan_row(uint8_t *copy, uint32_t slot, const Layout &layout, const EncodedRow &row) {
  const Block block = block_in(copy, slot / kBlockRows, layout);
  const uint32_t place = slot % kBlockRows;
  BlockHeader &header = block.header();
  if (header.live == 0) header.anchor = row.anchor;
  header.live |= 1u << place;
  header.moved &= ~(1u << place);
  quantize::store_code(layout.rows, block.tiles(), place, row.scan);
  block.scales()[place] = row.scan_factors.scale;
  block.offsets()[place] = row.scan_factors.offset;
  block.errors()[place] = row.scan_factors.error;
  block.tids()[place] = row.tid;
}

void write_refine_row(uint8_t *copy, uint32_t slot, const Layout &layout, const EncodedRow &row) {
  uint8_t *place = refine_row_in(copy, slot, layout);
  refine_factors(place) = row.refine_factors;
  memcpy(refine_planes(place), row.refine, quantize::refine_code_bytes(layout.rows));
}

// One WAL record that puts rows on a scan page.
class Put {
 public:
  Put(const Index &index, const pg::LockedPage &page)
      : index_(index), layout_(index.layout()), page_(page), edit_(index.relation),
        scan_(edit_.modify(page)) {}

  // False when there is no room, or when the row would need a fifth page.
  bool add(const EncodedRow &row) {
    const int slot = find_slot(scan_, layout_, row.anchor);
    if (slot < 0) return false;
    const RefinePlace place = refine_place(static_cast<uint32_t>(slot), layout_);
    uint8_t *refine = refine_copy(place.page);
    if (refine == nullptr) return false;
    write_scan_row(scan_, static_cast<uint32_t>(slot), layout_, row);
    write_refine_row(refine, place.slot, layout_, row);
    return true;
  }

  void commit() { edit_.commit(); }

 private:
  struct OpenRefine {
    uint32_t number;
    std::optional<pg::LockedPage> page;
    uint8_t *copy;
  };

  uint8_t *refine_copy(uint32_t number) {
    for (size_t i = 0; i < opened_; ++i)
      if (open_[i].number == number) return open_[i].copy;
    if (opened_ == kRefinePagesAtOnce) return nullptr;
    OpenRefine &open = open_[opened_++];
    open.number = number;
    uint32_t &block = refine_blocks(scan_)[number];
    if (block == kNoBlock) {
      open.page.emplace(take_page(index_));
      open.copy = edit_.overwrite(*open.page);
      init_refine_page(open.copy, scan_header(scan_).list, page_.block());
      block = open.page->block();
    } else {
      open.page.emplace(lock_page(index_, block, kRefinePage, BUFFER_LOCK_EXCLUSIVE));
      open.copy = edit_.modify(*open.page);
      if (refine_header(open.copy).scan_page != page_.block())
        report_corrupt(index_, block, "The refine page belongs to another scan page.");
    }
    return open.copy;
  }

  const Index &index_;
  const Layout &layout_;
  const pg::LockedPage &page_;
  pg::PageEdit edit_;
  uint8_t *scan_;
  OpenRefine open_[kRefinePagesAtOnce];
  size_t opened_ = 0;
};

// As many of the rows as fit on the page, in as many WAL records as it takes.
size_t put_rows(const Index &index, const pg::LockedPage &page, const EncodedRow *rows,
                size_t count) {
  size_t done = 0;
  while (done < count) {
    if (find_slot(page.bytes(), index.layout(), rows[done].anchor) < 0) break;
    Put put(index, page);
    while (done < count && put.add(rows[done])) ++done;
    put.commit();
  }
  return done;
}

// Adds an empty page behind the tail, which is exclusively locked.
BlockNumber add_page(const Index &index, const pg::LockedPage &tail, uint32_t list) {
  const pg::LockedPage added = take_page(index);
  pg::PageEdit edit(index.relation);
  init_scan_page(edit.overwrite(added), index.layout(), list, index.cache->codebook_version);
  scan_header(edit.modify(tail)).next = added.block();
  edit.commit();
  return added.block();
}

}  // namespace

void RowEncoder::init(const Index &index, MemoryContext context) {
  const quantize::ListShape &shape = index.layout().rows;
  index_ = index;
  scratch_ = pg::allocate_aligned<float>(context, quantize::encode_scratch_floats(shape));
  scan_ = pg::allocate_aligned<uint8_t>(context, quantize::scan_code_bytes(shape));
  refine_ = pg::allocate_aligned<uint8_t>(context, quantize::refine_code_bytes(shape));
}

EncodedRow RowEncoder::encode(const float *x, const float *anchor, uint32_t list,
                              const HeapTid &tid) {
  EncodedRow row{tid, list, {}, {}, scan_, refine_};
  row.scan_factors = quantize::encode_scan(index_.model(), anchor, x, scratch_, scan_);
  row.refine_factors =
      quantize::encode_refine(index_.layout().rows, anchor, x, scratch_, refine_);
  return row;
}

size_t append_rows(const Index &index, uint32_t list, BlockNumber open, const EncodedRow *rows,
                   size_t count) {
  size_t done = 0;
  BlockNumber block = open;
  while (done < count) {
    CHECK_FOR_INTERRUPTS();
    const pg::LockedPage page = lock_any_page(index, block, BUFFER_LOCK_EXCLUSIVE);
    if (!page_is(page.bytes(), kScanPage)) return done;  // given up
    const ScanHeader header = scan_header(const_cast<const uint8_t *>(page.bytes()));
    if (header.list != list || (header.flags & kClosed) != 0) return done;
    // A page of ours behind it would be of no use to others, nor theirs to us: each row would add one.
    if (header.codebook_version > index.cache->codebook_version) return done;
    if ((header.flags & kSealed) == 0 && header.codebook_version == index.cache->codebook_version)
      done += put_rows(index, page, rows + done, count - done);
    if (done == count) break;
    block = header.next != kNoBlock ? header.next : add_page(index, page, list);
  }
  if (block != open) set_open_page(index, list, block);
  return done;
}

}  // namespace vann::ivfpq
