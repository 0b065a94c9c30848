// scan_callbacks.cpp — see scan_callbacks.hpp.
#include "am/common/scan_callbacks.hpp"

extern "C" {
#include "utils/snapmgr.h"
}

namespace vann::am {

void check_scan(IndexScanDesc scan, const char *am_name) {
  if (scan->numberOfOrderBys != 1 || scan->orderByData == nullptr)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot scan %s index without order", am_name),
                    errhint("Use ORDER BY column <operator> value.")));
  if (!IsMVCCSnapshot(scan->xs_snapshot))
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("non-MVCC snapshots are not supported with %s", am_name)));
}

void copy_keys(IndexScanDesc scan, ScanKey keys, ScanKey orderbys) {
  if (keys != nullptr && scan->numberOfKeys > 0)
    memmove(scan->keyData, keys, static_cast<size_t>(scan->numberOfKeys) * sizeof(ScanKeyData));
  if (orderbys != nullptr && scan->numberOfOrderBys > 0)
    memmove(scan->orderByData, orderbys,
            static_cast<size_t>(scan->numberOfOrderBys) * sizeof(ScanKeyData));
}

}  // namespace vann::am
