// kmeans.hpp — the k-means of one subvector: Lloyd's iterations from a start by k-means++ (Arthur and
// Vassilvitskii 2007).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel/team.hpp"

namespace vann::codebook {

struct KmeansTask {
  const float *points;  // [count][length], finite
  size_t count;         // > 0
  size_t length;
  size_t entries;  // a multiple of four
  size_t stride;   // of an entry in floats, at least `length`
  uint64_t seed;
  uint64_t stream;  // the subvector: each draws numbers of its own
};

// Writes the first `length` values of `entries` entries. An entry that no point is nearest to takes
// the place of the point that its own entry serves worst; only where points are fewer than entries
// do some repeat. Throws std::bad_alloc, and what the worker's checkpoint throws.
void train_entries(const KmeansTask &task, parallel::Worker &worker, float *entries);

}  // namespace vann::codebook
