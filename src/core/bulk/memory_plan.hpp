// memory_plan.hpp — how many bytes each part of a build takes: what fits, what a group may hold. The
// figures are upper bounds of what the stages allocate; README.md, "Memory", has the table.
#pragma once

#include <cstddef>

#include "core/bulk/index_build.hpp"

namespace vann::bulk {

// Bytes of a row's code, digits and factors.
constexpr size_t code_bytes(const Params &params) noexcept {
  return quantize::padded_dims(params.dims) + sizeof(quantize::ByteCode);
}

// Slots of a candidate list.
constexpr size_t list_length(const Params &params) noexcept {
  return params.graph.candidates > params.graph.degree ? params.graph.candidates
                                                       : params.graph.degree;
}

// What threads, pivots and buffers take beside the rows.
size_t fixed_bytes(const Params &params);

// Per distinct row that is linked in memory: its code, key, lists, edges and numbers at the peak.
size_t linked_row_bytes(const Params &params);

// Distinct rows that can be linked in memory.
size_t rows_in_memory(const Params &params);

}  // namespace vann::bulk
