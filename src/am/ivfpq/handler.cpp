// handler.cpp — the access method's table of callbacks.
#include "pg/postgres.hpp"

#include "am/common/opclass.hpp"
#include "am/common/property.hpp"
#include "am/common/validate.hpp"
#include "am/ivfpq/build/build.hpp"
#include "am/ivfpq/cost.hpp"
#include "am/ivfpq/handler.hpp"
#include "am/ivfpq/index.hpp"
#include "am/ivfpq/insert.hpp"
#include "am/ivfpq/options.hpp"
#include "am/ivfpq/scan.hpp"
#include "am/ivfpq/vacuum/vacuum.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "access/amapi.h"
#include "commands/vacuum.h"
}

namespace vann::ivfpq {

namespace {

extern "C" bool ivfpq_validate(Oid opclass) { return am::validate_opclass(opclass, kAccessMethod); }

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

  routine->ambuild = ivfpq_build;
  routine->ambuildempty = ivfpq_buildempty;
  routine->aminsert = ivfpq_insert;
  routine->ambulkdelete = ivfpq_bulkdelete;
  routine->amvacuumcleanup = ivfpq_vacuumcleanup;
  routine->amcostestimate = ivfpq_costestimate;
  routine->amoptions = ivfpq_options;
  routine->amproperty = am::nearest_property;
  routine->ambuildphasename = ivfpq_buildphasename;
  routine->amvalidate = ivfpq_validate;
  routine->ambeginscan = ivfpq_beginscan;
  routine->amrescan = ivfpq_rescan;
  routine->amgettuple = ivfpq_gettuple;
  routine->amendscan = ivfpq_endscan;
  return routine;
}

}  // namespace vann::ivfpq

VANN_FUNCTION(ivfpq_handler) { PG_RETURN_POINTER(vann::ivfpq::make_routine()); }
// pgvector's name for inverted lists: the same access method, so that its schemas load.
VANN_FUNCTION(ivfflat_handler) { PG_RETURN_POINTER(vann::ivfpq::make_routine()); }
