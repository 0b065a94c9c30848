// recent_buffers.hpp — where this backend found index pages last: a small table from (relation, block) to
// buffer. A hint that still holds saves the look-up in the shared buffer table, a third of what a
// cached page access costs, and lets a search fetch cache lines ahead of need.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "storage/bufmgr.h"
#include "utils/rel.h"
}

namespace vann::pg {

// Reads a page of the main fork as ReadBuffer() does: pinned, not locked.
Buffer read_recent(Relation relation, BlockNumber block);

// Asks the CPU for bytes [offset, offset + bytes) of a page, for its header and for its buffer's
// descriptor, if the page probably is where it was seen last.
void prefetch_recent(Relation relation, BlockNumber block, uint32_t offset, uint32_t bytes);

}  // namespace vann::pg
