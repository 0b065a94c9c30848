// scan.cpp — the scan callbacks. The work is in scan_state.cpp.
#include "am/ivfpq/scan.hpp"

#include "am/common/scan_callbacks.hpp"
#include "am/ivfpq/scan_state.hpp"

namespace vann::ivfpq {

namespace {

using Callbacks = am::ScanCallbacks<ScanState>;

}  // namespace

extern "C" IndexScanDesc ivfpq_beginscan(Relation index, int keys, int orderbys) {
  return Callbacks::begin(index, keys, orderbys);
}

extern "C" void ivfpq_rescan(IndexScanDesc scan, ScanKey keys, int, ScanKey orderbys, int) {
  Callbacks::rescan(scan, keys, orderbys);
}

extern "C" bool ivfpq_gettuple(IndexScanDesc scan, ScanDirection) {
  return Callbacks::get_tuple(scan, kAccessMethod);
}

extern "C" void ivfpq_endscan(IndexScanDesc scan) { Callbacks::end(scan); }

}  // namespace vann::ivfpq
