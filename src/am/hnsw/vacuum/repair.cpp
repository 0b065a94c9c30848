// repair.cpp — see repair.hpp and ../README.md, "Delete and vacuum". New lists are worked out on a
// copy of the page without a lock; the page is replaced if it has not changed since, else tried
// again.
#include "am/hnsw/vacuum/repair.hpp"

#include "pg/compat.hpp"

#include "am/hnsw/edges.hpp"
#include "am/hnsw/vacuum/replacements.hpp"
#include "am/hnsw/sweep.hpp"

namespace vann::hnsw {

namespace {

// After so many attempts the edges are taken out without replacement, under the lock.
constexpr int kAttempts = 3;

bool is_damaged(ConstRecord record, const RecordMap &map) {
  if (record.state() != State::kLive || !record.traversable()) return false;
  const uint32_t *ids = record.ids();
  const uint8_t *generations = record.generations();
  for (uint32_t i = 0; i < record.header().neighbor_count; ++i)
    if (map.is_gone(ids[i], generations[i])) return true;
  return false;
}

bool any_damaged(const uint8_t *page, const Layout &layout, const RecordMap &map) {
  bool found = false;
  for_each_record(page, layout,
                  [&](uint32_t, ConstRecord record) { found |= is_damaged(record, map); });
  return found;
}

// Takes out the edges that lead nowhere; `removed` receives the targets, returns how many.
uint32_t strip(Record record, const RecordMap &map, uint32_t *removed) {
  uint32_t count = 0;
  for (uint32_t slot = record.header().neighbor_count; slot-- > 0;) {
    if (!map.is_gone(record.ids()[slot], record.generations()[slot])) continue;
    removed[count++] = record.ids()[slot];
    remove_edge(record, slot);
  }
  return count;
}

class Repair {
 public:
  Repair(const Index &index, BufferAccessStrategy strategy, const RecordMap &map,
         MemoryContext context)
      : index_(index), strategy_(strategy), map_(map), replacements_(index, map, context),
        before_(pg::allocate_aligned<uint8_t>(context, kPageBytes)),
        after_(pg::allocate_aligned<uint8_t>(context, kPageBytes)) {}

  void repair_page(BlockNumber block) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      if (!copy_if_damaged(block)) return;
      memcpy(after_, before_, kPageBytes);
      for_each_record(after_, index_.layout(), [&](uint32_t slot, Record record) {
        rewrite(record, record_id(block, slot, index_.layout()));
      });
      if (replace_page(block)) return;
    }
    strip_page(block);
  }

 private:
  bool copy_if_damaged(BlockNumber block) {
    pg::LockedPage page = swept_page(index_.relation, block, BUFFER_LOCK_SHARE, strategy_);
    if (!any_damaged(page.bytes(), index_.layout(), map_)) return false;
    memcpy(before_, page.bytes(), kPageBytes);
    return true;
  }

  void rewrite(Record record, uint32_t id) {
    const ConstRecord old(record.data(), index_.layout());
    if (!is_damaged(old, map_)) return;
    uint32_t removed[kMaxDegree];
    const uint32_t count = strip(record, map_, removed);
    replacements_.fill(record, id, removed, count);
  }

  bool replace_page(BlockNumber block) {
    pg::LockedPage page = swept_page(index_.relation, block, BUFFER_LOCK_EXCLUSIVE, strategy_);
    if (memcmp(page.bytes(), before_, kPageBytes) != 0) return false;
    pg::PageEdit edit(index_.relation);
    memcpy(edit.modify(page), after_, kPageBytes);
    edit.commit();
    return true;
  }

  void strip_page(BlockNumber block) {
    pg::LockedPage page = swept_page(index_.relation, block, BUFFER_LOCK_EXCLUSIVE, strategy_);
    pg::PageEdit edit(index_.relation);
    for_each_record(edit.modify(page), index_.layout(), [&](uint32_t, Record record) {
      uint32_t removed[kMaxDegree];
      const ConstRecord old(record.data(), index_.layout());
      if (is_damaged(old, map_)) strip(record, map_, removed);
    });
    edit.commit();
  }

  const Index &index_;
  BufferAccessStrategy strategy_;
  const RecordMap &map_;
  Replacements replacements_;
  uint8_t *before_;  // [kPageBytes] the page as it was read
  uint8_t *after_;   // [kPageBytes] the same, repaired
};

}  // namespace

void repair_edges(const Index &index, BufferAccessStrategy strategy, const RecordMap &map,
                  MemoryContext context) {
  Repair repair(index, strategy, map, context);
  const BlockNumber end = record_blocks_end(index);
  for (BlockNumber block = index.cache->first_record_block; block < end; ++block) {
    pg::vacuum_delay();
    repair.repair_page(block);
  }
}

}  // namespace vann::hnsw
