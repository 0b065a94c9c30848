// maintain.cpp — ivfpq_maintain(): what VACUUM does at its end, on demand.
#include "am/common/inspect.hpp"
#include "am/ivfpq/vacuum/cleanup.hpp"
#include "am/ivfpq/index.hpp"
#include "am/ivfpq/vacuum/vacuum.hpp"

extern "C" {
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "storage/bufmgr.h"
}

namespace vann::ivfpq {

namespace {

constexpr int kColumns = 5;

void report_recovery() {
  if (!RecoveryInProgress()) return;
  ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION), errmsg("recovery is in progress"),
                  errhint("Indexes are organised on the primary.")));
}

Maintained maintain(Oid oid) {
  report_recovery();
  // Who waits for the lock and may not use it would keep VACUUM away: rights are looked at first.
  am::close_inspected(am::open_inspected(oid, ivfpq_bulkdelete, kAccessMethod));
  Relation heap = table_open(IndexGetRelation(oid, false), ShareUpdateExclusiveLock);
  Relation index = index_open(oid, RowExclusiveLock);
  const BufferAccessStrategy strategy = GetAccessStrategy(BAS_VACUUM);
  const Maintained done = clean_up(index, strategy, nullptr);
  FreeAccessStrategy(strategy);
  index_close(index, NoLock);
  table_close(heap, NoLock);
  return done;
}

}  // namespace

}  // namespace vann::ivfpq

VANN_FUNCTION(ivfpq_maintain) {
  const vann::ivfpq::Maintained done = vann::ivfpq::maintain(PG_GETARG_OID(0));
  bool nulls[vann::ivfpq::kColumns] = {};
  Datum values[vann::ivfpq::kColumns] = {Int64GetDatum(static_cast<int64>(done.splits)),
                                         Int64GetDatum(static_cast<int64>(done.merges)),
                                         Int64GetDatum(static_cast<int64>(done.refreshed)),
                                         Int64GetDatum(static_cast<int64>(done.moved_rows)),
                                         Int64GetDatum(static_cast<int64>(done.freed_pages))};
  return vann::am::one_row(fcinfo, values, nulls);
}
