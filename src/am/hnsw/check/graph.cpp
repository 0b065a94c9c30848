// graph.cpp — the first part of hnsw_check(): what pages say of themselves and of each other.
// Locks: one page at a time, shared.
#include "am/hnsw/check/check.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/bfloat16.hpp"

#include "am/hnsw/chain.hpp"
#include "am/hnsw/edges.hpp"
#include "am/hnsw/vacuum/reach.hpp"
#include "am/hnsw/vacuum/record_map.hpp"
#include "am/hnsw/sweep.hpp"

namespace vann::hnsw {

namespace {

bool passable(State state) {
  return state == State::kLive || state == State::kDead || state == State::kUnlinked;
}

class GraphCheck {
 public:
  GraphCheck(const Index &index, MemoryContext context, am::Problems *problems,
             Array<am::IndexedTid> *tids)
      : index_(index), allocator_(pg::allocator_in(context)), end_(record_blocks_end(index)),
        map_(context, record_id(end_, 0, index.layout())),
        levels_(static_cast<uint8_t *>(MemoryContextAllocExtended(
            context, size_t{map_.count()} + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO))),
        chained_(static_cast<bool *>(MemoryContextAllocExtended(
            context, size_t{map_.count()} + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO))),
        image_(static_cast<uint8_t *>(MemoryContextAlloc(context, kPageBytes))),
        record_image_(static_cast<uint8_t *>(MemoryContextAlloc(context, kPageBytes))),
        problems_(problems), tids_(tids) {}

  void run() {
    for_each_page([&](BlockNumber block) { check_page(block); });
    for_each_page([&](BlockNumber block) { check_links(block); });
    check_duplicate_tids();
    check_entry();
    mark_reached_tids();
  }

 private:
  template <class Visit>
  void for_each_page(Visit &&visit) {
    for (BlockNumber block = index_.cache->first_record_block; block < end_; ++block) {
      CHECK_FOR_INTERRUPTS();
      visit(block);
    }
  }

  // Copies a page, so that nothing is reported under its lock.
  const uint8_t *copy_page(BlockNumber block) {
    pg::LockedPage page(index_.relation, block, BUFFER_LOCK_SHARE);
    memcpy(image_, page.bytes(), kPageBytes);
    return image_;
  }

  void copy_record(uint32_t id) {
    RecordPage page(index_, id, BUFFER_LOCK_SHARE);
    memcpy(record_image_, page.record().data(), index_.layout().stride);
  }

  // ---- Every record by itself ----------------------------------------------------------------

  void check_page(BlockNumber block) {
    const uint8_t *page = copy_page(block);
    if (!page_is_new(page) && !page_is(page, kPageId, kRecordPage))
      problems_->add(-1, "block %u is not a record page", block);
    for_each_record(page, index_.layout(), [&](uint32_t slot, ConstRecord record) {
      const uint32_t id = record_id(block, slot, index_.layout());
      if (record.header().state > static_cast<uint8_t>(State::kTids)) {
        problems_->add(id, "invalid state %u", record.header().state);
        return;
      }
      map_.set(id, record.state(), record.header().generation);
      levels_[id] = record.header().level;
      if (record.state() == State::kLive || record.state() == State::kDead)
        check_element(id, record);
      if (record.state() == State::kTids) check_tids_header(id, record);
      if (record.state() == State::kLive && record.header().level == 0)
        collect_tids(id, id, record);
    });
  }

  void check_element(uint32_t id, ConstRecord record) {
    const RecordHeader &header = record.header();
    const quantize::CodeFactors &factors = header.factors;
    if (header.neighbor_count > index_.layout().degree)
      problems_->add(id, "%u neighbors, but the degree is %u", header.neighbor_count,
                     index_.layout().degree);
    if (header.tid_count > kInlineTids) problems_->add(id, "%u inline heap TIDs", header.tid_count);
    if (!std::isfinite(factors.norm_squared) || !std::isfinite(factors.delta) ||
        !(factors.cosine >= 0 && factors.cosine <= 1))
      problems_->add(id, "invalid code factors");
    if (header.level == 0 && header.element != kNoRecord)
      problems_->add(id, "a record of level 0 names another as its element");
    if (header.level > 0 && header.tid_count > 0) problems_->add(id, "heap TIDs above level 0");
    check_edges(id, record);
  }

