// edges.hpp — neighbor slots of one record: encoding, reading, and the page-local rule that decides
// whether a new edge enters a full list. PostgreSQL-free; works on records in page copies.
#pragma once

#include "am/hnsw/page.hpp"

namespace vann::hnsw {

// Squared L2 occlusion factor of SELECT-NEIGHBORS-HEURISTIC (Algorithm 4 of Malkov & Yashunin 2018,
// with DiskANN's alpha): a kept neighbor r hides e when kOcclusion * d(r, e) <= d(parent, e).
inline constexpr float kOcclusion = 1.2f;

// An edge ready to be stored: its target and the target's code relative to the parent.
struct Edge {
  uint32_t record;
  uint8_t generation;
  quantize::NeighborFactors factors;
  const uint8_t *code;  // [neighbor_code_bytes]
};

constexpr size_t edge_code_bytes(const Layout &layout) noexcept {
  return quantize::neighbor_code_bytes(layout.shape.neighbor_dims, layout.shape.neighbor_bits);
}

// Encodes the edge from `parent` to `neighbor`, both decoded ([shape.dims]); `code` receives
// edge_code_bytes(). The result points to `code`.
Edge encode_edge(const Layout &layout, const float *parent, const float *neighbor, uint32_t record,
                 uint8_t generation, uint8_t *code) noexcept;

// Writes the edge into slot `slot` < degree; the caller maintains neighbor_count.
void put_edge(Record record, uint32_t slot, const Edge &edge) noexcept;

// Removes slot `slot`: the last edge takes its place.
void remove_edge(Record record, uint32_t slot) noexcept;

// Squared L2 distance from the parent to the neighbor in a slot (of decoded codes).
float edge_length(ConstRecord record, uint32_t slot) noexcept;

// The decoded own code of a record, out[shape.dims].
void decode_record(ConstRecord record, float *out) noexcept;

// The slot of the edge to `target`, or -1.
int find_edge(ConstRecord record, uint32_t target) noexcept;

// Estimated squared L2 distances from x to every neighbor of the record, out[degree]; arguments as
// choose_slot() has them.
void distances_to_neighbors(ConstRecord record, const quantize::PreparedQuery &newcomer,
                            const quantize::PreparedQuery *parent, float length,
                            float *out) noexcept;

inline constexpr int kNoSlot = -1;

// The targets of a newcomer's own edges, x -> n.
struct Targets {
  const uint32_t *ids;
  uint32_t count;

  bool contains(uint32_t record) const noexcept;
};

// The page-local rule: which slot of `record` a new edge to x may take, from the page alone.
//   newcomer  x's decoded code prepared as a query of the layout's shape
//   parent    the record's own decoded code prepared likewise; needed (and read) only under the
//             inner product, whose stored offsets do not give L2 distances by themselves; else null
//   length    squared L2 distance from the record's decoded code to x's
//   targets   where x's own edges lead: only they may be evicted, so that what the record could reach
//             through the evicted edge it still reaches through x. Inserts never cut anything off.
//   force     take a slot even when neighbors hide x or all are nearer (an element must not be left
//             without any edge that leads to it)
// A free slot is taken as it is. In a full list x is refused when a nearer neighbor hides it;
// otherwise it evicts the farthest target that it hides, else the farthest target that is farther than
// x. Returns the slot (neighbor_count for a free one) or kNoSlot.
int choose_slot(ConstRecord record, const quantize::PreparedQuery &newcomer,
                const quantize::PreparedQuery *parent, float length, const Targets &targets,
                bool force) noexcept;

}  // namespace vann::hnsw
