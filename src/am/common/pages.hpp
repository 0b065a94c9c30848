// pages.hpp — setting up and reading pages of the common format.
#pragma once

#include "pg/page.hpp"

#include "am/common/page_format.hpp"

extern "C" {
#include "storage/bufpage.h"
#include "storage/itemptr.h"
}

namespace vann::am {

// Sets up an empty page of an access method's kind, in a page image or a working copy.
void init_page(uint8_t *page, uint16_t page_id, uint16_t kind);
// Whether the page is one of this kind; false for a page of zeros.
bool page_is(const uint8_t *page, uint16_t page_id, uint16_t kind);

// All zeros: the file was extended and the server stopped before the page was written.
inline bool page_is_new(const uint8_t *page) {
  return PageIsNew(reinterpret_cast<Page>(const_cast<uint8_t *>(page)));
}

// A page of a sequential pass, locked (`mode` as for LockBuffer).
pg::LockedPage swept_page(Relation index, BlockNumber block, int mode,
                          BufferAccessStrategy strategy);

inline HeapTid to_heap_tid(const ItemPointerData &tid) {
  return {tid.ip_blkid.bi_hi, tid.ip_blkid.bi_lo, tid.ip_posid};
}
inline ItemPointerData from_heap_tid(const HeapTid &tid) {
  ItemPointerData out;
  out.ip_blkid.bi_hi = tid.block_high;
  out.ip_blkid.bi_lo = tid.block_low;
  out.ip_posid = tid.offset;
  return out;
}

}  // namespace vann::am
