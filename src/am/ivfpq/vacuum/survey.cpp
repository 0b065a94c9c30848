// survey.cpp — see survey.hpp. Locks: one page at a time, shared; exclusively where moved rows go.
#include "am/ivfpq/vacuum/survey.hpp"

#include "am/ivfpq/chain.hpp"
#include "core/base/bfloat16.hpp"

extern "C" {
#include "access/transam.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

// Anchors noted before they are sorted again.
constexpr size_t kAnchorsAtOnce = 4096;

void mark_used(Survey *survey, BlockNumber block) {
  if (block < survey->blocks) survey->used[block / 8] |= static_cast<uint8_t>(1u << block % 8);
}

void sort_anchors(Array<uint32_t> *anchors) {
  std::sort(anchors->begin(), anchors->end());
  anchors->size =
      static_cast<size_t>(std::unique(anchors->begin(), anchors->end()) - anchors->begin());
}

void note_anchor(Survey *survey, uint32_t anchor, size_t *sorted) {
  Array<uint32_t> &anchors = survey->anchors;
  if (anchors.size > *sorted && anchors[anchors.size - 1] == anchor) return;
  anchors.push(survey->allocator, anchor);
  if (anchors.size < *sorted + kAnchorsAtOnce) return;
  sort_anchors(&anchors);
  *sorted = anchors.size;
}

void read_records(const Index &index, BufferAccessStrategy strategy, Survey *survey) {
  const Layout &layout = index.layout();
  for (BlockNumber block = read_meta(index.relation).list_pages; block != kNoBlock;) {
    pg::vacuum_delay();
    const pg::LockedPage page = lock_page(index, block, kListPage, BUFFER_LOCK_SHARE);
    const uint8_t *bytes = page.bytes();
    bool room = false;
    for (uint32_t slot = 0; slot < layout.list_slots; ++slot) {
      const ListRecord &record = list_in(bytes, slot, layout).record();
      room |= record.state == static_cast<uint8_t>(ListState::kFree);
      if (record.state == static_cast<uint8_t>(ListState::kFree)) continue;
      survey->lists.push(survey->allocator,
                         {list_id(block, slot, layout), record, 0, 0, 0, 0, false, false});
    }
    if (room) survey->free_list_pages.push(survey->allocator, block);
    mark_used(survey, block);
    block = list_page_header(bytes).next;
  }
}

void mark_directory(const Index &index, const SurveyedList &list, Survey *survey) {
  for (BlockNumber block = list.record.head; block != kNoBlock;) {
    pg::vacuum_delay();
    const pg::LockedPage page = lock_page(index, block, kDirectoryPage, BUFFER_LOCK_SHARE);
    mark_used(survey, block);
    block = scan_header(const_cast<const uint8_t *>(page.bytes())).next;
  }
}

void mark_model(const Index &index, BlockNumber head, Survey *survey) {
  for (BlockNumber block = head; block != kNoBlock;) {
    const pg::LockedPage page = lock_page(index, block, kModelPage, BUFFER_LOCK_SHARE);
    mark_used(survey, block);
    block = model_header(const_cast<const uint8_t *>(page.bytes())).next;
  }
}

bool has_moved_rows(const uint8_t *page, const Layout &layout) {
  bool any = false;
  for_each_block(page, layout,
                 [&](uint32_t, ConstBlock block) { any |= block.header().moved != 0; });
  return any;
}

// The page's moved rows go; nobody else sets or clears the bits.
void clear_moved(const Index &index, const pg::LockedPage &page) {
  pg::PageEdit edit(index.relation);
  uint8_t *copy = edit.modify(page);
  for (uint32_t i = 0; i < index.layout().blocks; ++i) {
    BlockHeader &header = block_in(copy, i, index.layout()).header();
    header.live &= ~header.moved;
    header.moved = 0;
  }
  edit.commit();
}

// Whether new rows of the list, coded against its own centroid, find room.
bool has_room(const uint8_t *page, const Index &index, uint32_t list) {
  const ScanHeader &header = scan_header(page);
  if ((header.flags & kSealed) != 0 || header.codebook_version != index.cache->codebook_version)
    return false;
  for (uint32_t i = 0; i < index.layout().blocks; ++i) {
    const BlockHeader &block = block_in(page, i, index.layout()).header();
    if (block.live == 0 || (block.anchor == list && block.live != ~0u)) return true;
  }
  return false;
}

void note_page(const Index &index, const uint8_t *page, SurveyedList *list, Survey *survey,
               size_t *sorted) {
  const ScanHeader &header = scan_header(page);
  ++list->pages;
  list->interrupted |= (header.flags & (kSealed | kMoving)) != 0;
  list->untrained |= header.codebook_version != index.cache->codebook_version;
  for (uint32_t i = 0; i < index.layout().refine_pages; ++i)
    if (refine_blocks(page)[i] != kNoBlock) mark_used(survey, refine_blocks(page)[i]);
  for_each_block(page, index.layout(), [&](uint32_t, ConstBlock block) {
    const BlockHeader &rows = block.header();
    note_anchor(survey, rows.anchor, sorted);
    list->moved += static_cast<uint64_t>(__builtin_popcount(rows.moved));
    for (uint32_t live = rows.live & ~rows.moved; live != 0; live &= live - 1) {
      const float error = from_bfloat16(block.errors()[__builtin_ctz(live)]);
      list->squared_error += static_cast<double>(error) * error;
      ++list->rows;
    }
  });
}

void survey_chain(const Index &index, Relation heap, BufferAccessStrategy strategy,
                  SurveyedList *list, Survey *survey, size_t *sorted) {
  BlockNumber open = kNoBlock;
  BlockNumber last = kNoBlock;
  sweep_chain(index, list->list, list->record.head, strategy, [&](pg::LockedPage &page) {
    const BlockNumber block = page.block();
    mark_used(survey, block);
    const uint64_t moved_xid = scan_header(const_cast<const uint8_t *>(page.bytes())).moved_xid;
    if (list->holds_rows() && has_moved_rows(page.bytes(), index.layout()) &&
        has_passed(heap, moved_xid)) {
      page.release();
      const pg::LockedPage locked =
          lock_swept(index, list->list, block, BUFFER_LOCK_EXCLUSIVE, strategy);
      clear_moved(index, locked);
      note_page(index, locked.bytes(), list, survey, sorted);
      if (open == kNoBlock && has_room(locked.bytes(), index, list->list)) open = block;
    } else {
      note_page(index, page.bytes(), list, survey, sorted);
      if (open == kNoBlock && has_room(page.bytes(), index, list->list)) open = block;
      page.release();
    }
    last = block;
  });
  if (!list->holds_rows()) return;
  set_open_page(index, list->list, open != kNoBlock ? open : last);
  survey->rows += list->rows;
}

}  // namespace

