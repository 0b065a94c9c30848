// memory_plan.cpp — upper bounds of what the stages allocate.
#include "core/bulk/memory_plan.hpp"

#include <algorithm>

#include "core/build/pivots.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

// Per thread: a gathered and packed leaf with its norms, a tile of products, lists.
size_t thread_bytes(const Params &params) {
  return params.graph.leaf_rows * (2 * quantize::padded_dims(params.dims) + 200) + (size_t{256} << 10);
}

// Pivots in three forms, and their means as floats.
size_t pivot_bytes(const Params &params) {
  return build::kMaxPivots * (3 * quantize::padded_dims(params.dims) + 4 * params.dims + 64);
}

// A graph's lists, edges and numbers at the peak (core/build/README.md, "Memory"), of which a row has
// on average no more than three quarters of its edges in both directions; then this layer's numbers.
size_t graph_row_bytes(const Params &params) {
  return 8 * list_length(params) + 6 * params.graph.degree + 18 + 16;
}

}  // namespace

size_t fixed_bytes(const Params &params) {
  return params.graph.threads * thread_bytes(params) + pivot_bytes(params) + (size_t{2} << 20);
}

size_t linked_row_bytes(const Params &params) {
  const size_t level = code_bytes(params) + sizeof(RowKey) + graph_row_bytes(params);
  const double above = params.level_divisor > 1 ? 1 / (params.level_divisor - 1) : 0;
  return level + static_cast<size_t>(static_cast<double>(level) * above) + 1;
}

size_t rows_in_memory(const Params &params) {
  const size_t fixed = std::min(fixed_bytes(params), params.memory / 2);
  return (params.memory - fixed) / linked_row_bytes(params);
}

size_t one_pass_bytes(const Params &params, size_t rows) {
  return fixed_bytes(params) + (rows + 1) * linked_row_bytes(params);
}

// Rows three times (as they came, by range, by number), entries of cells, finds, lists, edges, links. A
// quarter more: a row that is compared in several groups has finds of each. Measured are 83 % of
// this with clusters in 128 dimensions, 96 % with uniform rows of 32.
size_t spilled_bytes(const Params &params, size_t rows) {
  const build::GraphParams &graph = params.graph;
  return rows * 5 / 4 *
         (3 * (code_bytes(params) + sizeof(RowKey)) + 8 * graph.fanout +
          8 * graph.fanout * graph.kept_per_leaf + 8 * list_length(params) + 20 * graph.degree);
}

}  // namespace vann::bulk
