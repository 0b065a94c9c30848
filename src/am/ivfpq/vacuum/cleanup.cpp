// cleanup.cpp — the order of VACUUM's second half. Every step leaves an index that scans read right and that
// the next run can take up from. See ../README.md, "Delete and VACUUM".
#include "am/ivfpq/vacuum/cleanup.hpp"

#include "am/ivfpq/organise/organise.hpp"
#include "am/ivfpq/vacuum/recycle.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "access/table.h"
#include "access/xact.h"
#include "storage/indexfsm.h"
}

namespace vann::ivfpq {

namespace {

// What was retired may go once every snapshot is younger than its transaction id, the next one when it
// was stamped. Until some transaction takes an id, new snapshots look as old as the stamp; so this
// transaction takes it. Parallel workers and their leaders cannot; then the next writer's id serves.
void pass_stamped_xid() {
  if (!IsInParallelMode() && !IsParallelWorker()) GetTopTransactionId();
}

}  // namespace

Maintained clean_up(Relation relation, BufferAccessStrategy strategy,
                    IndexBulkDeleteResult *stats) {
  const MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "ivfpq vacuum", ALLOCSET_DEFAULT_SIZES);
  Maintained done{};
  {
    pg::ContextScope scope(context);
    const Index index = open_index(relation);
    // VACUUM has locked it.
    Relation heap = table_open(relation->rd_index->indrelid, NoLock);
    Survey survey = survey_index(index, heap, strategy, context);
    const BlockNumber free = recycle(index, heap, strategy, &survey);
    done.freed_pages = survey.freed_pages;
    if (organise(index, strategy, &survey, context, &done)) pass_stamped_xid();
    IndexFreeSpaceMapVacuum(relation);
    if (stats != nullptr) {
      stats->estimated_count = false;
      stats->num_index_tuples = static_cast<double>(survey.rows);
      stats->num_pages = RelationGetNumberOfBlocks(relation);
      stats->pages_newly_deleted = static_cast<BlockNumber>(survey.freed_pages);
      stats->pages_free = free;
    }
    table_close(heap, NoLock);
  }
  MemoryContextDelete(context);
  return done;
}

}  // namespace vann::ivfpq
