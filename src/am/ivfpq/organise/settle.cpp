// settle.cpp — see settle.hpp. Locks: one scan page at a time, shared; exclusively to change marks. Rows only
// ever are in two lists while the page that they come from is marked: sealed by a rewrite, or kMoving by a
// re-assignment.
#include "am/ivfpq/organise/settle.hpp"

#include "am/ivfpq/chain.hpp"
#include "am/ivfpq/tid_set.hpp"

extern "C" {
#include "access/transam.h"
}

namespace vann::ivfpq {

namespace {

constexpr uint8_t kMarks = kSealed | kMoving;

bool is_marked(const uint8_t *page) { return (scan_header(page).flags & kMarks) != 0; }

// Calls visit(tid) for rows that have not moved away.
template <class Visit>
void for_each_row(const uint8_t *page, const Layout &layout, Visit &&visit) {
  for_each_block(page, layout, [&](uint32_t number, ConstBlock block) {
    const BlockHeader &header = block.header();
    for (uint32_t live = header.live & ~header.moved; live != 0; live &= live - 1) {
      const uint32_t slot = static_cast<uint32_t>(__builtin_ctz(live));
      visit(number, slot, block.tids()[slot]);
    }
  });
}

// Rows that `kept` holds already are marked as moved; the others are put into it.
uint64_t settle_page(const Index &index, uint32_t list, BlockNumber block,
                     BufferAccessStrategy strategy, const Allocator &allocator, TidSet *kept) {
  const pg::LockedPage page = lock_swept(index, list, block, BUFFER_LOCK_EXCLUSIVE, strategy);
  pg::PageEdit edit(index.relation);
  uint8_t *copy = edit.modify(page);
  uint64_t moved = 0;
  for_each_row(page.bytes(), index.layout(),
               [&](uint32_t number, uint32_t slot, const HeapTid &tid) {
                 if (kept->insert(allocator, tid)) return;
                 block_in(copy, number, index.layout()).header().moved |= 1u << slot;
                 ++moved;
               });
  scan_header(copy).flags &= static_cast<uint8_t>(~kMarks);
  if (moved > 0)
    scan_header(copy).moved_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
  edit.commit();
  return moved;
}

}  // namespace

void settle(const Index &index, BufferAccessStrategy strategy, MemoryContext context,
            Survey *survey) {
  const bool any =
      std::any_of(survey->lists.begin(), survey->lists.end(),
                  [](const SurveyedList &list) { return list.holds_rows() && list.interrupted; });
  if (!any) return;
  const Layout &layout = index.layout();
  const Allocator allocator = pg::allocator_in(context);
  TidSet marked;
  for (const SurveyedList &list : survey->lists) {
    if (!list.holds_rows() || !list.interrupted) continue;
    sweep_chain(index, list.list, list.record.head, strategy, [&](pg::LockedPage &page) {
      if (!is_marked(page.bytes())) return;
      for_each_row(page.bytes(), layout,
                   [&](uint32_t, uint32_t, const HeapTid &tid) { marked.insert(allocator, tid); });
    });
  }
  TidSet kept;
  for (const SurveyedList &list : survey->lists) {
    if (!list.holds_rows()) continue;
    sweep_chain(index, list.list, list.record.head, strategy, [&](pg::LockedPage &page) {
      if (is_marked(page.bytes())) return;
      for_each_row(page.bytes(), layout, [&](uint32_t, uint32_t, const HeapTid &tid) {
        if (marked.contains(tid)) kept.insert(allocator, tid);
      });
    });
  }
  for (SurveyedList &list : survey->lists) {
    if (!list.holds_rows() || !list.interrupted) continue;
    sweep_chain(index, list.list, list.record.head, strategy, [&](pg::LockedPage &page) {
      const bool due = is_marked(page.bytes());
      const BlockNumber block = page.block();
      page.release();
      if (!due) return;
      const uint64_t moved = settle_page(index, list.list, block, strategy, allocator, &kept);
      list.rows -= std::min(list.rows, moved);
      survey->rows -= std::min(survey->rows, moved);
      list.moved += moved;
    });
    list.interrupted = false;
  }
}

}  // namespace vann::ivfpq
