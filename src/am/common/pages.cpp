// pages.cpp — see pages.hpp.
#include "am/common/pages.hpp"

namespace vann::am {

// The format file knows nothing of PostgreSQL; here the two are held against each other.
static_assert(kPageBytes == BLCKSZ);
static_assert(kPageHeaderBytes == MAXALIGN(SizeOfPageHeaderData));
static_assert(kSpecialBytes == MAXALIGN(sizeof(PageSpecial)));
static_assert(sizeof(HeapTid) == sizeof(ItemPointerData));

void init_page(uint8_t *bytes, uint16_t page_id, uint16_t kind) {
  Page page = reinterpret_cast<Page>(bytes);
  PageInit(page, BLCKSZ, kSpecialBytes);
  PageSpecial *special = reinterpret_cast<PageSpecial *>(PageGetSpecialPointer(page));
  *special = {{0, 0, 0}, kind, page_id};
  // Everything before the special space is ours: nothing may be taken for the hole that WAL drops.
  reinterpret_cast<PageHeader>(page)->pd_lower = reinterpret_cast<PageHeader>(page)->pd_upper;
}

bool page_is(const uint8_t *bytes, uint16_t page_id, uint16_t kind) {
  const PageSpecial *special =
      reinterpret_cast<const PageSpecial *>(bytes + kPageBytes - kSpecialBytes);
  return special->page_id == page_id && special->kind == kind;
}

pg::LockedPage swept_page(Relation index, BlockNumber block, int mode,
                          BufferAccessStrategy strategy) {
  const Buffer buffer = ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
  LockBuffer(buffer, mode);
  return pg::LockedPage(index, buffer);
}

}  // namespace vann::am
