// cleanup.hpp — the second half of VACUUM, and the same on demand.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/genam.h"
}

namespace vann::ivfpq {

// What a run did.
struct Maintained {
  uint64_t splits;
  uint64_t merges;
  uint64_t refreshed;
  uint64_t moved_rows;
  uint64_t freed_pages;
};

// Surveys the index, gives back what nobody reads any more, organises the lists. The caller holds the table's
// ShareUpdateExclusiveLock, which keeps other runs away. `stats` may be null.
Maintained clean_up(Relation relation, BufferAccessStrategy strategy, IndexBulkDeleteResult *stats);

}  // namespace vann::ivfpq
