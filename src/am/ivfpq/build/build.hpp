// build.hpp — CREATE INDEX and REINDEX.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/amapi.h"
#include "nodes/execnodes.h"
}

namespace vann::ivfpq {

// ambuild, ambuildempty, ambuildphasename. Nobody else sees the index meanwhile: no locks. See
// ../README.md, "Build".
extern "C" IndexBuildResult *ivfpq_build(Relation heap, Relation index, IndexInfo *info);
extern "C" void ivfpq_buildempty(Relation index);
extern "C" char *ivfpq_buildphasename(int64 phase);

}  // namespace vann::ivfpq
