// cost.hpp — what cost models of access methods share. Reads statistics only.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/amapi.h"
#include "nodes/pathnodes.h"
}

namespace vann::am {

// Dearer than any plan, yet below what enable_* settings add: a last resort.
inline constexpr double kUnwanted = 1.0e9;
// Dearer than what enable_* settings add: for scans that would fail.
inline constexpr double kImpossible = 1.0e15;

// What fetching one random page of the index costs, given how much of it the cache may hold.
double page_cost(const IndexOptInfo &index);

// Prices a path that would fail; the last five arguments are those of amcostestimate.
void refuse(IndexPath *path, Cost *startup, Cost *total, Selectivity *selectivity,
            double *correlation, double *pages);

}  // namespace vann::am
