// relink.cpp — see relink.hpp.
#include "am/hnsw/relink.hpp"

namespace vann::hnsw {

namespace {

// Beam of the search for a place to link from.
constexpr size_t kSearchWidth = 32;

}  // namespace

Relink::Relink(const Index &index, const RecordMap &map, MemoryContext context)
    : index_(index), map_(map), context_(context) {
  const Layout &layout = index.layout();
  const size_t query_bytes = quantize::query_bytes(layout.shape);
  image_ = pg::allocate_aligned<uint8_t>(context, layout.stride);
  decoded_ = pg::allocate_aligned<float>(context, layout.shape.dims);
  source_decoded_ = pg::allocate_aligned<float>(context, layout.shape.dims);
  query_memory_ = pg::allocate_aligned<uint8_t>(context, query_bytes);
  source_memory_ = pg::allocate_aligned<uint8_t>(context, query_bytes);
  code_ = pg::allocate_aligned<uint8_t>(context, edge_code_bytes(layout));
  plan_ = {&index_, &query_, Measure::kLength,
           pg::allocate_aligned<float>(context, layout.shape.dims),
           pg::allocate_aligned<uint8_t>(context, query_bytes)};
}

bool Relink::link(uint32_t id) {
  if (!read(id)) return false;
  source_count_ = 0;
  add_neighbors();
  if (source_count_ == 0) add_found();
  // A list with room, or one where the edge is worth its place, before one that must yield.
  for (const bool force : {false, true})
    for (uint32_t i = 0; i < source_count_; ++i)
      if (add_edge(sources_[i], force)) return true;
  return false;
}

bool Relink::read(uint32_t id) {
  id_ = id;
  {
    RecordPage page(index_, id, BUFFER_LOCK_SHARE);
    const ConstRecord record = page.record();
    if (record.state() != State::kLive || !record.traversable()) return false;
    memcpy(image_, record.data(), index_.layout().stride);
  }
  decode_record(ConstRecord(image_, index_.layout()), decoded_);
  query_ = quantize::prepare_query(index_.layout().shape, decoded_, query_memory_);
  return true;
}

void Relink::add_source(const Source &source) {
  if (source.record == id_ || !map_.is_live(source.record, source.generation) ||
      !map_.reached(source.record))
    return;
  uint32_t at = source_count_;
  while (at > 0 && sources_[at - 1].length > source.length) --at;
  if (at == kMaxSources) return;
  if (source_count_ < kMaxSources) ++source_count_;
  for (uint32_t i = source_count_ - 1; i > at; --i) sources_[i] = sources_[i - 1];
  sources_[at] = source;
}

void Relink::add_neighbors() {
  const ConstRecord record(image_, index_.layout());
  for (uint32_t slot = 0; slot < record.header().neighbor_count; ++slot)
    add_source({edge_length(record, slot), record.ids()[slot], record.generations()[slot]});
}

void Relink::add_found() {
  const int level = ConstRecord(image_, index_.layout()).header().level;
  if (level > index_.entry.level) return;
  const Allocator allocator = pg::allocator_in(context_);
  Seeds seeds;
  frontier_.start(allocator, kSearchWidth);
  descend(plan_, allocator, frontier_, level, &seeds);
  seeds.offer_to(frontier_, allocator, kSearchWidth);
  search_level(plan_, level, frontier_,
               [&](const graph::Offer &offer, ConstRecord record, const Expanded &expanded) {
                 add_source({expanded.distance, offer.node, record.header().generation});
               });
}

bool Relink::add_edge(const Source &source, bool force) {
  const Layout &layout = index_.layout();
  const ConstRecord lost(image_, layout);
  {
    RecordPage page(index_, source.record, BUFFER_LOCK_SHARE);
    decode_record(page.record(), source_decoded_);
  }
  const Edge edge = encode_edge(layout, source_decoded_, decoded_, id_, lost.header().generation,
                                code_);
  quantize::PreparedQuery parent;
  const bool by_product = layout.shape.geometry == quantize::Geometry::kInnerProduct;
  if (by_product) parent = quantize::prepare_query(layout.shape, source_decoded_, source_memory_);

  RecordPage page(index_, source.record, BUFFER_LOCK_EXCLUSIVE);
  const ConstRecord found = page.record();
  if (found.state() != State::kLive || found.header().generation != source.generation ||
      found.header().level != lost.header().level || !found.traversable())
    return false;
  int slot = find_edge(found, id_);
  if (slot == kNoSlot)
    slot = choose_slot(found, query_, by_product ? &parent : nullptr,
                       edge.factors.residual_squared, force);
  if (slot == kNoSlot) return false;
  pg::PageEdit edit(index_.relation);
  Record record = page.record_in_copy(edit.modify(page.page()));
  put_edge(record, static_cast<uint32_t>(slot), edge);
  if (static_cast<uint32_t>(slot) == record.header().neighbor_count)
    ++record.header().neighbor_count;
  edit.commit();
  return true;
}

}  // namespace vann::hnsw
