// ground_truth.hpp — exact answers, computed once and kept in a file, and recall against them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/data/exact.hpp"

namespace vann::bench {

// What the searches of one pass returned: [query][any number of row numbers].
using Found = std::vector<std::vector<int64_t>>;

// Which rows of the base a table holds at some moment.
using Present = std::function<bool(size_t)>;

class GroundTruth {
 public:
  // Neighbors within a range of rows, `allowed` if given; `tag` names that condition in the cache.
  // An empty `cache` keeps nothing. Keeps a reference to `data`.
  GroundTruth(const Dataset &data, RowRange rows, const std::string &cache,
              const std::string &tag = "all", const Allowed &allowed = {});

  // Mean, over the queries in `found`, of the share of the k nearest present rows that were found.
  // Queries with fewer than k rows to find are measured by what there is. A row as near as the k-th
  // counts, so that ties do not matter; a row that is not present or not allowed counts nothing,
  // nor does a second occurrence. Throws std::runtime_error if the known neighbors do not reach.
  double recall(const Found &found, size_t k, const Present &present = {}) const;

  // Known neighbors of a query, nearest first.
  const std::vector<uint32_t> &neighbors(size_t query) const { return neighbors_[query]; }

 private:
  // Kept per query: 100 and what deletions take away from 10.
  static constexpr size_t kKept = 128;

  bool read(const std::string &path);
  void write(const std::string &path) const;
  double distance(size_t query, size_t row) const;
  double recall_of(size_t query, const std::vector<int64_t> &found, size_t k,
                   const Present &present) const;

  const Dataset &data_;
  RowRange rows_;
  Allowed allowed_;
  std::vector<std::vector<uint32_t>> neighbors_;  // [queries.rows][<= kKept], nearest first
};

}  // namespace vann::bench
