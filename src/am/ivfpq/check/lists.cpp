// lists.cpp — the metapage, the model, list records, and what all chains have in common.
#include "am/ivfpq/check/check.hpp"

#include <algorithm>
#include <cmath>

extern "C" {
#include "miscadmin.h"
}

namespace vann::ivfpq {

namespace {

// ---- The model --------------------------------------------------------------------------------

void check_floats(Census *census, BlockNumber block, const char *what, uint32_t count) {
  const float *floats = model_floats(static_cast<const uint8_t *>(census->image));
  const bool finite = std::all_of(floats, floats + count, [](float f) { return std::isfinite(f); });
  if (!finite)
    census->problems->add(-1, "the %s has values that are not finite, in block %u", what, block);
}

void check_model_chain(Census *census, BlockNumber head, const char *what, size_t count) {
  size_t found = 0;
  for (BlockNumber block = head; block != kNoBlock;) {
    if (!census->take(block, -1, what)) return;
    const uint8_t *page = census->copy_page(block, census->image);
    const ModelHeader header = model_header(page);
    if (!page_is(page, kModelPage) || header.count > kModelPageFloats) {
      census->problems->add(-1, "block %u, of the %s, is not a model page", block, what);
      return;
    }
    check_floats(census, block, what, header.count);
    found += header.count;
    block = header.next;
  }
  if (found != count)
    census->problems->add(-1, "the %s has %zu values instead of %zu", what, found, count);
}

// ---- List records -----------------------------------------------------------------------------

bool has_chain(ListState state) {
  return state == ListState::kLive || state == ListState::kBuilding || state == ListState::kRetired;
}

void check_record(Census *census, uint32_t id, const ListRecord &record) {
  am::Problems *problems = census->problems;
  const quantize::CodeFactors &factors = record.factors;
  if (!std::isfinite(factors.norm_squared) || !std::isfinite(factors.delta) ||
      !(factors.cosine >= 0 && factors.cosine <= 1))
    problems->add(id, "invalid factors of the centroid");
  if (!std::isfinite(record.written_error) || record.written_error < 0 ||
      !std::isfinite(record.written_norm) || record.written_norm < 0)
    problems->add(id, "invalid statistics of when the list was written");
  if (record.level > census->index->meta.depth)
    problems->add(id, "level %u, but the index has %u", record.level, census->index->meta.depth);
  if (has_chain(static_cast<ListState>(record.state)) && record.head == kNoBlock)
    problems->add(id, "the list has no chain");
}

void collect_page(Census *census, BlockNumber block, const uint8_t *page) {
  const Layout &layout = census->index->layout();
  for (uint32_t slot = 0; slot < layout.list_slots; ++slot) {
    const ConstListView view = list_in(page, slot, layout);
    const uint32_t id = list_id(block, slot, layout);
    if (view.record().state > static_cast<uint8_t>(ListState::kAnchor)) {
      census->problems->add(id, "invalid state %u", view.record().state);
      continue;
    }
    if (view.state() == ListState::kFree) continue;
    check_record(census, id, view.record());
    census->lists.push(census->allocator, {id, view.record(), 0, false, 0, 0, 0, 0, 0});
  }
}

void check_parent(Census *census, const KnownList &list) {
  if (list.state() != ListState::kLive || list.id == census->index->meta.root) return;
  const KnownList *parent = census->find(list.record.parent);
  if (parent == nullptr || parent->state() != ListState::kLive ||
      parent->record.level != list.record.level + 1)
    census->problems->add(list.id, "list %u is not its parent", list.record.parent);
}

void check_root(Census *census) {
  const MetaPage &meta = census->index->meta;
  const KnownList *root = census->find(meta.root);
  if (root == nullptr || root->state() != ListState::kLive || root->record.level != meta.depth ||
      root->record.parent != kNoList)
    census->problems->add(-1, "list %u is not a root of depth %u", meta.root, meta.depth);
}

// Organising takes list records from the page of this hint without further questions.
void check_free_list_page(Census *census) {
  const BlockNumber block = census->index->meta.free_list_page;
  if (block == kNoBlock || block >= census->end) return;
  if (block == kMetaBlock || !page_is(census->copy_page(block, census->image), kListPage))
    census->problems->add(-1, "block %u, for new list records, is not a list page", block);
}

}  // namespace

void walk_model(Census *census) {
  const MetaPage &meta = census->index->meta;
  const IndexCache &cache = *census->index->cache;
  check_model_chain(census, meta.mean_block, "mean",
                    meta.mean_block == kNoBlock ? 0 : cache.mean_floats);
  check_model_chain(census, meta.rotation_block, "rotation", cache.matrix_floats);
  check_model_chain(census, meta.codebook_block, "codebooks",
                    meta.codebook_block == kNoBlock ? 0 : cache.codebook_floats);
  if ((meta.codebook_version == 0) != (meta.codebook_block == kNoBlock))
    census->problems->add(-1, "version %u of the codebooks, which begin in block %u",
                          meta.codebook_version, meta.codebook_block);
}

void walk_lists(Census *census) {
  for (BlockNumber block = census->index->meta.list_pages; block != kNoBlock;) {
    if (!census->take(block, -1, "a list page")) break;
    const uint8_t *page = census->copy_page(block, census->image);
    if (!page_is(page, kListPage)) {
      census->problems->add(-1, "block %u is not a list page", block);
      break;
    }
    collect_page(census, block, page);
    block = list_page_header(page).next;
  }
  std::sort(census->lists.begin(), census->lists.end(),
            [](const KnownList &a, const KnownList &b) { return a.id < b.id; });
  for (const KnownList &list : census->lists) check_parent(census, list);
  check_root(census);
  check_free_list_page(census);
}

// ---- Chains -----------------------------------------------------------------------------------

bool check_chain_page(Census *census, const KnownList &list, BlockNumber block, uint16_t kind,
                      const uint8_t *page) {
  CHECK_FOR_INTERRUPTS();
  if (!page_is(page, kind)) {
    census->problems->add(list.id, "block %u of its chain is a page of another kind", block);
    return false;
  }
  const ScanHeader &header = scan_header(page);
  if (header.list != list.id) {
    census->problems->add(list.id, "block %u of its chain belongs to list %u", block, header.list);
    return false;
  }
  if ((header.flags & ~(kSealed | kClosed | kMoving)) != 0)
    census->problems->add(list.id, "invalid flags %u of block %u", header.flags, block);
  if ((header.flags & kClosed) != 0 &&
      (list.state() != ListState::kRetired || header.next != kNoBlock))
    census->problems->add(list.id, "block %u is closed, but not the end of a retired chain", block);
  return true;
}

void check_chain_end(Census *census, const KnownList &list, bool open_met, uint8_t last_flags) {
  if (list.state() == ListState::kRetired) {
    if ((last_flags & kClosed) == 0)
      census->problems->add(list.id, "the retired chain is not closed");
    return;
  }
  if (!open_met && list.record.open < census->end)
    census->problems->add(list.id, "block %u, open for new rows, is not in its chain",
                          list.record.open);
}

}  // namespace vann::ivfpq
