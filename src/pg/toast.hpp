// toast.hpp — reads many out-of-line values of one table: what detoasting does, without opening the TOAST
// table and its index anew for every value, and without the index where this backend remembers the
// value's place.
#pragma once

#include "pg/postgres.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "utils/rel.h"
#include "utils/snapshot.h"
}

namespace vann::pg {

class ToastReader {
 public:
  // Opens nothing until the first value is read. `heap` stays open as long as this object is used; all
  // memory comes from `context`.
  void init(Relation heap, MemoryContext context);
  // Closes what was opened.
  void close();

  // The plain value of a datum that is stored out of line, in a buffer that the next call reuses; the
  // datum itself where this reader does not apply (inline, compressed, another table access method):
  // the caller detoasts as usual. `snapshot` is an MVCC snapshot that sees the datum's row, or,
  // for a build, SnapshotAny under the lock and horizon that keep rows from going.
  Datum plain(Datum value, Snapshot snapshot);

 private:
  bool open();
  bool open_index(Snapshot snapshot);
  bool read_remembered(Oid value, size_t bytes);
  bool read_by_index(Oid value, size_t bytes, Snapshot snapshot);
  bool read_chunk(const ItemPointerData &tid, Oid value, int32_t sequence, size_t bytes, char *out);

  Relation heap_;
  MemoryContext context_;
  Relation toast_;
  BlockNumber blocks_;  // of the TOAST table, when it was opened: our lock keeps it from shrinking
  Relation index_;
  IndexScanDesc scan_;
  char *buffer_;
  size_t capacity_;
};

}  // namespace vann::pg