  void check_edges(uint32_t id, ConstRecord record) {
    if (!record.traversable()) return;
    for (uint32_t slot = 0; slot < record.header().neighbor_count; ++slot) {
      const uint32_t target = record.ids()[slot];
      if (target == id) problems_->add(id, "an edge to itself");
      if (block_of(target, index_.layout()) < index_.cache->first_record_block)
        problems_->add(id, "an edge to record %u, which cannot be", target);
      if (find_edge(record, target) != static_cast<int>(slot))
        problems_->add(id, "two edges to record %u", target);
      if (!std::isfinite(from_bfloat16(record.scales()[slot])) ||
          !std::isfinite(from_bfloat16(record.offsets()[slot])) ||
          !std::isfinite(from_bfloat16(record.residuals()[slot])) || edge_length(record, slot) < 0)
        problems_->add(id, "invalid factors of the edge to record %u", target);
    }
  }

  void check_tids_header(uint32_t id, ConstRecord record) {
    if (record.tids_header().count > index_.layout().tids_capacity())
      problems_->add(id, "%u chained heap TIDs, but room for %u", record.tids_header().count,
                     index_.layout().tids_capacity());
  }

  void collect_tids(uint32_t id, uint32_t element, ConstRecord record) {
    for (uint32_t i = 0; i < tid_count(record); ++i) {
      const HeapTid &tid = tids_of(record)[i];
      if (tid.offset == InvalidOffsetNumber) problems_->add(id, "an invalid heap TID");
      tids_->push(allocator_, {tid_key(tid), element, false});
    }
  }

  // ---- Records against each other ------------------------------------------------------------

  void check_links(BlockNumber block) {
    for_each_record(copy_page(block), index_.layout(), [&](uint32_t slot, ConstRecord record) {
      const uint32_t id = record_id(block, slot, index_.layout());
      if (record.state() != State::kLive || !record.traversable()) return;
      check_targets(id, record);
      if (record.header().level > 0)
        check_below(id, record);
      else
        check_chain(id, record.header().chain);
    });
  }

  // An edge whose generation is not its target's is stale and passed over; that of an unlinked
  // target may come from an insert that raced with VACUUM.
  void check_targets(uint32_t id, ConstRecord record) {
    for (uint32_t slot = 0; slot < record.header().neighbor_count; ++slot) {
      const uint32_t target = record.ids()[slot];
      if (!map_.covers(target)) {
        if (block_of(target, index_.layout()) >= record_blocks_end(index_))
          problems_->add(id, "an edge to record %u, beyond the end of the index", target);
        continue;
      }
      if (map_.generation(target) != record.generations()[slot]) continue;
      if (!passable(map_.state(target)))
        problems_->add(id, "an edge to record %u, which is no element", target);
      else if (levels_[target] != record.header().level)
        problems_->add(id, "an edge to record %u of level %u", target, levels_[target]);
    }
  }

  void check_below(uint32_t id, ConstRecord record) {
    const RecordHeader &header = record.header();
    const uint32_t below = header.chain;
    if (!map_.covers(below) || !map_.covers(header.element)) {
      problems_->add(id, "names a record below that cannot be");
      return;
    }
    copy_record(below);
    const ConstRecord found(record_image_, index_.layout());
    const size_t bytes =
        quantize::code_bytes(index_.layout().shape.dims, index_.layout().shape.code_bits);
    // An interrupted VACUUM leaves records above an element that is dead already.
    const bool placed = (found.state() == State::kLive || found.state() == State::kDead) &&
                        found.header().level == header.level - 1 &&
                        (header.level == 1 ? below : found.header().element) == header.element;
    const bool same = memcmp(found.code(), record.code(), bytes) == 0 &&
                      memcmp(&found.header().factors, &header.factors, sizeof(header.factors)) == 0;
    if (!placed)
      problems_->add(id, "record %u is not its element one level below", below);
    else if (!same)
      problems_->add(id, "its code differs from that of record %u below", below);
  }

