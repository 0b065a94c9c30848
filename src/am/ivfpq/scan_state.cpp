// scan_state.cpp — the resumable ordered scan. Share locks only: a page of a list, under it the record of
// an anchor; then a refine page. See README.md, "Search".
#include "am/ivfpq/scan_state.hpp"

#include "am/ivfpq/options.hpp"

#include "core/codebook/codebooks.hpp"
#include "pg/compat.hpp"

#include <algorithm>
#include <limits>

namespace vann::ivfpq {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// How many standard deviations from its estimate a distance is taken to be possible. Larger values read
// more refine codes, or more rows of the table; README.md has the measurement.
constexpr float kScanDeviations = 2.0f;
constexpr float kRefineDeviations = 3.0f;
// Rows that the first window keeps for sure, and how much wider each following one is.
constexpr size_t kFirstWindow = 32;
constexpr size_t kWindowGrowth = 4;
// Lists whose first pages are asked for before the first of them is read.
constexpr size_t kListsAhead = 16;
// Candidates of a list that are collected before those out of the window are dropped, beyond twice those
// that were kept.
constexpr size_t kMostCandidates = 512;
// Lists are added when more than this share of the rows that were scanned has been returned.
constexpr uint64_t kRowsPerReturned = 8;

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
  probed_.clear();
  anchors_.clear();
  pending_.clear();
  late_.clear();
  seen_.clear();
  has_untrained_ = false;
  exhausted_ = false;
  window_ = kFirstWindow;
  forget_window();
  phase_ = Phase::kStart;
  last_ = -std::numeric_limits<double>::infinity();
  rows_scanned_ = rows_read_ = returned_ = 0;
}

void ScanState::close() { reranker_.close(); }

// Every rescan reads the metapage anew, and the view outlives the call.
void ScanState::open_view() {
  if (index_.cache != nullptr) {
    refresh_index(&index_, context_);
    return;
  }
  pg::ContextScope scope(context_);
  index_ = open_index(scan_->indexRelation);
}

void ScanState::start() {
  pg::count_index_search(scan_);
  open_view();
  const IndexCache &cache = *index_.cache;
  if (prepared_build_ != cache.build_id) {
    const quantize::ListShape &shape = cache.layout.rows;
    rotated_ = pg::allocate_aligned<float>(context_, cache.layout.rotated_dims);
    query_memory_ = pg::allocate_aligned<uint8_t>(context_, quantize::list_query_bytes(shape));
    untrained_memory_ = nullptr;
    prepared_build_ = cache.build_id;
  }
  const ScanKey key = &scan_->orderByData[0];
  unordered_ = (key->sk_flags & SK_ISNULL) != 0;
  if (unordered_)
    std::fill(rotated_, rotated_ + cache.layout.rotated_dims, 0.0f);
  else
    prepare_vector(index_, key->sk_argument, rotated_, &unordered_);
  query_ = quantize::prepare_list_query(index_.model(), rotated_, query_memory_);
  directory_.open(index_, rotated_, Route::kQuery, context_);
  phase_ = Phase::kLists;
  probe(first_probes());
}

// Lists that maintenance has not come to are coded with the codebooks that every index begins with.
const quantize::ListQuery &ScanState::query_for(uint8_t codebook_version) {
  const quantize::ListShape &shape = index_.layout().rows;
  if (codebook_version != 0 || index_.cache->codebook_version == 0) return query_;
  if (!has_untrained_) {
    if (untrained_memory_ == nullptr)
      untrained_memory_ =
          pg::allocate_aligned<uint8_t>(context_, quantize::list_query_bytes(shape));
    float *codebooks =
        static_cast<float *>(palloc(quantize::codebook_floats(shape) * sizeof(float)));
    codebook::sign_codebooks(shape, codebooks);
    untrained_ = quantize::prepare_list_query({shape, codebooks}, rotated_, untrained_memory_);
    pfree(codebooks);
    has_untrained_ = true;
  }
  return untrained_;
}

// ---- Lists ------------------------------------------------------------------------------------

uint32_t ScanState::first_probes() const {
  return std::min(probes_for(index_.meta), max_probes_setting());
}

bool ScanState::may_probe_more() const {
  return !exhausted_ && iterative_scan_setting() != kScanOff && probed_.size < max_probes_setting();
}

// Asks for a page that will be read soon: for its cache lines where this backend knows its buffer, else
// for the buffer.
void ScanState::prefetch(BlockNumber block) const {
  if (block == kNoBlock || block >= index_.blocks) return;
  if (pg::prefetch_recent(index_.relation, block) == nullptr)
    PrefetchBuffer(index_.relation, MAIN_FORKNUM, block);
}

