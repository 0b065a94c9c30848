// bulk_writer.cpp — sequential page output for builds, as nbtree's build writes its leaves.
#include "pg/bulk_writer.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "storage/bufpage.h"
#include "storage/smgr.h"
}

#include <algorithm>

namespace vann::pg {

namespace {
constexpr uint32_t kPagesPerRecord = XLR_MAX_BLOCK_ID;
}

BulkWriter::BulkWriter(Relation relation, ForkNumber fork)
    : relation_(relation),
      fork_(fork),
      logged_(fork == INIT_FORKNUM || RelationNeedsWAL(relation)),
      blocks_(0),
      redo_(GetRedoRecPtr()) {
  SMgrRelation storage = RelationGetSmgr(relation);
  if (fork != MAIN_FORKNUM && !smgrexists(storage, fork)) smgrcreate(storage, fork, false);
}

void BulkWriter::append(uint8_t *pages, uint32_t count) {
  BlockNumber blocks[kPagesPerRecord];
  Page images[kPagesPerRecord];
  for (uint32_t done = 0; done < count;) {
    const uint32_t batch = std::min(count - done, kPagesPerRecord);
    for (uint32_t i = 0; i < batch; ++i) {
      blocks[i] = blocks_ + i;
      images[i] = reinterpret_cast<Page>(pages + size_t{done + i} * BLCKSZ);
    }
    if (logged_)
      log_newpages(&relation_locator(relation_), fork_, static_cast<int>(batch), blocks, images,
                   true);
    SMgrRelation storage = RelationGetSmgr(relation_);
    for (uint32_t i = 0; i < batch; ++i) {
      PageSetChecksumInplace(images[i], blocks[i]);
      smgrextend(storage, fork_, blocks[i], reinterpret_cast<char *>(images[i]), true);
    }
    blocks_ += batch;
    done += batch;
  }
}

// What the buffer manager has not seen, a checkpoint does not sync by itself: it is asked to, and nobody
// waits for the disk.
// - Logged: WAL restores the file unless a checkpoint has moved the start of recovery behind our first
//   records. It may have passed before we asked; then the file is synced here.
// - Unlogged: only a clean shutdown keeps the file, and that ends with a checkpoint.
// - wal_level = minimal: core syncs or logs new files at commit. Temporary files need nothing.
void BulkWriter::finish() {
  if (!logged_ && relation_->rd_rel->relpersistence != RELPERSISTENCE_UNLOGGED) return;
  sync_with_checkpoint();
  if (logged_ && redo_ != GetRedoRecPtr()) smgrimmedsync(RelationGetSmgr(relation_), fork_);
}

// Asks the next checkpoint to sync the file. A regular write does that for the segment that it hits, so a
// page of each is written once more.
void BulkWriter::sync_with_checkpoint() {
  SMgrRelation storage = RelationGetSmgr(relation_);
  alignas(kIoAlignment) char page[BLCKSZ];
  for (BlockNumber block = 0; block < blocks_; block += RELSEG_SIZE) {
    smgrread(storage, fork_, block, page);
    smgrwrite(storage, fork_, block, page, false);
  }
}

}  // namespace vann::pg
