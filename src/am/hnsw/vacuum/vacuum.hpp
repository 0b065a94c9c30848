// vacuum.hpp — what VACUUM calls. Never waits for scans or inserts: it takes one page lock at a
// time. See ../README.md, "Delete and vacuum".
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/genam.h"
}

namespace vann::hnsw {

// ambulkdelete: removes the TIDs that `callback` calls dead (it is asked about every TID of the
// index) and marks elements without TIDs as kDead. Leaves the graph's edges alone.
extern "C" IndexBulkDeleteResult *hnsw_bulkdelete(IndexVacuumInfo *info,
                                                  IndexBulkDeleteResult *stats,
                                                  IndexBulkDeleteCallback callback, void *state);

// amvacuumcleanup: takes dead elements out of the graph, makes their slots reusable and records
// free space. Works from the states found in pages alone, so that it also finishes what a cancelled
// or crashed VACUUM left; may be cancelled itself at any page. Reads every page once even when
// nothing was deleted, because only pages tell what is left to do, and free space is not logged.
extern "C" IndexBulkDeleteResult *hnsw_vacuumcleanup(IndexVacuumInfo *info,
                                                     IndexBulkDeleteResult *stats);

}  // namespace vann::hnsw
