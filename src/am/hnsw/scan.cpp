// scan.cpp — the scan callbacks. The work is in scan_state.cpp.
#include "am/hnsw/scan.hpp"

#include "am/common/scan_callbacks.hpp"
#include "am/hnsw/scan_state.hpp"

namespace vann::hnsw {

namespace {

using Callbacks = am::ScanCallbacks<ScanState>;

}  // namespace

extern "C" IndexScanDesc hnsw_beginscan(Relation index, int keys, int orderbys) {
  return Callbacks::begin(index, keys, orderbys);
}

extern "C" void hnsw_rescan(IndexScanDesc scan, ScanKey keys, int, ScanKey orderbys, int) {
  Callbacks::rescan(scan, keys, orderbys);
}

extern "C" bool hnsw_gettuple(IndexScanDesc scan, ScanDirection) {
  return Callbacks::get_tuple(scan, kAccessMethod);
}

extern "C" void hnsw_endscan(IndexScanDesc scan) { Callbacks::end(scan); }

}  // namespace vann::hnsw
