// edges.cpp — neighbor slots of one record. See README.md, "Insert".
#include "am/hnsw/edges.hpp"

#include "core/base/bfloat16.hpp"

#include <algorithm>
#include <cstring>

namespace vann::hnsw {

namespace {

constexpr uint32_t kMaxDegree = 224;
constexpr uint32_t kBlock = simd::kScanWidth;

// neighbor_count, which a damaged page may have beyond the slots.
uint32_t edge_count(ConstRecord record) noexcept {
  return std::min<uint32_t>(record.header().neighbor_count, record.layout().degree);
}

}  // namespace

void distances_to_neighbors(ConstRecord record, const quantize::PreparedQuery &newcomer,
                            const quantize::PreparedQuery *parent, float length,
                            float *out) noexcept {
  const uint32_t degree = record.layout().degree;
  const bool inner_product = newcomer.shape.geometry == quantize::Geometry::kInnerProduct;
  for (uint32_t block = 0; block * kBlock < degree; ++block) {
    const uint32_t first = block * kBlock;
    const uint16_t *scales = record.scales() + first;
    const uint16_t *offsets = record.offsets() + first;
    if (!inner_product) {
      quantize::estimate_neighbors(newcomer, length, record.tiles(block), scales, offsets,
                                   out + first);
      continue;
    }
    // With r = neighbor - parent: |x - n|^2 = |x - c|^2 + |r|^2 - 2 <r, x - c>, and the estimates
    // of two queries differ by -<r, x - c>.
    float of_newcomer[simd::kScanWidth];
    float of_parent[simd::kScanWidth];
    quantize::estimate_neighbors(newcomer, 0.0f, record.tiles(block), scales, offsets,
                                 of_newcomer);
    quantize::estimate_neighbors(*parent, 0.0f, record.tiles(block), scales, offsets, of_parent);
    for (uint32_t i = 0; i < kBlock; ++i)
      out[first + i] = length + edge_length(record, first + i) -
                       2.0f * (of_parent[i] - of_newcomer[i]);
  }
}

Edge encode_edge(const Layout &layout, const float *parent, const float *neighbor, uint32_t record,
                 uint8_t generation, uint8_t *code) noexcept {
  const quantize::CodeShape &shape = layout.shape;
  const quantize::NeighborFactors factors =
      quantize::encode_neighbor(parent, neighbor, shape.dims, shape.neighbor_dims,
                                shape.neighbor_bits, shape.geometry, code);
  return {record, generation, factors, code};
}

void put_edge(Record record, uint32_t slot, const Edge &edge) noexcept {
  const quantize::CodeShape &shape = record.layout().shape;
  record.ids()[slot] = edge.record;
  record.scales()[slot] = to_bfloat16(edge.factors.scale);
  record.offsets()[slot] = to_bfloat16(edge.factors.offset);
  record.residuals()[slot] = to_bfloat16(edge.factors.residual_squared);
  record.generations()[slot] = edge.generation;
  quantize::store_tile(record.tiles(slot / kBlock), slot % kBlock, edge.code,
                       shape.neighbor_dims, shape.neighbor_bits);
}

void remove_edge(Record record, uint32_t slot) noexcept {
  const quantize::CodeShape &shape = record.layout().shape;
  const uint32_t last = --record.header().neighbor_count;
  if (slot == last) return;
  record.ids()[slot] = record.ids()[last];
  record.scales()[slot] = record.scales()[last];
  record.offsets()[slot] = record.offsets()[last];
  record.residuals()[slot] = record.residuals()[last];
  record.generations()[slot] = record.generations()[last];
  uint8_t code[kPageBytes / 32];
  quantize::load_tile(record.tiles(last / kBlock), last % kBlock, code,
                      shape.neighbor_dims, shape.neighbor_bits);
  quantize::store_tile(record.tiles(slot / kBlock), slot % kBlock, code,
                       shape.neighbor_dims, shape.neighbor_bits);
}

float edge_length(ConstRecord record, uint32_t slot) noexcept {
  return from_bfloat16(record.residuals()[slot]);
}

void decode_record(ConstRecord record, float *out) noexcept {
  const quantize::CodeShape &shape = record.layout().shape;
  quantize::decode_planes(record.code(), record.header().factors, shape.dims, shape.code_bits, out);
}

int find_edge(ConstRecord record, uint32_t target) noexcept {
  const uint32_t *ids = record.ids();
  const uint32_t count = edge_count(record);
  const uint32_t *found = std::find(ids, ids + count, target);
  return found == ids + count ? kNoSlot : static_cast<int>(found - ids);
}

bool Targets::contains(uint32_t record) const noexcept {
  return std::find(ids, ids + count, record) != ids + count;
}

int choose_slot(ConstRecord record, const quantize::PreparedQuery &newcomer,
                const quantize::PreparedQuery *parent, float length, const Targets &targets,
                bool force) noexcept {
  const uint32_t count = edge_count(record);
  if (count < record.layout().degree) return static_cast<int>(count);

  float distances[kMaxDegree];
  distances_to_neighbors(record, newcomer, parent, length, distances);
  int hidden = kNoSlot;    // the farthest target that x hides
  int farthest = kNoSlot;  // the farthest target beyond x (of all, when forced)
  float hidden_length = 0;
  float farthest_length = force ? -1.0f : length;
  for (uint32_t i = 0; i < count; ++i) {
    const float neighbor_length = edge_length(record, i);
    const bool nearer = neighbor_length < length;
    if (nearer && kOcclusion * distances[i] <= length && !force) return kNoSlot;
    const bool hides = !nearer && kOcclusion * distances[i] <= neighbor_length;
    const bool first = hides && neighbor_length > hidden_length;
    if (!first && neighbor_length <= farthest_length) continue;
    if (!targets.contains(record.ids()[i])) continue;
    if (first) {
      hidden = static_cast<int>(i);
      hidden_length = neighbor_length;
    }
    if (neighbor_length > farthest_length) {
      farthest = static_cast<int>(i);
      farthest_length = neighbor_length;
    }
  }
  return hidden != kNoSlot ? hidden : farthest;
}

}  // namespace vann::hnsw
