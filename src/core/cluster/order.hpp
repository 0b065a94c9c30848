// order.hpp — numbers for centroids so that near ones have near numbers.
#pragma once

#include "core/cluster/progress.hpp"
#include "core/cluster/train.hpp"

namespace vann::cluster {

// Renumbers the cells, and the centroids in each cell: every next one is the nearest of those left
// (a greedy chain). Throws parallel::Cancelled, std::bad_alloc.
void arrange(Centroids &centroids, Progress &progress);

}  // namespace vann::cluster
