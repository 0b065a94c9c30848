// handler.cpp — the access method's table of callbacks.
#include "pg/postgres.hpp"

#include "am/common/opclass.hpp"
#include "am/common/property.hpp"
#include "am/common/validate.hpp"
#include "am/hnsw/build/build.hpp"
#include "am/hnsw/cost.hpp"
#include "am/hnsw/handler.hpp"
#include "am/hnsw/index.hpp"
#include "am/hnsw/insert.hpp"
#include "am/hnsw/options.hpp"
#include "am/hnsw/scan.hpp"
#include "am/hnsw/vacuum/vacuum.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "access/amapi.h"
#include "commands/vacuum.h"
}

namespace vann::hnsw {

namespace {

extern "C" bool hnsw_validate(Oid opclass) { return am::validate_opclass(opclass, kAccessMethod); }

}  // namespace

IndexAmRoutine *make_routine() {
  IndexAmRoutine *routine = makeNode(IndexAmRoutine);
  routine->amsupport = am::kDescribeProc;
  routine->amcanorderbyop = true;
  routine->amoptionalkey = true;  // scans come without a qual: ORDER BY alone
  routine->amkeytype = InvalidOid;
  routine->amparallelvacuumoptions =
      VACUUM_OPTION_PARALLEL_BULKDEL | VACUUM_OPTION_PARALLEL_CLEANUP;

  pg::declare_parallel_build(routine);

  routine->ambuild = hnsw_build;
  routine->ambuildempty = hnsw_buildempty;
  routine->aminsert = hnsw_insert;
  routine->ambulkdelete = hnsw_bulkdelete;
  routine->amvacuumcleanup = hnsw_vacuumcleanup;
  routine->amcostestimate = hnsw_costestimate;
  routine->amoptions = hnsw_options;
  routine->amproperty = am::nearest_property;
  routine->ambuildphasename = hnsw_buildphasename;
  routine->amvalidate = hnsw_validate;
  routine->ambeginscan = hnsw_beginscan;
  routine->amrescan = hnsw_rescan;
  routine->amgettuple = hnsw_gettuple;
  routine->amendscan = hnsw_endscan;
  return routine;
}

}  // namespace vann::hnsw

VANN_FUNCTION(hnsw_handler) { PG_RETURN_POINTER(vann::hnsw::make_routine()); }
