// scan.hpp — ordered index scans.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/amapi.h"
#include "access/relscan.h"
}

namespace vann::ivfpq {

// ambeginscan, amrescan, amgettuple, amendscan. Between calls a scan holds no page lock and no index
// pin. Rows come in the order of the ordering operator; see README.md, "Search".
extern "C" IndexScanDesc ivfpq_beginscan(Relation index, int keys, int orderbys);
extern "C" void ivfpq_rescan(IndexScanDesc scan, ScanKey keys, int n_keys, ScanKey orderbys,
                             int n_orderbys);
extern "C" bool ivfpq_gettuple(IndexScanDesc scan, ScanDirection direction);
extern "C" void ivfpq_endscan(IndexScanDesc scan);

}  // namespace vann::ivfpq
