// ground_truth.hpp — exact neighbors of every query, computed once, and recall against them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataset.hpp"

namespace vann::bench {

// Which rows of the base a table holds at some moment.
using Present = std::function<bool(size_t)>;

class GroundTruth {
 public:
  // Brute force on all processors, or read from a file in `cache`, whose name and check sum bind it
  // to the data. Keeps the `data`, which must outlive it.
  GroundTruth(const Dataset &data, const std::string &cache);

  // Mean share of the k nearest present rows among `found` ([query][any number of row numbers]).
  // A row as near as the k-th counts, so that ties do not matter. Throws std::runtime_error when
  // fewer than k of the known neighbors are present.
  double recall(const std::vector<std::vector<int64_t>> &found, size_t k,
                const Present &present) const;

 private:
  // Kept per query: enough to leave k after deletions of a tenth and some held-out rows.
  static constexpr size_t kKept = 100;

  void compute();
  void compute_query(size_t query);
  bool read(const std::string &path);
  void write(const std::string &path) const;
  float distance(size_t query, size_t row) const;

  const Dataset &data_;
  std::vector<float> base_scale_;    // [base.rows]: 1, or 1 / length under cosine
  std::vector<uint32_t> neighbors_;  // [queries.rows][kKept], nearest first
};

}  // namespace vann::bench
