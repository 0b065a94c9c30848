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
      blocks_(0) {
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

// A checkpoint between our WAL and our writes would not have flushed what the buffer manager has not
// seen: the file is synced here, before the transaction can commit. So is that of an unlogged relation,
// which must survive a clean shutdown. With wal_level = minimal, core syncs new files at commit.
void BulkWriter::finish() {
  const bool unlogged = relation_->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED;
  if (logged_ || unlogged) smgrimmedsync(RelationGetSmgr(relation_), fork_);
}

}  // namespace vann::pg
