// reach.cpp — the walk of reach.hpp. Locks: one record page at a time, shared. The edges for
// unreached records are made in relink.cpp.
#include "am/hnsw/vacuum/reach.hpp"

#include "pg/compat.hpp"

#include "am/hnsw/vacuum/relink.hpp"
#include "am/hnsw/sweep.hpp"

namespace vann::hnsw {

namespace {

// An edge that relinking takes from a full list may have been the only one to its target; the next
// round sees to that.
constexpr int kRounds = 4;

class Walk {
 public:
  Walk(const Index &index, BufferAccessStrategy strategy, Through through, RecordMap *map)
      : index_(index), strategy_(strategy), through_(through), map_(map) {}

  // Starts at a record; one that is younger than the map is expanded here, and so on down.
  void start(uint32_t record) {
    while (record != kNoRecord && !map_->covers(record)) {
      RecordPage page(index_, record, BUFFER_LOCK_SHARE);
      if (!page.record().traversable()) return;
      expand(page.record());
      const RecordHeader &header = page.record().header();
      record = header.level > 0 ? header.chain : kNoRecord;
    }
    if (record != kNoRecord && !map_->reached(record)) map_->mark_reached(record);
  }

  void run() {
    for (;;) {
      uint32_t record = map_->next_pending(0);
      if (record == map_->count()) return;
      for (; record < map_->count(); record = map_->next_pending(record))
        expand_block(block_of(record, index_.layout()));
    }
  }

 private:
  // Expands what is pending on one page, and what that makes pending on the same page.
  void expand_block(BlockNumber block) {
    const Layout &layout = index_.layout();
    pg::vacuum_delay();
    pg::LockedPage page = swept_page(index_.relation, block, BUFFER_LOCK_SHARE, strategy_);
    for (bool again = true; again;) {
      again = false;
      for (uint32_t slot = 0; slot < layout.slots; ++slot) {
        const uint32_t id = record_id(block, slot, layout);
        if (!map_->pending(id)) continue;
        again = true;
        map_->clear_pending(id);
        const ConstRecord record =
            record_in(const_cast<const uint8_t *>(page.bytes()), slot, layout);
        if (record.traversable() && record.header().generation == map_->generation(id))
          expand(record);
      }
    }
  }

  void expand(ConstRecord record) {
    const uint32_t *ids = record.ids();
    const uint8_t *generations = record.generations();
    for (uint32_t i = 0; i < record.header().neighbor_count; ++i)
      if (map_->covers(ids[i]) && generations[i] == map_->generation(ids[i])) reach(ids[i]);
    if (record.header().level > 0 && map_->covers(record.header().chain))
      reach(record.header().chain);
  }

  void reach(uint32_t target) {
    if (map_->reached(target)) return;
    const State state = map_->state(target);
    const bool passable =
        state == State::kLive ||
        (through_ == Through::kTraversable && (state == State::kDead || state == State::kUnlinked));
    if (passable) map_->mark_reached(target);
  }

  const Index &index_;
  BufferAccessStrategy strategy_;
  Through through_;
  RecordMap *map_;
};

}  // namespace

void mark_reachable(const Index &index, BufferAccessStrategy strategy, Through through,
                    RecordMap *map) {
  const EntryPoint entry = read_entry_point(index.relation);
  if (entry.level < 0) return;
  Walk walk(index, strategy, through, map);
  walk.start(entry.record);
  walk.run();
}

void restore_reachability(const Index &index, BufferAccessStrategy strategy, RecordMap *map,
                          MemoryContext context) {
  for (int round = 0; round < kRounds; ++round) {
    map->clear_marks();
    mark_reachable(index, strategy, Through::kLive, map);
    const Index fresh = open_index(index.relation);
    if (fresh.entry.level < 0) return;
    Relink relink(fresh, *map, context);
    Walk walk(index, strategy, Through::kLive, map);
    uint32_t relinked = 0;
    for (uint32_t record = 0; record < map->count(); ++record) {
      if (map->state(record) != State::kLive || map->reached(record)) continue;
      pg::vacuum_delay();
      if (!relink.link(record)) continue;
      ++relinked;
      walk.start(record);
      walk.run();
    }
    if (relinked == 0) return;
  }
}

}  // namespace vann::hnsw
