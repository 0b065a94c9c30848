// scan_state.cpp — the resumable ordered scan: beam over codes, lazy exact rerank, sweep as the last
// resort. Share locks only, one at a time, but for the removal of rows that are dead to all.
// See README.md, "Search".
#include "am/hnsw/scan_state.hpp"

#include "am/hnsw/options.hpp"
#include "am/hnsw/tids.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/xlog.h"
}

#include <algorithm>
#include <limits>

namespace vann::hnsw {

namespace {

// How many standard deviations below its estimate a distance is taken to be possible. Larger values
// read more rows from the heap; README.md has the measurement.
constexpr double kBoundDeviations = 3.0;
// How many standard deviations its own error may reach where an order is decided without reading rows.
constexpr double kCertainDeviations = 6.0;
// Beyond such squared norms sums of floats overflow, or vanish.
constexpr double kLargestNorms = 1e30;
constexpr double kLeastNorms = 1e-30;
// The beam stays at least this many times as wide as the rows handed out, so that the last of them are
// found as reliably as the first.
constexpr uint64_t kWidthPerRow = 2;
// TIDs of one element read from the heap at a time.
constexpr uint32_t kRowsAtOnce = 16;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
void push_to_heap(const Allocator &allocator, Array<T> *heap, const T &value) {
  heap->push(allocator, value);
  std::push_heap(heap->begin(), heap->end());
}

template <class T>
T pop_from_heap(Array<T> *heap) {
  std::pop_heap(heap->begin(), heap->end());
  return heap->data[--heap->size];
}

}  // namespace

void ScanState::open(IndexScanDesc scan, MemoryContext context) {
  scan_ = scan;
  context_ = context;
  allocator_ = pg::allocator_in(context);
  reranker_.open(scan, context);
  rescan();
}

void ScanState::rescan() {
  reranker_.reset();
  found_.clear();
  pending_.clear();
  ready_.clear();
  late_.clear();
  tids_.clear();
  phase_ = Phase::kStart;
  returned_ = 0;
  rows_read_ = 0;
  last_ = {-kInfinity, -kInfinity, {}, 0, true};
  swept_ = {-kInfinity, 0};
}

void ScanState::close() { reranker_.close(); }

// ---- Search ---------------------------------------------------------------------------------

// Every rescan reads the metapage anew, and the view outlives the call.
void ScanState::open_view() {
  if (index_.cache != nullptr) pfree(const_cast<IndexCache *>(index_.cache));
  index_.cache = nullptr;
  pg::ContextScope scope(context_);
  index_ = open_index(scan_->indexRelation);
}

void ScanState::start() {
  pg::count_index_search(scan_);
  open_view();
  const IndexCache &cache = *index_.cache;
  const quantize::CodeShape &shape = cache.layout.shape;
  if (prepared_build_ != cache.build_id) {
    rotated_ = pg::allocate_aligned<float>(context_, rotated_floats(cache));
    query_memory_ = pg::allocate_aligned<uint8_t>(context_, quantize::query_bytes(shape));
    prepared_build_ = cache.build_id;
  }
  const ScanKey key = &scan_->orderByData[0];
  unordered_ = (key->sk_flags & SK_ISNULL) != 0;
  if (unordered_)
    std::fill(rotated_, rotated_ + rotated_floats(cache), 0.0f);
  else
    prepare_search_vector(index_, key->sk_argument, rotated_, &unordered_);
  query_ = quantize::prepare_query(shape, rotated_, query_memory_);
  plan_ = {&index_, &query_, Measure::kMetric, nullptr, nullptr};

  query_bias_ = 0;
  if (cache.metric == Metric::kInnerProduct && cache.mean_floats > 0)
    query_bias_ = -simd::kernels().dot_f32(cache.mean(), rotated_, shape.dims);
  mean_squared_ = 0;
  if (cache.mean_floats > 0)
    mean_squared_ = simd::kernels().dot_f32(cache.mean(), cache.mean(), shape.dims);
  rounding_ = std::ldexp(shape.dims / 8.0 + 16, -22);
  prefix_noise_ = 0;
  if (shape.dims < cache.layout.rotated_dims)
    prefix_noise_ = std::sqrt(2.0 / shape.dims);

  phase_ = Phase::kDone;
  if (index_.entry.level < 0) return;
  Seeds seeds;
  descend(plan_, allocator_, frontier_, 0, &seeds);
  seeds.offer_to(frontier_, allocator_, static_cast<size_t>(ef_search));
  phase_ = Phase::kGraph;
  search();
}

void ScanState::search() {
  search_level(plan_, 0, frontier_,
               [this](const graph::Offer &offer, ConstRecord record, const Expanded &expanded) {
                 note(offer.node, record, expanded);
               });
}

void ScanState::note(uint32_t id, ConstRecord record, const Expanded &expanded) {
  if (record.state() != State::kLive) return;
  const RecordHeader &header = record.header();
  Found found{id, header.chain, header.generation, header.tid_count, {}, expanded.page_lsn};
  memcpy(found.tids, header.tids, sizeof(found.tids));
  found_.push(allocator_, found);
  const Reach known = reach(expanded, header.factors);
  const bool single = header.tid_count == 1 && header.chain == kNoRecord;
  push_to_heap(allocator_, &pending_,
               Pending{known.bound, known.least, single ? known.most : kInfinity,
                       static_cast<uint32_t>(found_.size - 1), 0, 0, header.chain, false});
}

double ScanState::in_operator_units(double distance) const {
  switch (index_.cache->metric) {
    case Metric::kInnerProduct:
      return distance + query_bias_;
    case Metric::kCosine:
      return std::max(0.0, distance) / 2;
    case Metric::kL2:
      break;
  }
  return std::sqrt(std::max(0.0, distance));
}

// See README.md, "Rows that need not be read".
Reach ScanState::reach(const Expanded &expanded, const quantize::CodeFactors &factors) const {
  if (unordered_) return {0, 0, 0};
  const double estimate = expanded.distance;
  const double norms = query_.norm_squared + factors.norm_squared;
  const double noise = kBoundDeviations * expanded.error;
  if (prefix_noise_ > 0) {
    const double least =
        index_.cache->metric == Metric::kInnerProduct
            ? estimate - noise - kBoundDeviations * prefix_noise_ * std::sqrt(query_.norm_squared)
            : (estimate - noise) * (1 - kBoundDeviations * prefix_noise_);
    return {in_operator_units(least), -kInfinity, kInfinity};
  }
  const double bound = in_operator_units(estimate - noise);
  // A zero vector under cosine is nowhere near its code: its distance is NaN.
  const bool zero = index_.cache->metric == Metric::kCosine &&
                    std::abs(factors.norm_squared - mean_squared_) <= rounding_ * mean_squared_;
  if (zero || !(norms > kLeastNorms && norms < kLargestNorms))
    return {bound, -kInfinity, kInfinity};
  // Both the estimate and the operator sum floats.
  double magnitude = norms;
  if (index_.cache->metric == Metric::kInnerProduct) magnitude += mean_squared_;
  if (index_.cache->metric == Metric::kCosine) magnitude += 2;
  const double slack = rounding_ * magnitude;
  const double width = kCertainDeviations * expanded.error + slack;
  return {bound, in_operator_units(estimate - width), in_operator_units(estimate + width)};
}

bool ScanState::over_memory() const {
  const size_t bytes = frontier_.bytes() + found_.capacity * sizeof(Found) +
                       pending_.capacity * sizeof(Pending);
  return static_cast<double>(bytes) > work_mem * 1024.0 * scan_mem_multiplier;
}

bool ScanState::out_of_budget() const {
  return iterative_scan == kScanOff || rows_read_ >= static_cast<uint64_t>(max_scan_tuples);
}

void ScanState::widen_for_returned() {
  if (phase_ != Phase::kGraph || out_of_budget() || over_memory()) return;
  if (returned_ * kWidthPerRow <= frontier_.width()) return;
  frontier_.widen(frontier_.width() * 3 / 2 + 1);
  search();
}

// Finds more elements when all that were found have been handed out; false when nothing is left.
bool ScanState::extend() {
  if (phase_ == Phase::kGraph) {
    if (out_of_budget()) {
      phase_ = Phase::kLate;
    } else if (frontier_.exhausted() || over_memory()) {
      phase_ = Phase::kSweep;
    } else {
      frontier_.widen(frontier_.width() * 2);
      search();
      return true;
    }
  }
  if (phase_ == Phase::kSweep) {
    if (!out_of_budget() && sweep()) return true;
    phase_ = Phase::kLate;
  }
  return false;
}

// Calls visit(id, record, expanded) under the page's share lock for every live element that the graph
// search has not expanded.
template <class Visit>
void ScanState::visit_unseen(Visit &&visit) {
  const Layout &layout = index_.layout();
  const BlockNumber blocks = RelationGetNumberOfBlocks(index_.relation);
  for (BlockNumber block = index_.cache->first_record_block; block < blocks; ++block) {
    CHECK_FOR_INTERRUPTS();
    pg::LockedPage page(index_.relation, block, BUFFER_LOCK_SHARE);
    if (!page_is(page.bytes(), kPageId, kRecordPage)) continue;
    for (uint32_t slot = 0; slot < layout.slots; ++slot) {
      const ConstRecord record =
          record_in(const_cast<const uint8_t *>(page.bytes()), slot, layout);
      const uint32_t id = record_id(block, slot, layout);
      if (record.state() != State::kLive || record.header().level != 0) continue;
      if (frontier_.expanded(id)) continue;
      const quantize::OwnEstimate own =
          quantize::estimate_own(query_, record.code(), record.header().factors);
      visit(id, record,
            Expanded{own.anchor, own.distance, own.error, page.lsn()});
    }
  }
}

// Reads all record pages and takes up the nearest unseen elements, as many as memory allows; false when
// there are none. Repeated calls go on where the last one ended, so every live element is returned
// whatever the graph or the memory.
bool ScanState::sweep() {
  const size_t room = std::max<size_t>(
      1024, static_cast<size_t>(work_mem * 1024.0 * scan_mem_multiplier /
                                (2 * (sizeof(Found) + sizeof(Pending)))));
  found_.clear();
  tids_.clear();
  Array<Swept> nearest;  // max-heap of the `room` nearest
  visit_unseen([&](uint32_t id, ConstRecord record, const Expanded &expanded) {
    const Swept candidate{reach(expanded, record.header().factors).bound, id};
    if (!(swept_ < candidate)) return;
    if (nearest.size == room) {
      if (!(candidate < nearest[0])) return;
      pop_from_heap(&nearest);
    }
    push_to_heap(allocator_, &nearest, candidate);
  });
  if (nearest.size == 0) return false;
  const Swept last = nearest[0];
  allocator_.resize(allocator_.context, nearest.data, 0);
  visit_unseen([&](uint32_t id, ConstRecord record, const Expanded &expanded) {
    const Swept candidate{reach(expanded, record.header().factors).bound, id};
    if (swept_ < candidate && !(last < candidate)) note(id, record, expanded);
  });
  swept_ = last;
  return true;
}

// ---- Rerank ---------------------------------------------------------------------------------

void ScanState::rerank_row(uint32_t found, const HeapTid &tid, double *nearest) {
  double distance;
  ++rows_read_;
  switch (reranker_.distance(tid, &distance)) {
    case am::Reranker::Row::kVisible:
      if (unordered_) distance = 0;
      *nearest = std::min(*nearest, distance);
      push_to_heap(allocator_, &ready_, Ready{distance, tid});
      break;
    case am::Reranker::Row::kDeadToAll:
      remove_dead(found_[found], tid);
      break;
    case am::Reranker::Row::kInvisible:
      break;
  }
}

// Takes up the nearest pending element: reads some of its rows and puts the rest back, at the distance of
// those read (they are duplicates).
void ScanState::rerank_nearest() {
  Pending pending = pop_from_heap(&pending_);
  double nearest = kInfinity;
  if (!pending.chained) {
    const Found &found = found_[pending.found];
    for (uint32_t i = 0; i < found.tid_count; ++i)
      rerank_row(pending.found, found.tids[i], &nearest);
    pending.chained = true;
  } else {
    for (uint32_t i = 0; i < kRowsAtOnce && pending.next_tid < pending.tids_end; ++i)
      rerank_row(pending.found, HeapTid(tids_[pending.next_tid++]), &nearest);
  }
  if (pending.next_tid == pending.tids_end && pending.member != kNoRecord) {
    pending.next_tid = static_cast<uint32_t>(tids_.size);
    read_chain_member(index_, pending.member, found_[pending.found].record, allocator_, &tids_,
                      &pending.member);
    pending.tids_end = static_cast<uint32_t>(tids_.size);
  }
  if (pending.next_tid < pending.tids_end || pending.member != kNoRecord) {
    if (nearest < kInfinity) pending.bound = std::max(pending.bound, nearest);
    push_to_heap(allocator_, &pending_, pending);
  }
}

// The row is dead to everyone, so its TID goes. The page must not have changed since the TID was copied,
// else the TID might by now stand for a new row.
void ScanState::remove_dead(const Found &found, const HeapTid &tid) {
  if (scan_->xactStartedInRecovery || !RelationNeedsWAL(index_.relation) ||
      found.page_lsn == InvalidXLogRecPtr)
    return;
  RecordPage page(index_, found.record, BUFFER_LOCK_EXCLUSIVE);
  if (page.page().lsn() != found.page_lsn) return;
  const RecordHeader &header = page.record().header();
  const HeapTid *end = header.tids + header.tid_count;
  const HeapTid *at = std::find(header.tids, end, tid);
  if (at == end) return;
  pg::PageEdit edit(index_.relation);
  RecordHeader &changed = page.record_in_copy(edit.modify(page.page())).header();
  changed.tids[at - header.tids] = changed.tids[--changed.tid_count];
  edit.commit();
}

// ---- Order ----------------------------------------------------------------------------------

// Whether the nearest pending element has one row and that comes next beyond doubt: before all others
// that were found, and not before the last one.
bool ScanState::order_is_known(const Pending &nearest) const {
  double next = ready_.size > 0 ? ready_[0].distance : kInfinity;
  for (size_t i = 1; i < 3 && i < pending_.size; ++i) next = std::min(next, pending_[i].bound);
  return nearest.most < kInfinity && nearest.most <= next &&
         (last_.read ? nearest.least : nearest.bound) >= last_.most;
}

// The nearest row of those found so far.
bool ScanState::produce(Last *out) {
  for (;;) {
    const bool ready = ready_.size > 0;
    if (pending_.size > 0 && (!ready || pending_[0].bound < ready_[0].distance)) {
      CHECK_FOR_INTERRUPTS();
      if (order_is_known(pending_[0])) {
        const Pending nearest = pop_from_heap(&pending_);
        ++rows_read_;  // by the executor
        *out = {nearest.least, nearest.most, found_[nearest.found].tids[0], nearest.found, false};
        return true;
      }
      rerank_nearest();
      continue;
    }
    if (ready) {
      const Ready row = pop_from_heap(&ready_);
      *out = {row.distance, row.distance, row.tid, 0, true};
      return true;
    }
    if (!extend()) return false;
  }
}

// Makes the distance of the last row exact; a row that is not visible was not returned to anybody.
void ScanState::read_last() {
  double distance = last_.least;
  reranker_.distance(last_.tid, &distance);
  last_.least = last_.most = distance;
  last_.read = true;
}

bool ScanState::comes_late(const Last &row) {
  if (!row.read) return false;  // its order is known
  if (!last_.read && row.least > last_.least && row.least < last_.most) read_last();
  return row.least < last_.least;
}

bool ScanState::next(HeapTid *tid) {
  if (phase_ == Phase::kStart) start();
  Last row;
  while (phase_ == Phase::kGraph || phase_ == Phase::kSweep) {
    widen_for_returned();
    if (!produce(&row)) break;
    if (iterative_scan == kScanStrict && comes_late(row)) {
      push_to_heap(allocator_, &late_, Ready{row.least, row.tid});
      continue;
    }
    last_ = row;
    ++returned_;
    *tid = row.tid;
    return true;
  }
  // Rows that were found after farther ones had been returned: late, but not lost.
  if (phase_ == Phase::kLate && late_.size > 0) {
    last_.read = true;  // nothing for kill_last()
    *tid = pop_from_heap(&late_).tid;
    return true;
  }
  if (phase_ != Phase::kStart) phase_ = Phase::kDone;
  reranker_.reset();
  return false;
}

void ScanState::kill_last() {
  if (!last_.read) remove_dead(found_[last_.found], last_.tid);
}

}  // namespace vann::hnsw
