// plan.hpp — how many lists an index gets, and what of maintenance_work_mem each stage of its build
// may take.
#pragma once

#include "am/ivfpq/page.hpp"

namespace vann::ivfpq {

struct BuildPlan {
  uint32_t lists;        // wanted; fewer come of fewer rows
  uint32_t sample_rows;  // to train on
  uint32_t coded_rows;   // of these, whose residuals learn codebooks and a rotation
  unsigned threads;
};

// For a table of about so many rows. A sample and the training take at most half of
// maintenance_work_mem, but kLeastTrainBytes; lists are fewer where that leaves too few rows for each.
BuildPlan plan_build(const MetaPage &meta, const Layout &layout, double rows);

// How many lists can be trained on so many rows.
uint32_t trainable_lists(const MetaPage &meta, uint32_t lists, size_t sample_rows);

// Of maintenance_work_mem, in bytes.
size_t build_memory();

// Rows below which codebooks and rotations are not learned, and lists not divided unless asked for.
inline constexpr size_t kLeastTrained = 1000;

}  // namespace vann::ivfpq
