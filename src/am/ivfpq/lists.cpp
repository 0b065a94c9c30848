// lists.cpp — list records, and pages taken and given up. Locks as lists.hpp says; one record or one
// page at a time but where a new page is linked.
#include "am/ivfpq/lists.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "storage/bufpage.h"
#include "storage/indexfsm.h"
}

#include <algorithm>
#include <cfloat>

namespace vann::ivfpq {

namespace {

// How many pages of the free space map to try before the file is extended: entries may be stale,
// because the map is not logged.
constexpr int kMaxMapTries = 4;

BlockNumber checked_list_block(const Index &index, uint32_t list) {
  if (list == kNoList) report_corrupt(index, kMetaBlock, "A reference to a list is missing.");
  return block_of(list, index.layout());
}

bool reusable(const uint8_t *page) { return am::page_is_new(page) || page_is(page, kFreePage); }

// A slot for a list record, on an exclusively locked list page.
struct ListSlot {
  pg::LockedPage page;
  uint32_t slot;
  bool fresh;  // the page is new: it has to be made a list page and linked to the others
};

ListSlot take_list_slot(const Index &index, const MetaPage &meta) {
  const Layout &layout = index.layout();
  if (meta.free_list_page != kNoBlock) {
    pg::LockedPage page = lock_page(index, meta.free_list_page, kListPage, BUFFER_LOCK_EXCLUSIVE);
    for (uint32_t i = 0; i < layout.list_slots; ++i)
      if (list_in(page.bytes(), i, layout).state() == ListState::kFree)
        return {std::move(page), i, false};
  }
  return {take_page(index), 0, true};
}

void link_list_page(pg::PageEdit &edit, const pg::LockedPage &meta_page, BlockNumber block) {
  MetaPage *meta = meta_of(edit.modify(meta_page));
  meta->list_pages = block;
  meta->free_list_page = block;
}

}  // namespace

// ---- Records ----------------------------------------------------------------------------------

ListPage::ListPage(const Index &index, uint32_t list, int mode)
    : page_(lock_page(index, checked_list_block(index, list), kListPage, mode)),
      layout_(&index.layout()), slot_(slot_of(list, index.layout())) {}

ConstListView ListPage::list() const {
  return list_in(const_cast<const uint8_t *>(page_.bytes()), slot_, *layout_);
}

ListView ListPage::list_in_copy(uint8_t *copy) const { return list_in(copy, slot_, *layout_); }

ListRecord read_list(const Index &index, uint32_t list, float *decoded) {
  const ListPage page(index, list, BUFFER_LOCK_SHARE);
  const ConstListView found = page.list();
  if (decoded != nullptr)
    quantize::decode_planes(found.code(), found.record().factors, index.layout().rotated_dims,
                            index.layout().centroids.code_bits, decoded);
  return found.record();
}

quantize::CodeFactors encode_centroid(const Layout &layout, const float *centroid, uint8_t *code) {
  int8_t *values = static_cast<int8_t *>(palloc(quantize::padded_dims(layout.rotated_dims)));
  const quantize::ByteCode bytes = quantize::encode_bytes(centroid, layout.rotated_dims, values);
  const quantize::CodeFactors factors =
      quantize::encode_planes(values, bytes, layout.rotated_dims, layout.centroids.code_bits, code);
  pfree(values);
  return factors;
}

uint32_t make_list(const Index &index, const float *centroid, uint8_t level, uint32_t parent,
                   float *decoded) {
  const Layout &layout = index.layout();
  pg::LockedPage first = take_page(index);
  const MetaPage meta = read_meta(index.relation);
  ListSlot slot = take_list_slot(index, meta);
  pg::LockedPage meta_page(index.relation, kMetaBlock,
                           slot.fresh ? BUFFER_LOCK_EXCLUSIVE : BUFFER_LOCK_SHARE);
  const uint32_t id = list_id(slot.page.block(), slot.slot, layout);

  pg::PageEdit edit(index.relation);
  uint8_t *image = slot.fresh ? edit.overwrite(slot.page) : edit.modify(slot.page);
  if (slot.fresh) {
    init_list_page(image, meta.list_pages);
    link_list_page(edit, meta_page, slot.page.block());
  }
  const ListView list = list_in(image, slot.slot, layout);
  list.record() = {};
  list.record().state = static_cast<uint8_t>(ListState::kBuilding);
  list.record().level = level;
  list.record().head = first.block();
  list.record().open = first.block();
  list.record().parent = parent;
  list.record().factors = encode_centroid(layout, centroid, list.code());
  if (decoded != nullptr)
    quantize::decode_planes(list.code(), list.record().factors, layout.rotated_dims,
                            layout.centroids.code_bits, decoded);
  uint8_t *chain = edit.overwrite(first);
  if (level == 0)
    init_scan_page(chain, layout, id, index.cache->codebook_version);
  else
    init_directory_page(chain, layout, id);
  edit.commit();
  return id;
}

void note_written(ListRecord *record, uint64_t rows, double squared_error, float norm) {
  // Squares of vectors near the end of single precision go beyond it.
  const auto limited = [](double x) { return x < FLT_MAX ? static_cast<float>(x) : FLT_MAX; };
  record->written_rows = static_cast<uint32_t>(std::min<uint64_t>(rows, UINT32_MAX));
  record->written_error = rows > 0 ? limited(squared_error / static_cast<double>(rows)) : 0;
  record->written_norm = limited(norm);
}

void set_open_page(const Index &index, uint32_t list, BlockNumber open) {
  const ListPage page(index, list, BUFFER_LOCK_EXCLUSIVE);
  if (page.list().record().open == open) return;
  pg::PageEdit edit(index.relation);
  page.list_in_copy(edit.modify(page.page())).record().open = open;
  edit.commit();
}

// ---- Pages ------------------------------------------------------------------------------------

pg::LockedPage take_page(const Index &index) {
  for (int i = 0; i < kMaxMapTries; ++i) {
    const BlockNumber block = GetFreeIndexPage(index.relation);
    if (block == InvalidBlockNumber || block >= RelationGetNumberOfBlocks(index.relation)) break;
    const Buffer buffer = ReadBuffer(index.relation, block);
    // Whoever holds it may have found it in a stale entry as we did.
    if (!ConditionalLockBuffer(buffer)) {
      ReleaseBuffer(buffer);
      continue;
    }
    pg::LockedPage page(index.relation, buffer);
    if (reusable(page.bytes())) return page;
  }
  return pg::LockedPage(index.relation, pg::extend_locked(index.relation));
}

void mark_free(uint8_t *copy) {
  at<am::PageSpecial>(copy, kPageBytes - am::kSpecialBytes)->kind = kFreePage;
}

// The kind alone changes: the WAL record is a few bytes.
void free_page(const Index &index, pg::LockedPage &page) {
  pg::PageEdit edit(index.relation);
  mark_free(edit.modify(page));
  edit.commit();
  const BlockNumber block = page.block();
  page.release();
  RecordFreeIndexPage(index.relation, block);
}

void init_list_page(uint8_t *image, uint32_t next) {
  init_page(image, kListPage);
  list_page_header(image) = {next, 0};
}

void init_scan_page(uint8_t *image, const Layout &layout, uint32_t list, uint8_t codebook_version) {
  init_page(image, kScanPage);
  ScanHeader &header = scan_header(image);
  header.list = list;
  header.next = kNoBlock;
  header.codebook_version = codebook_version;
  std::fill_n(refine_blocks(image), layout.refine_pages, kNoBlock);
  for (uint32_t i = 0; i < layout.blocks; ++i) block_in(image, i, layout).header().anchor = kNoList;
}

void init_directory_page(uint8_t *image, const Layout &layout, uint32_t list) {
  init_page(image, kDirectoryPage);
  ScanHeader &header = scan_header(image);
  header.list = list;
  header.next = kNoBlock;
  for (uint32_t i = 0; i < layout.directory_blocks; ++i)
    entries_in(image, i, layout).header().anchor = list;
}

void init_refine_page(uint8_t *image, uint32_t list, BlockNumber scan_page) {
  init_page(image, kRefinePage);
  refine_header(image) = {scan_page, list};
}

// ---- The model --------------------------------------------------------------------------------

BlockNumber write_floats(const Index &index, const float *floats, size_t count) {
  // From the end, so that every page can name the next one.
  BlockNumber next = kNoBlock;
  for (size_t end = count; end > 0;) {
    const size_t first = (end - 1) / kModelPageFloats * kModelPageFloats;
    const pg::LockedPage page = take_page(index);
    pg::PageEdit edit(index.relation);
    uint8_t *image = edit.overwrite(page);
    init_page(image, kModelPage);
    model_header(image) = {next, static_cast<uint32_t>(end - first)};
    memcpy(model_floats(image), floats + first, (end - first) * sizeof(float));
    edit.commit();
    next = page.block();
    end = first;
  }
  return next;
}

void read_floats(const Index &index, BlockNumber head, float *out, size_t count) {
  size_t done = 0;
  for (BlockNumber block = head; block != kNoBlock;) {
    const pg::LockedPage page = lock_page(index, block, kModelPage, BUFFER_LOCK_SHARE);
    const ModelHeader &header = model_header(const_cast<const uint8_t *>(page.bytes()));
    if (header.count > kModelPageFloats || header.count > count - done)
      report_corrupt(index, block, "The model has more floats than the metapage says.");
    memcpy(out + done, model_floats(page.bytes()), header.count * sizeof(float));
    done += header.count;
    block = header.next;
  }
  if (done != count)
    report_corrupt(index, head, "The model has fewer floats than the metapage says.");
}

}  // namespace vann::ivfpq
