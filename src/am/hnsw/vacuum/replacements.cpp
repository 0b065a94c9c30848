// replacements.cpp — see replacements.hpp. Locks: one record page at a time, shared.
#include "am/hnsw/vacuum/replacements.hpp"

#include <algorithm>
#include <bit>

#include "pg/memory.hpp"

namespace vann::hnsw {

namespace {

// Candidates that are looked at, per edge to be replaced; the rest of the list is estimates alone.
constexpr uint32_t kLooksPerEdge = 2;
// Records whose lists are read when the removed ones' lists did not give enough.
constexpr uint32_t kMaxFarSources = 64;

// cos of the angle between two residuals whose signs differ in `differing` of `dims` rotated
// coordinates (Charikar 2002: the share of differing signs is the angle over pi).
float cosine_of_signs(uint32_t differing, uint32_t dims) {
  return std::cos(3.14159265f * static_cast<float>(differing) / static_cast<float>(dims));
}

// SELECT-NEIGHBORS-HEURISTIC on the record's own page: whether a nearer neighbor hides the edge.
// The distance between the two ends comes from their lengths and the first planes of their codes,
// which hold the signs of the residuals.
bool is_hidden(ConstRecord record, const Edge &edge) {
  const uint32_t dims = record.layout().shape.neighbor_dims;
  const float length = edge.factors.residual_squared;
  for (uint32_t slot = 0; slot < record.header().neighbor_count; ++slot) {
    const float other = edge_length(record, slot);
    if (other >= length) continue;
    const uint8_t *tiles = record.tiles(slot / simd::kScanWidth) + slot % simd::kScanWidth * 8;
    uint32_t differing = 0;
    for (uint32_t group = 0; group < dims / 64; ++group) {
      uint64_t a, b;
      memcpy(&a, tiles + size_t{group} * simd::kScanWidth * 8, 8);
      memcpy(&b, edge.code + size_t{group} * 8, 8);
      differing += static_cast<uint32_t>(std::popcount(a ^ b));
    }
    const float between =
        length + other - 2 * std::sqrt(length * other) * cosine_of_signs(differing, dims);
    if (kOcclusion * between <= length) return true;
  }
  return false;
}

void append_edge(Record record, const Edge &edge) {
  put_edge(record, record.header().neighbor_count, edge);
  ++record.header().neighbor_count;
}

}  // namespace

Replacements::Replacements(const Index &index, const RecordMap &map, MemoryContext context)
    : index_(index), map_(map) {
  const Layout &layout = index.layout();
  const size_t query_bytes = quantize::query_bytes(layout.shape);
  decoded_ = pg::allocate_aligned<float>(context, layout.shape.dims);
  neighbor_ = pg::allocate_aligned<float>(context, layout.shape.dims);
  query_memory_ = pg::allocate_aligned<uint8_t>(context, query_bytes);
  codes_ = pg::allocate_aligned<uint8_t>(context, kMaxCandidates * edge_code_bytes(layout));
  plan_ = {&index_, &query_, Measure::kLength,
           pg::allocate_aligned<float>(context, layout.shape.dims),
           pg::allocate_aligned<uint8_t>(context, query_bytes)};
}

void Replacements::fill(Record record, uint32_t id, const uint32_t *removed, uint32_t count) {
  const ConstRecord kept(record.data(), record.layout());
  prepare(kept, id);
  candidate_limit_ = std::min(kMaxCandidates, kLooksPerEdge * count + 2);
  for (uint32_t i = 0; i < count; ++i)
    if (map_.covers(removed[i]) && map_.state(removed[i]) == State::kDead) add_source(removed[i]);
  collect(kept, count);
  select(record, count);
}

void Replacements::prepare(ConstRecord record, uint32_t id) {
  id_ = id;
  source_count_ = 0;
  candidate_count_ = 0;
  decode_record(record, decoded_);
  query_ = quantize::prepare_query(index_.layout().shape, decoded_, query_memory_);
}

void Replacements::add_source(uint32_t source) {
  if (source_count_ == kMaxSources) return;
  if (std::find(sources_, sources_ + source_count_, source) != sources_ + source_count_) return;
  sources_[source_count_++] = source;
}

// Reads the removed neighbors' lists; where those lead to other dead records, their lists in turn;
// and the remaining neighbors' lists, as long as there are too few candidates.
void Replacements::collect(ConstRecord record, uint32_t wanted) {
  const uint32_t removed = source_count_;
  const uint32_t most = removed + kMaxFarSources;
  bool neighbors_added = false;
  for (uint32_t i = 0; i < most; ++i) {
    if (i >= removed && candidate_count_ >= wanted) return;
    if (i == source_count_) {
      if (neighbors_added) return;
      neighbors_added = true;
      for (uint32_t slot = 0; slot < record.header().neighbor_count; ++slot)
        add_source(record.ids()[slot]);
      if (i == source_count_) return;
    }
    collect_from(record, sources_[i]);
  }
}

void Replacements::collect_from(ConstRecord record, uint32_t source) {
  RecordPage page(index_, source, BUFFER_LOCK_SHARE);
  const ConstRecord found = page.record();
  if (!found.traversable() || found.header().level != record.header().level ||
      found.header().generation != map_.generation(source))
    return;
  measure_record(plan_, found, estimates_);
  const uint32_t *ids = found.ids();
  const uint8_t *generations = found.generations();
  for (uint32_t i = 0; i < found.header().neighbor_count; ++i) {
    if (map_.is_live(ids[i], generations[i]))
      consider(record, {estimates_[i], ids[i], generations[i]});
    else if (map_.covers(ids[i]) && map_.state(ids[i]) == State::kDead)
      add_source(ids[i]);
  }
}

// Keeps the nearest candidate_limit_ candidates that are not neighbors yet.
void Replacements::consider(ConstRecord record, const Candidate &candidate) {
  if (candidate_count_ == candidate_limit_ &&
      candidate.length >= candidates_[candidate_count_ - 1].length)
    return;
  if (candidate.record == id_ || find_edge(record, candidate.record) != kNoSlot) return;
  for (uint32_t i = 0; i < candidate_count_; ++i)
    if (candidates_[i].record == candidate.record) return;
  if (candidate_count_ < candidate_limit_) ++candidate_count_;
  uint32_t at = candidate_count_ - 1;
  for (; at > 0 && candidates_[at - 1].length > candidate.length; --at)
    candidates_[at] = candidates_[at - 1];
  candidates_[at] = candidate;
}

// The edge to a candidate, if it still is what the list said.
bool Replacements::read_edge(ConstRecord record, const Candidate &candidate, uint8_t *code,
                             Edge *edge) {
  {
    RecordPage page(index_, candidate.record, BUFFER_LOCK_SHARE);
    const ConstRecord found = page.record();
    if (found.state() != State::kLive || found.header().generation != candidate.generation ||
        found.header().level != record.header().level)
      return false;
    decode_record(found, neighbor_);
  }
  *edge = encode_edge(index_.layout(), decoded_, neighbor_, candidate.record, candidate.generation,
                      code);
  return true;
}

// Takes the nearest candidates that no neighbor hides, then the nearest of the others.
uint32_t Replacements::select(Record record, uint32_t wanted) {
  const ConstRecord list(record.data(), record.layout());
  const size_t code_bytes = edge_code_bytes(index_.layout());
  Edge put_off[kMaxCandidates];
  uint32_t put_off_count = 0;
  uint32_t added = 0;
  for (uint32_t i = 0; i < candidate_count_ && added < wanted; ++i) {
    Edge &edge = put_off[put_off_count];
    if (!read_edge(list, candidates_[i], codes_ + put_off_count * code_bytes, &edge)) continue;
    if (is_hidden(list, edge)) {
      ++put_off_count;
      continue;
    }
    append_edge(record, edge);
    ++added;
  }
  for (uint32_t i = 0; i < put_off_count && added < wanted; ++i, ++added)
    append_edge(record, put_off[i]);
  return added;
}

}  // namespace vann::hnsw
