// recycle.cpp — see recycle.hpp. Locks: a scan page and its refine page one after another; a scan page
// and the list record. A chain goes from its head, and the record says where it begins then, so that
// whoever is cut short leaves a shorter chain.
#include "am/ivfpq/vacuum/recycle.hpp"

#include "am/ivfpq/chain.hpp"

extern "C" {
#include "storage/indexfsm.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

// Refine pages that name the scan page as their owner: others were given back before and are in use
// elsewhere.
void free_refine_pages(const Index &index, const uint8_t *scan_page, BlockNumber owner,
                       Survey *survey) {
  for (uint32_t i = 0; i < index.layout().refine_pages; ++i) {
    const BlockNumber block = refine_blocks(scan_page)[i];
    if (block == kNoBlock) continue;
    pg::LockedPage page = lock_any_page(index, block, BUFFER_LOCK_EXCLUSIVE);
    if (!page_is(page.bytes(), kRefinePage) || refine_header(page.bytes()).scan_page != owner)
      continue;
    free_page(index, page);
    ++survey->freed_pages;
  }
}

// Frees the first page of a chain; the record then names the next, or, behind the last, has `after`.
BlockNumber free_head(const Index &index, uint32_t list, BlockNumber head, ListState after,
                      Survey *survey) {
  uint8_t image[kPageBytes];
  {
    const pg::LockedPage page = lock_swept(index, list, head, BUFFER_LOCK_SHARE, nullptr);
    memcpy(image, page.bytes(), kPageBytes);
  }
  free_refine_pages(index, image, head, survey);
  const BlockNumber next = scan_header(image).next;
  pg::LockedPage page = lock_swept(index, list, head, BUFFER_LOCK_EXCLUSIVE, nullptr);
  const ListPage record(index, list, BUFFER_LOCK_EXCLUSIVE);
  pg::PageEdit edit(index.relation);
  mark_free(edit.modify(page));
  ListRecord &changed = record.list_in_copy(edit.modify(record.page())).record();
  changed.head = changed.open = next;
  if (next == kNoBlock) changed.state = static_cast<uint8_t>(after);
  edit.commit();
  page.release();
  RecordFreeIndexPage(index.relation, head);
  ++survey->freed_pages;
  return next;
}

void free_chain(const Index &index, const SurveyedList &list, ListState after, Survey *survey) {
  for (BlockNumber head = list.record.head; head != kNoBlock;) {
    pg::vacuum_delay();
    head = free_head(index, list.list, head, after, survey);
  }
}

void free_record(const Index &index, uint32_t list) {
  const ListPage page(index, list, BUFFER_LOCK_EXCLUSIVE);
  pg::PageEdit edit(index.relation);
  page.list_in_copy(edit.modify(page.page())).record().state =
      static_cast<uint8_t>(ListState::kFree);
  edit.commit();
}

void note_free_record(const Index &index, uint32_t list, Survey *survey) {
  const BlockNumber block = block_of(list, index.layout());
  const Array<uint32_t> &pages = survey->free_list_pages;
  if (std::find(pages.begin(), pages.end(), block) == pages.end())
    survey->free_list_pages.push(survey->allocator, block);
}

// Only blocks that nothing referred to are looked at; inserts may have taken some of them since.
BlockNumber find_free_pages(const Index &index, BufferAccessStrategy strategy,
                            const Survey &survey) {
  BlockNumber found = 0;
  for (BlockNumber block = 0; block < survey.blocks; ++block) {
    if ((survey.used[block / 8] >> block % 8 & 1) != 0) continue;
    pg::vacuum_delay();
    const pg::LockedPage page = am::swept_page(index.relation, block, BUFFER_LOCK_SHARE, strategy);
    if (!am::page_is_new(page.bytes()) && !page_is(page.bytes(), kFreePage)) continue;
    RecordFreeIndexPage(index.relation, block);
    ++found;
  }
  return found;
}

}  // namespace

BlockNumber recycle(const Index &index, Relation heap, BufferAccessStrategy strategy,
                    Survey *survey) {
  for (SurveyedList &list : survey->lists) {
    if (list.record.level > 0) continue;
    const bool needed = is_anchor(*survey, list.list);
    const ListState after = needed ? ListState::kAnchor : ListState::kFree;
    const bool building = list.state() == ListState::kBuilding;
    if (building ||
        (list.state() == ListState::kRetired && has_passed(heap, list.record.delete_xid)))
      free_chain(index, list, building ? ListState::kFree : after, survey);
    else if (list.state() == ListState::kAnchor && !needed)
      free_record(index, list.list);
    else
      continue;
    list.record.state = static_cast<uint8_t>(building ? ListState::kFree : after);
    if (list.state() == ListState::kFree) note_free_record(index, list.list, survey);
  }
  const BlockNumber free = find_free_pages(index, strategy, *survey);
  // Organising takes pages from the map.
  IndexFreeSpaceMapVacuum(index.relation);
  return free;
}

void offer_list_page(const Index &index, Survey *survey) {
  const Layout &layout = index.layout();
  Array<uint32_t> &pages = survey->free_list_pages;
  for (; pages.size > 0; --pages.size) {
    const BlockNumber block = pages[pages.size - 1];
    bool room = false;
    {
      const pg::LockedPage page = lock_page(index, block, kListPage, BUFFER_LOCK_SHARE);
      for (uint32_t i = 0; i < layout.list_slots && !room; ++i)
        room = list_in(page.bytes(), i, layout).state() == ListState::kFree;
    }
    if (!room) continue;
    const pg::LockedPage page(index.relation, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
    if (meta_of(page.bytes())->free_list_page == block) return;
    pg::PageEdit edit(index.relation);
    meta_of(edit.modify(page))->free_list_page = block;
    edit.commit();
    return;
  }
}

}  // namespace vann::ivfpq
