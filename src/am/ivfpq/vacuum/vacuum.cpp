// vacuum.cpp — ambulkdelete: one pass over the lists' scan pages that clears the bits of dead rows. Locks:
// one scan page at a time, shared; exclusive only where something is dead. See ../README.md, "Delete and
// VACUUM".
#include "am/ivfpq/vacuum/vacuum.hpp"

#include "am/ivfpq/chain.hpp"
#include "am/ivfpq/vacuum/cleanup.hpp"
#include "am/ivfpq/directory.hpp"

#include <algorithm>

namespace vann::ivfpq {

namespace {

struct DeadTids {
  IndexBulkDeleteCallback callback;
  void *state;

  bool contains(const HeapTid &tid) const {
    ItemPointerData pointer = am::from_heap_tid(tid);
    return callback(&pointer, state);
  }
};

struct RowCounts {
  uint32_t kept = 0;
  uint32_t removed = 0;
};

// Fills dead[layout.blocks] with masks. Moved rows are asked for, but counted where their copies are.
RowCounts find_dead(const uint8_t *page, const Layout &layout, const DeadTids &tids,
                    uint32_t *dead) {
  RowCounts counts;
  std::fill_n(dead, layout.blocks, 0u);
  for_each_block(page, layout, [&](uint32_t number, ConstBlock block) {
    const BlockHeader &header = block.header();
    for (uint32_t live = header.live; live != 0; live &= live - 1) {
      const int slot = __builtin_ctz(live);
      if (tids.contains(block.tids()[slot])) dead[number] |= 1u << slot;
    }
    counts.removed += static_cast<uint32_t>(__builtin_popcount(dead[number] & ~header.moved));
    counts.kept +=
        static_cast<uint32_t>(__builtin_popcount(header.live & ~header.moved & ~dead[number]));
  });
  return counts;
}

// Rows that come to the page between the two locks take slots that were free: the masks still hold.
void remove_dead(const Index &index, uint32_t list, BlockNumber block,
                 BufferAccessStrategy strategy, const uint32_t *dead) {
  const pg::LockedPage page = lock_swept(index, list, block, BUFFER_LOCK_EXCLUSIVE, strategy);
  pg::PageEdit edit(index.relation);
  uint8_t *copy = edit.modify(page);
  for (uint32_t i = 0; i < index.layout().blocks; ++i) {
    BlockHeader &header = block_in(copy, i, index.layout()).header();
    header.live &= ~dead[i];
    header.moved &= ~dead[i];
  }
  edit.commit();
}

}  // namespace

extern "C" IndexBulkDeleteResult *ivfpq_bulkdelete(IndexVacuumInfo *info,
                                                   IndexBulkDeleteResult *stats,
                                                   IndexBulkDeleteCallback callback, void *state) {
  if (stats == nullptr)
    stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
  const Index index = open_index(info->index);
  const Layout &layout = index.layout();
  const DeadTids tids{callback, state};
  uint32_t *dead = static_cast<uint32_t *>(palloc(layout.blocks * sizeof(uint32_t)));
  Array<uint32_t> lists;
  collect_lists(index, pg::allocator_in(CurrentMemoryContext), &lists);

  stats->estimated_count = false;
  stats->num_index_tuples = 0;
  // Rows do not change their list meanwhile: whoever moves them holds the lock that VACUUM holds. Those
  // that are inserted are not dead: a TID is in the index before its row can be found dead.
  for (const uint32_t list : lists)
    sweep_chain(
        index, list, read_list(index, list, nullptr).head, info->strategy,
        [&](pg::LockedPage &page) {
          const RowCounts counts = find_dead(page.bytes(), layout, tids, dead);
          const BlockNumber block = page.block();
          page.release();
          if (std::any_of(dead, dead + layout.blocks, [](uint32_t mask) { return mask != 0; }))
            remove_dead(index, list, block, info->strategy, dead);
          stats->num_index_tuples += counts.kept;
          stats->tuples_removed += counts.removed;
        });
  stats->num_pages = RelationGetNumberOfBlocks(index.relation);
  return stats;
}

extern "C" IndexBulkDeleteResult *ivfpq_vacuumcleanup(IndexVacuumInfo *info,
                                                      IndexBulkDeleteResult *stats) {
  if (info->analyze_only) return stats;
  if (stats == nullptr)
    stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
  clean_up(info->index, info->strategy, stats);
  return stats;
}

}  // namespace vann::ivfpq
