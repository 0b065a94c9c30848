// problems.hpp — what checks of indexes share: the list of problems, the running of a check, and the table
// against the TIDs that a check collected.
#pragma once

#include "am/common/inspect.hpp"
#include "core/base/array.hpp"
#include "pg/memory.hpp"

extern "C" {
#include "utils/snapshot.h"
}

namespace vann::am {

struct Problem {
  int64_t place;  // as the access method numbers what it stores; -1 = the index as a whole
  const char *text;
};

// What was found wrong so far. Texts live in `context`.
class Problems {
 public:
  explicit Problems(MemoryContext context) : context_(context) {}

  void add(int64_t place, const char *format, ...) pg_attribute_printf(3, 4);
  const Array<Problem> &list() const { return list_; }
  // Only what `other` holds too.
  void intersect(const Problems &other);

 private:
  MemoryContext context_;
  Array<Problem> list_;
};

// One pass over an index. `snapshot` was taken before any page is read: rows that it sees have their TIDs
// in the index by now. Memory comes from `context`. No locks are held between pages.
using CheckPass = void (*)(const Inspected &inspected, Snapshot snapshot, MemoryContext context,
                           Problems *problems);

// An SQL function (index regclass) that returns (place, problem) rows, none when the index is sound.
// Runs `check` as the table's owner and with a restricted search path, as the index was built. While
// others write, what two pages say of each other may be out of step: what one pass finds is believed
// when a second one finds it too. `mark` and `am_name` as for open_inspected().
void run_check(FunctionCallInfo fcinfo, ambulkdelete_function mark, const char *am_name,
               CheckPass check);

// A heap TID of the index and where its code is.
struct IndexedTid {
  uint64_t tid;          // tid_key()
  uint64_t place : 63;   // as in Problem
  uint64_t reached : 1;  // a search can come to it
};

// Whether the index holds at `place` the code of `value`, the row at `tid`. Called in a memory context
// that is reset afterwards; locks are its own affair.
struct CodeCheck {
  bool (*holds)(void *state, uint64_t place, const HeapTid &tid, Datum value);
  void *state;
};

// Checks that every row that `snapshot` sees and the index covers is in `tids`, at a place that searches
// reach and under the code that is its vector's, and that no TID lies beyond the table. `tids` is sorted
// by tid and was collected after the snapshot was taken.
void check_heap(const Inspected &inspected, Snapshot snapshot, const Array<IndexedTid> &tids,
                const CodeCheck &code, MemoryContext context, Problems *problems);

}  // namespace vann::am
