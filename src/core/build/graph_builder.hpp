// graph_builder.hpp — bulk construction of one layer's graph by overlapping partitions (PiPNN,
// 2602.21247, with our measured settings; see README.md). In memory; stages are separate files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel/monitor.hpp"
#include "core/quantize/vector_code.hpp"

namespace vann::build {

inline constexpr uint32_t kNoRow = 0xffffffffu;

// The vectors of one layer, as byte codes. Distances are squared L2 between decoded codes.
// Does not own; rows must be distinct (duplicates are collapsed before).
struct VectorSet {
  size_t rows;
  size_t dims;                      // real dimensions; stride is padded_dims(dims)
  const int8_t *values;             // [rows][padded_dims(dims)]
  const quantize::ByteCode *codes;  // [rows]
  // The subset that this layer links: indexes into the arrays above; empty = all rows.
  std::span<const uint32_t> subset;

  size_t size() const noexcept { return subset.empty() ? rows : subset.size(); }
};

// All but the seed are positive.
struct GraphParams {
  uint32_t degree = 32;        // neighbors per row at the end; multiple of 32
  uint32_t candidates = 48;    // best candidates kept per row while leaves are worked
  uint32_t fanout = 10;        // overlapping leaves that a row belongs to
  uint32_t leaf_rows = 1000;   // largest leaf
  uint32_t kept_per_leaf = 8;  // nearest rows kept from each leaf
  uint32_t threads = 1;        // including the starting one
  uint64_t seed = 0;
};

enum class Stage { kPartition, kLeaves, kPrune, kReverse, kConnect, kCount };

// Neighbors of every row of the set, nearest first; unused slots hold kNoRow and come last. When
// size() > degree every list is full. Rows are numbered by rank, partition order: order[rank] is
// the row's position in the set, and near rows have near ranks.
struct Graph {
  size_t rows = 0;
  uint32_t degree = 0;
  std::vector<uint32_t> neighbors;  // [rows][degree] ranks
  std::vector<uint32_t> order;      // [rows] a permutation of the positions
  uint32_t entry = kNoRow;          // the row nearest the middle; all rows are reachable from it
};

// Builds the graph. Every row is reachable from `entry` along the lists. The result is the same for
// any number of threads. Throws parallel::Cancelled, std::bad_alloc.
Graph build_graph(const VectorSet &set, const GraphParams &params, parallel::Monitor &monitor);

}  // namespace vann::build