  void check_chain(uint32_t element, uint32_t member) {
    while (member != kNoRecord) {
      CHECK_FOR_INTERRUPTS();
      if (!map_.covers(member)) return;  // younger than this check
      if (chained_[member]) {
        problems_->add(element, "chained record %u stands in two places", member);
        return;
      }
      chained_[member] = true;
      copy_record(member);
      const ConstRecord record(record_image_, index_.layout());
      if (record.header().element != element ||
          !(record.state() == State::kTids || is_sealed(record))) {
        problems_->add(element, "chained record %u is not its own", member);
        return;
      }
      if (record.state() == State::kTids) collect_tids(member, element, record);
      member = record.header().chain;
    }
  }

  // ---- The index as a whole ------------------------------------------------------------------

  void check_duplicate_tids() {
    std::sort(tids_->begin(), tids_->end(), [](const am::IndexedTid &a, const am::IndexedTid &b) {
      return a.tid < b.tid || (a.tid == b.tid && a.place < b.place);
    });
    for (size_t i = 1; i < tids_->size; ++i) {
      const am::IndexedTid &tid = (*tids_)[i];
      if (tid.tid == (*tids_)[i - 1].tid)
        problems_->add(tid.place, "heap TID (%llu,%u) is also in record %u",
                       static_cast<unsigned long long>(tid.tid >> 16),
                       static_cast<unsigned>(tid.tid & 0xffff),
                       static_cast<uint32_t>((*tids_)[i - 1].place));
    }
  }

  void check_entry() {
    const EntryPoint entry = read_entry_point(index_.relation);
    if (entry.level < 0) {
      if (tids_->size > 0) problems_->add(-1, "elements, but no entry point");
      return;
    }
    if (block_of(entry.record, index_.layout()) < index_.cache->first_record_block ||
        block_of(entry.record, index_.layout()) >= record_blocks_end(index_)) {
      problems_->add(-1, "the entry point is record %u, which cannot be", entry.record);
      return;
    }
    RecordPage page(index_, entry.record, BUFFER_LOCK_SHARE);
    const ConstRecord record = page.record();
    const bool found = (record.state() == State::kLive || record.state() == State::kDead) &&
                       record.header().generation == entry.generation &&
                       record.header().level == entry.level;
    page.release();
    if (!found) problems_->add(-1, "the entry point does not lead to record %u", entry.record);
  }

  // An element that no search can come to is a problem if a row needs it; that of an insert that
  // was cut short is not.
  void mark_reached_tids() {
    mark_reachable(index_, nullptr, Through::kTraversable, &map_);
    for (am::IndexedTid &tid : *tids_) {
      const auto record = static_cast<uint32_t>(tid.place);
      tid.reached = !map_.covers(record) || map_.reached(record);
    }
  }

  const Index &index_;
  Allocator allocator_;
  BlockNumber end_;
  RecordMap map_;
  uint8_t *levels_;        // [records]
  bool *chained_;          // [records] kTids records that a chain leads to
  uint8_t *image_;         // [kPageBytes] the page at hand
  uint8_t *record_image_;  // [stride] another record
  am::Problems *problems_;
  Array<am::IndexedTid> *tids_;
};

}  // namespace

void check_graph(const Index &index, MemoryContext context, am::Problems *problems,
                 Array<am::IndexedTid> *tids) {
  GraphCheck(index, context, problems, tids).run();
}

}  // namespace vann::hnsw