// Of a temporary table PostgreSQL asks for no snapshot, not even for this session's; but ivfpq_maintain() may
// run beside a cursor. The horizon of shared tables knows all snapshots.
bool has_passed(Relation heap, uint64_t xid) {
  return GlobalVisCheckRemovableFullXid(RelationUsesLocalBuffers(heap) ? nullptr : heap,
                                        FullTransactionIdFromU64(xid));
}

Survey survey_index(const Index &index, Relation heap, BufferAccessStrategy strategy,
                    MemoryContext context) {
  Survey survey{pg::allocator_in(context), {}, {}, {}, nullptr, 0};
  survey.blocks = pg::count_added_blocks(index.relation);
  survey.used = static_cast<uint8_t *>(MemoryContextAllocExtended(
      context, survey.blocks / 8 + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
  mark_used(&survey, kMetaBlock);
  const MetaPage meta = read_meta(index.relation);
  for (const BlockNumber head : {meta.mean_block, meta.rotation_block, meta.codebook_block})
    mark_model(index, head, &survey);
  read_records(index, strategy, &survey);
  size_t sorted = 0;
  for (SurveyedList &list : survey.lists) {
    if (list.record.level > 0) {
      mark_directory(index, list, &survey);
      continue;
    }
    const bool read =
        list.state() == ListState::kLive ||
        (list.state() == ListState::kRetired && !has_passed(heap, list.record.delete_xid));
    if (read) survey_chain(index, heap, strategy, &list, &survey, &sorted);
  }
  sort_anchors(&survey.anchors);
  return survey;
}

}  // namespace vann::ivfpq
