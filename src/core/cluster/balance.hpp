// balance.hpp — lists of similar lengths: long ones are split, short ones dissolved.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cluster/lloyd.hpp"

namespace vann::cluster {

// Of the mean length of a list: what is split above, what is dissolved below.
inline constexpr double kLongList = 2.0;
inline constexpr double kShortList = 0.25;

enum class Plan {
  kFill,     // free numbers, those of empty lists among them, go to the lists longest per part
  kBalance,  // and short lists give theirs to long ones
};

// Into how many parts each list is to go, 0: its rows go to other lists of the cell. A list of equal
// rows is never split, the last list of a cell's rows never dissolved.
std::vector<uint32_t> plan_parts(const build::RowView &view, const Clustering &clustering,
                                 uint32_t wanted, Plan plan);

// One round: carries out a plan by k-means inside the lists to be split, then `iterations` of Lloyd's
// algorithm in the cells. False, and nothing changed: there was nothing to do. Throws
// parallel::Cancelled, std::bad_alloc.
bool balance(Lloyd &lloyd, Clustering &clustering, uint32_t wanted, Plan plan, uint32_t iterations);

// Fills in rounds, until `wanted` lists have rows or no more can be had.
void fill(Lloyd &lloyd, Clustering &clustering, uint32_t wanted);

// Removes lists without rows, and cells without lists, after an assignment.
void drop_empty(size_t dims, Clustering &clustering);

}  // namespace vann::cluster
