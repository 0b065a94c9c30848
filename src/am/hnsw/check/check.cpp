// check.cpp — hnsw_check(): rows for what is wrong with an index, none when it is sound.
#include "am/hnsw/check/check.hpp"

#include "am/hnsw/element.hpp"
#include "am/hnsw/vacuum/vacuum.hpp"

namespace vann::hnsw {

namespace {

// Takes the share lock of the record's page.
bool holds(void *state, uint64_t record, const HeapTid &, Datum value) {
  const Index &index = *static_cast<const Index *>(state);
  const Element expected = make_element(index, value);
  RecordPage page(index, static_cast<uint32_t>(record), BUFFER_LOCK_SHARE);
  const bool same = same_code(page.record(), expected);
  page.release();
  return same;
}

void check_pass(const am::Inspected &inspected, Snapshot snapshot, MemoryContext context,
                am::Problems *problems) {
  Index index = open_index(inspected.index);
  Array<am::IndexedTid> tids;
  check_graph(index, context, problems, &tids);
  am::check_heap(inspected, snapshot, tids, {holds, &index}, context, problems);
}

}  // namespace

}  // namespace vann::hnsw

VANN_FUNCTION(hnsw_check) {
  vann::am::run_check(fcinfo, vann::hnsw::hnsw_bulkdelete, vann::hnsw::kAccessMethod,
                      vann::hnsw::check_pass);
  return static_cast<Datum>(0);
}
