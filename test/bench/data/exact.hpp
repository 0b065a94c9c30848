// exact.hpp — nearest neighbors by brute force.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bench/data/dataset.hpp"

namespace vann::bench {

// Rows [first, last) of a data set's base.
struct RowRange {
  size_t first;
  size_t last;
};

// Whether a row may be in the answer to a query. Called from several threads.
using Allowed = std::function<bool(size_t query, size_t row)>;

// Neighbors of each query, nearest first: `kept` of the allowed rows of the range, fewer where
// fewer are allowed; ties in any order. All processors work on it: 1,000 queries on a million rows
// of 128 dimensions take some seconds.
std::vector<std::vector<uint32_t>> exact_neighbors(const Dataset &data, RowRange rows, size_t kept,
                                                   const Allowed &allowed = {});

}  // namespace vann::bench
