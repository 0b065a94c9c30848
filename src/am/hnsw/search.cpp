// search.cpp — measuring records, and the descent through the upper levels.
#include "am/hnsw/search.hpp"

#include <limits>

namespace vann::hnsw {

namespace {

// Beam on the upper levels: wider than the paper's 1, because estimates are noisy.
constexpr size_t kUpperWidth = 2;

Expanded measure_by_metric(const SearchPlan &plan, ConstRecord record, float *out) {
  const quantize::OwnEstimate own =
      quantize::estimate_own(*plan.query, record.code(), record.header().factors);
  for (uint32_t first = 0; first < record.header().neighbor_count; first += simd::kScanWidth)
    quantize::estimate_neighbors(*plan.query, own.anchor, record.tiles(first / simd::kScanWidth),
                                 record.scales() + first, record.offsets() + first, out + first);
  return {own.anchor, own.distance, own.error, InvalidXLogRecPtr};
}

// Inner product: squared L2 from quantities that the metric's codes give (see edges.cpp).
Expanded measure_by_length(const SearchPlan &plan, ConstRecord record, float *out) {
  const quantize::OwnEstimate own =
      quantize::estimate_own(*plan.query, record.code(), record.header().factors);
  const float length = std::max(
      0.0f, plan.query->norm_squared + quantize::decoded_norm_squared(record.header().factors) +
                2.0f * own.anchor);
  decode_record(record, plan.scratch);
  const quantize::PreparedQuery parent =
      quantize::prepare_query(plan.index->layout().shape, plan.scratch, plan.parent_memory);
  distances_to_neighbors(record, *plan.query, &parent, length, out);
  return {length, length, 0.0f, InvalidXLogRecPtr};
}

}  // namespace

Expanded measure_record(const SearchPlan &plan, ConstRecord record, float *out) {
  const bool by_length = plan.measure == Measure::kLength &&
                         plan.query->shape.geometry == quantize::Geometry::kInnerProduct;
  return by_length ? measure_by_length(plan, record, out) : measure_by_metric(plan, record, out);
}

void Seeds::add(float distance, uint32_t record, uint16_t generation) {
  size_t at = count_;
  while (at > 0 && seeds_[at - 1].estimate > distance) --at;
  if (at == kMost) return;
  if (count_ < kMost) ++count_;
  for (size_t i = count_ - 1; i > at; --i) seeds_[i] = seeds_[i - 1];
  seeds_[at] = {distance, record, generation};
}

void Seeds::offer_to(graph::Frontier &frontier, const Allocator &allocator, size_t width) const {
  frontier.start(allocator, width);
  for (size_t i = 0; i < count_; ++i)
    frontier.offer(seeds_[i].estimate, seeds_[i].node, seeds_[i].generation);
}

void descend(const SearchPlan &plan, const Allocator &allocator, graph::Frontier &frontier,
             int to_level, Seeds *seeds) {
  const EntryPoint &entry = plan.index->entry;
  seeds->clear();
  // Its distance is not known yet, and must not narrow the beam.
  seeds->add(std::numeric_limits<float>::infinity(), entry.record, entry.generation);
  for (int level = entry.level; level > to_level; --level) {
    seeds->offer_to(frontier, allocator, kUpperWidth);
    seeds->clear();
    search_level(plan, level, frontier,
                 [&](const graph::Offer &, ConstRecord record, const Expanded &expanded) {
                   seeds->add(expanded.distance, record.header().chain, graph::kAnyGeneration);
                 });
  }
}

}  // namespace vann::hnsw