// Reads up to `lists` further lists; false when there was none.
bool ScanState::probe(uint32_t lists) {
  const size_t before = probed_.size;
  const size_t wanted = before + lists;
  while (!exhausted_ && probed_.size < wanted) {
    size_t next = probed_.size;
    const size_t end = std::min(wanted, next + kListsAhead);
    while (probed_.size < end) {
      RoutedList list;
      exhausted_ = !directory_.next(&list);
      if (exhausted_) break;
      probed_.push(allocator_, list);
      prefetch(list.head);
    }
    for (; next < probed_.size; ++next) read_list(probed_[next]);
  }
  return probed_.size > before;
}

// Bounds of rows met so far say nothing of those that come: the window begins anew.
void ScanState::forget_window() {
  uppers_.clear();
  limit_ = left_ = kInfinity;
}

void ScanState::read_list(const RoutedList &list) {
  candidates_.clear();
  list_limit_ = limit_;
  size_t most = kMostCandidates + 2 * window_;
  for (BlockNumber block = list.head; block != kNoBlock;) {
    block = read_page(list, block);
    if (!unordered_ && candidates_.size > most) {
      keep_nearest();
      most = kMostCandidates + 2 * candidates_.size;
    }
  }
  if (unordered_) {
    for (const Candidate &candidate : candidates_) take_up(candidate, 0, 0);
    return;
  }
  keep_nearest();
  refine_candidates();
}

// Returns the next page of the chain.
BlockNumber ScanState::read_page(const RoutedList &list, BlockNumber block) {
  CHECK_FOR_INTERRUPTS();
  const pg::LockedPage page = lock_any_page(index_, block, BUFFER_LOCK_SHARE);
  const uint8_t *bytes = page.bytes();
  // On a standby a chain that was given up may be in use again.
  if (!page_is(bytes, kScanPage) || scan_header(bytes).list != list.list) return kNoBlock;
  const BlockNumber next = scan_header(bytes).next;
  prefetch(next);
  for (uint32_t i = 0; i < index_.layout().blocks; ++i)
    if (block_in(bytes, i, index_.layout()).header().live != 0) read_block(list, bytes, i, block);
  return next;
}

quantize::AnchorDistance ScanState::anchor_distance(const RoutedList &list, uint32_t anchor) {
  if (anchor == list.list) return list.distance;
  for (const OtherAnchor &known : anchors_)
    if (known.list == anchor) return known.distance;
  anchors_.push(allocator_, {anchor, directory_.distance_to(anchor)});
  return anchors_[anchors_.size - 1].distance;
}

void ScanState::read_block(const RoutedList &list, const uint8_t *page, uint32_t number,
                           BlockNumber block_number) {
  const Layout &layout = index_.layout();
  const ConstBlock block = block_in(page, number, layout);
  const BlockHeader &header = block.header();
  const uint8_t version = scan_header(page).codebook_version;
  const quantize::AnchorDistance anchor = anchor_distance(list, header.anchor);
  quantize::BlockEstimates estimates;
  uint32_t kept = header.live;
  rows_scanned_ += static_cast<uint64_t>(__builtin_popcount(header.live));
  if (!unordered_) {
    kept &= quantize::scan_block(query_for(version), anchor, block.tiles(), block.scales(),
                                 block.offsets(), block.errors(), kScanDeviations, list_limit_,
                                 &estimates);
    if (kept != header.live) left_ = std::min(left_, list_limit_);
  }
  for (; kept != 0; kept &= kept - 1) {
    const uint32_t row = static_cast<uint32_t>(__builtin_ctz(kept));
    const HeapTid &tid = block.tids()[row];
    const RefinePlace place = refine_place(number * kBlockRows + row, layout);
    const float estimate = unordered_ ? 0 : estimates.estimates[row];
    const float noise = unordered_ ? 0 : kScanDeviations * estimates.errors[row];
    candidates_.push(allocator_,
                     {estimate - noise, estimate + noise, refine_blocks(page)[place.page],
                      place.slot, block_number, tid, version, anchor});
  }
}

// Leaves behind those of the list's rows that cannot be among its `window_` nearest.
void ScanState::keep_nearest() {
  if (candidates_.size <= window_) return;
  scratch_.reserve(allocator_, candidates_.size);
  scratch_.size = candidates_.size;
  for (size_t i = 0; i < candidates_.size; ++i) scratch_[i] = candidates_[i].upper;
  std::nth_element(scratch_.begin(), scratch_.begin() + (window_ - 1), scratch_.end());
  list_limit_ = std::min(list_limit_, scratch_[window_ - 1]);
  size_t kept = 0;
  for (const Candidate &candidate : candidates_)
    if (candidate.bound < list_limit_) candidates_[kept++] = candidate;
  if (kept < candidates_.size) left_ = std::min(left_, list_limit_);
  candidates_.size = kept;
}

