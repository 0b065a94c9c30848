// bulk_writer.hpp — writes the pages of a new relation fork front to back, past the buffer manager: for
// builds, whose file nobody else sees. WAL goes out in records of up to 32 whole pages.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/xlogdefs.h"
#include "common/relpath.h"
#include "storage/block.h"
#include "utils/rel.h"
}

namespace vann::pg {

// What direct I/O asks of page images outside shared buffers: PG_IO_ALIGN_SIZE, which 15 lacks.
constexpr size_t kIoAlignment = 4096;

class BulkWriter {
 public:
  // `fork` of `relation` is empty. The init fork of an unlogged relation is always logged.
  BulkWriter(Relation relation, ForkNumber fork);

  // Appends `count` pages, images of BLCKSZ bytes each, aligned to kIoAlignment. Sets their LSNs and
  // checksums in place.
  void append(uint8_t *pages, uint32_t count);
  // Sees to it that the file is as durable as its relation; to be called last.
  void finish();

  BlockNumber blocks() const { return blocks_; }

 private:
  void sync_with_checkpoint();

  Relation relation_;
  ForkNumber fork_;
  bool logged_;
  BlockNumber blocks_;
  XLogRecPtr redo_;  // where recovery would have begun when we did
};

}  // namespace vann::pg
