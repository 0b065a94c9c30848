// reassign.hpp — after a split: rows of neighboring lists that are nearer to one of the new centroids (LIRE;
// Xu et al. 2023, SPFresh, section 4).
#pragma once

#include "am/ivfpq/organise/rewrite.hpp"

namespace vann::ivfpq {

// Moves such rows of the neighbors to the new lists: a copy first, then a mark in the old place, which
// stays for scans that are under way. Returns how many moved; moved[i] counts those of neighbor i.
uint64_t reassign(Run *run, const Rewritten &rewritten, uint64_t *moved);

}  // namespace vann::ivfpq
