// vacuum.hpp — what VACUUM calls. Never makes scans or inserts wait longer than one page's change. See
// ../README.md, "Delete and VACUUM".
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/genam.h"
}

namespace vann::ivfpq {

// ambulkdelete: removes the TIDs that `callback` calls dead from the lists in the directory. Reads their
// scan pages, no refine page.
extern "C" IndexBulkDeleteResult *ivfpq_bulkdelete(IndexVacuumInfo *info,
                                                   IndexBulkDeleteResult *stats,
                                                   IndexBulkDeleteCallback callback, void *state);

// amvacuumcleanup: gives back what nobody can read any more, and organises the lists. Works from what pages
// say alone, so that it also finishes what a cancelled or crashed run left; may be cancelled itself at
// any page. Reads the scan pages once even when nothing was deleted, because only they tell what is
// left to do.
extern "C" IndexBulkDeleteResult *ivfpq_vacuumcleanup(IndexVacuumInfo *info,
                                                      IndexBulkDeleteResult *stats);

}  // namespace vann::ivfpq