// Candidates come in the order of their refine pages: each is locked once.
void ScanState::refine_candidates() {
  const Layout &layout = index_.layout();
  for (size_t i = 0; i < candidates_.size;) {
    const BlockNumber block = candidates_[i].refine;
    const pg::LockedPage page = lock_any_page(index_, block, BUFFER_LOCK_SHARE);
    const uint8_t *bytes = page.bytes();
    const bool readable =
        page_is(bytes, kRefinePage) && refine_header(bytes).scan_page == candidates_[i].scan_page;
    for (; i < candidates_.size && candidates_[i].refine == block; ++i) {
      const Candidate &candidate = candidates_[i];
      if (candidate.bound >= limit_) {
        left_ = std::min(left_, limit_);
        continue;
      }
      if (seen_.contains(candidate.tid)) continue;
      double bound = candidate.bound;
      double upper = candidate.upper;
      if (readable) {
        const uint8_t *row = refine_row_in(bytes, candidate.slot, layout);
        const quantize::RowEstimate known =
            quantize::refine_row(query_, candidate.anchor, refine_planes(row), refine_factors(row));
        bound = known.distance - kRefineDeviations * known.error;
        upper = known.distance + kRefineDeviations * known.error;
      }
      if (bound >= limit_) {
        left_ = std::min(left_, limit_);
        continue;
      }
      take_up(candidate, bound, upper);
    }
  }
}

void ScanState::take_up(const Candidate &candidate, double bound, double upper) {
  if (!seen_.insert(allocator_, candidate.tid)) return;
  push_to_heap(allocator_, &pending_,
               Pending{unordered_ ? 0 : in_operator_units(bound), candidate.tid, false});
  if (unordered_) return;
  if (uppers_.size == window_) {
    if (upper >= uppers_[0]) return;
    pop_from_heap(&uppers_);
  }
  push_to_heap(allocator_, &uppers_, static_cast<float>(upper));
  if (uppers_.size == window_) limit_ = uppers_[0];
}

double ScanState::in_operator_units(double distance) const {
  switch (index_.cache->metric) {
    case Metric::kInnerProduct:
      return distance;
    case Metric::kCosine:
      return std::max(0.0, distance) / 2;
    case Metric::kL2:
      break;
  }
  return std::sqrt(std::max(0.0, distance));
}

// ---- Order ------------------------------------------------------------------------------------

// Takes up further rows: those that were left behind, else those of further lists. False when nothing
// is left or allowed.
bool ScanState::extend() {
  if (left_ < kInfinity) {
    window_ *= kWindowGrowth;
    forget_window();
    for (size_t i = 0; i < probed_.size; ++i) read_list(probed_[i]);
    return true;
  }
  if (!may_probe_more()) return false;
  forget_window();
  const uint64_t room = max_probes_setting() - probed_.size;
  return probe(static_cast<uint32_t>(std::min<uint64_t>(room, std::max<size_t>(1, probed_.size))));
}

void ScanState::rerank(const Pending &row) {
  double distance;
  ++rows_read_;
  if (reranker_.distance(row.tid, &distance) != am::Reranker::Row::kVisible) return;
  push_to_heap(allocator_, &pending_, Pending{unordered_ ? 0 : distance, row.tid, true});
}

// The nearest row of those taken up, if none that was left behind can be nearer.
bool ScanState::produce(Pending *out) {
  for (;;) {
    const bool certain =
        pending_.size > 0 && (left_ == kInfinity || pending_[0].bound <= in_operator_units(left_));
    if (!certain && extend()) continue;
    if (pending_.size == 0) return false;
    CHECK_FOR_INTERRUPTS();
    const Pending nearest = pop_from_heap(&pending_);
    if (nearest.exact) {
      *out = nearest;
      return true;
    }
    rerank(nearest);
  }
}

bool ScanState::next(HeapTid *tid) {
  if (phase_ == Phase::kStart) start();
  Pending row;
  while (phase_ == Phase::kLists) {
    if (returned_ * kRowsPerReturned > rows_scanned_ && may_probe_more()) probe(1);
    if (!produce(&row)) {
      phase_ = Phase::kLate;
      break;
    }
    if (iterative_scan_setting() == kScanStrict && row.bound < last_) {
      push_to_heap(allocator_, &late_, row);
      continue;
    }
    last_ = row.bound;
    ++returned_;
    *tid = row.tid;
    return true;
  }
  // Rows that were found after farther ones had been returned: late, but not lost.
  if (phase_ == Phase::kLate && late_.size > 0) {
    *tid = pop_from_heap(&late_).tid;
    return true;
  }
  phase_ = Phase::kDone;
  reranker_.reset();
  return false;
}

}  // namespace vann::ivfpq
