// relink.cpp — see relink.hpp.
#include "am/hnsw/vacuum/relink.hpp"

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
  code_ = pg::allocate_aligned<uint8_t>(context, edge_code_bytes(layout));
  plan_ = {&index_, &query_, Measure::kLength,
           pg::allocate_aligned<float>(context, layout.shape.dims),
           pg::allocate_aligned<uint8_t>(context, query_bytes)};
}

bool Relink::link(uint32_t id) {
  if (!read(id)) return false;
  source_count_ = 0;
  add_neighbors();
  if (try_sources(Place::kFree) || try_sources(Place::kCovered)) return true;
  add_found();
  for (const Place place : {Place::kFree, Place::kCovered, Place::kGone, Place::kAny})
    if (try_sources(place)) return true;
  return false;
}

bool Relink::try_sources(Place place) {
  for (uint32_t i = 0; i < source_count_; ++i)
    if (add_edge(sources_[i], place)) return true;
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
  for (uint32_t i = 0; i < source_count_; ++i)
    if (sources_[i].record == source.record) return;
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

// The slot of `list` that the edge may take, or kNoSlot. The farthest neighbor yields.
int Relink::choose_place(ConstRecord list, Place place) const {
  const uint32_t count = list.header().neighbor_count;
  if (count < list.layout().degree) return static_cast<int>(count);
  if (place == Place::kFree) return kNoSlot;
  const ConstRecord lost(image_, index_.layout());
  int chosen = kNoSlot;
  for (uint32_t slot = 0; slot < count; ++slot) {
    const uint32_t target = list.ids()[slot];
    const bool may_yield =
        place == Place::kAny ||
        (place == Place::kCovered ? find_edge(lost, target) != kNoSlot
                                  : map_.is_gone(target, list.generations()[slot]));
    if (may_yield && (chosen == kNoSlot ||
                      edge_length(list, slot) > edge_length(list, static_cast<uint32_t>(chosen))))
      chosen = static_cast<int>(slot);
  }
  return chosen;
}

bool Relink::add_edge(const Source &source, Place place) {
  const Layout &layout = index_.layout();
  const ConstRecord lost(image_, layout);
  {
    RecordPage page(index_, source.record, BUFFER_LOCK_SHARE);
    decode_record(page.record(), source_decoded_);
  }
  const Edge edge =
      encode_edge(layout, source_decoded_, decoded_, id_, lost.header().generation, code_);

  RecordPage page(index_, source.record, BUFFER_LOCK_EXCLUSIVE);
  const ConstRecord found = page.record();
  if (found.state() != State::kLive || found.header().generation != source.generation ||
      found.header().level != lost.header().level || !found.traversable())
    return false;
  int slot = find_edge(found, id_);
  if (slot == kNoSlot) slot = choose_place(found, place);
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
