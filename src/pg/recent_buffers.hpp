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

// Asks the CPU for the header of a page and for its buffer's descriptor, if the page probably is where
// it was seen last, and returns where; null otherwise. What stands there may be another page by now: the
// address is for prefetching only.
const char *prefetch_recent(Relation relation, BlockNumber block);

}  // namespace vann::pg
