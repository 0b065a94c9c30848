// chain.hpp — passes over the chains of lists of rows, as VACUUM and organising make them.
#pragma once

#include "am/ivfpq/lists.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "storage/buf.h"
}

namespace vann::ivfpq {

// A scan page of the list, locked by a pass. ERROR index_corrupted when it is another's.
inline pg::LockedPage lock_swept(const Index &index, uint32_t list, BlockNumber block, int mode,
                                 BufferAccessStrategy strategy) {
  if (block >= index.blocks) index.blocks = RelationGetNumberOfBlocks(index.relation);
  if (block == kMetaBlock || block >= index.blocks)
    report_corrupt(index, block, "A reference leads beyond the end of the index.");
  pg::LockedPage page = am::swept_page(index.relation, block, mode, strategy);
  if (!page_is(page.bytes(), kScanPage) ||
      scan_header(const_cast<const uint8_t *>(page.bytes())).list != list)
    report_corrupt(index, block, "The page does not belong to the list whose chain leads to it.");
  return page;
}

// Calls visit(page) for the pages of a list's chain, in order, share-locked; visit may release the page.
// Between pages VACUUM sleeps, and can be cancelled. Pages that inserts add meanwhile are visited too.
template <class Visit>
void sweep_chain(const Index &index, uint32_t list, BlockNumber head, BufferAccessStrategy strategy,
                 Visit &&visit) {
  for (BlockNumber block = head; block != kNoBlock;) {
    pg::vacuum_delay();
    pg::LockedPage page = lock_swept(index, list, block, BUFFER_LOCK_SHARE, strategy);
    block = scan_header(const_cast<const uint8_t *>(page.bytes())).next;
    visit(page);
  }
}

// Calls visit(block number on the page, header) for blocks that hold rows.
template <class Visit>
void for_each_block(const uint8_t *page, const Layout &layout, Visit &&visit) {
  for (uint32_t i = 0; i < layout.blocks; ++i) {
    const ConstBlock block = block_in(page, i, layout);
    if (block.header().live != 0) visit(i, block);
  }
}

}  // namespace vann::ivfpq
