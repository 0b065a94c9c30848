// cost.hpp — what the planner is told of a scan.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/amapi.h"
#include "nodes/pathnodes.h"
}

namespace vann::ivfpq {

// amcostestimate; see README.md, "Cost model". Reads statistics only, never the index.
extern "C" void ivfpq_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
                                  Cost *startup, Cost *total, Selectivity *selectivity,
                                  double *correlation, double *pages);

}  // namespace vann::ivfpq
