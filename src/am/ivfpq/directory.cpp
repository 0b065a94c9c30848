// directory.cpp — the search for the nearest lists, and entries added and removed. Searches hold one page
// at a time, shared. See README.md, "Directory".
#include "am/ivfpq/directory.hpp"

#include "core/base/bfloat16.hpp"

extern "C" {
#include "access/transam.h"
#include "miscadmin.h"
}

#include <algorithm>
#include <optional>

namespace vann::ivfpq {

namespace {

// How many standard deviations below its estimate a centroid is taken to be possible.
constexpr float kBoundDeviations = 2.5f;
// Tangent of the angle between a residual and its code of one or two bits, for Gaussian coordinates.
constexpr float kOneBitTangent = 0.756f;
constexpr float kTwoBitTangent = 0.366f;
// Cells whose lists are compared before the first is returned, and lists returned per further cell.
constexpr uint32_t kFirstCells = 8;
constexpr uint32_t kListsPerCell = 8;

// Calls visit(page, header) for the pages of a chain of directory pages, share-locked.
template <class Visit>
void for_each_page(const Index &index, BlockNumber head, Visit &&visit) {
  for (BlockNumber block = head; block != kNoBlock;) {
    CHECK_FOR_INTERRUPTS();
    const pg::LockedPage page = lock_page(index, block, kDirectoryPage, BUFFER_LOCK_SHARE);
    const uint8_t *bytes = page.bytes();
    const BlockNumber next = scan_header(bytes).next;
    if (!visit(block, bytes)) return;
    block = next;
  }
}

// The slot on the page of the entry of a list, or -1.
int find_entry(const uint8_t *page, const Layout &layout, uint32_t list) {
  for (uint32_t i = 0; i < layout.directory_blocks; ++i) {
    const ConstEntries entries = entries_in(page, i, layout);
    for (uint32_t live = entries.header().live; live != 0; live &= live - 1) {
      const uint32_t slot = static_cast<uint32_t>(__builtin_ctz(live));
      if (entries.lists()[slot] == list) return static_cast<int>(i * kBlockRows + slot);
    }
  }
  return -1;
}

// A slot without an entry, or -1.
int free_slot(const uint8_t *page, const Layout &layout) {
  for (uint32_t i = 0; i < layout.directory_blocks; ++i) {
    const uint32_t free = ~entries_in(page, i, layout).header().live;
    if (free != 0) return static_cast<int>(i * kBlockRows + static_cast<uint32_t>(__builtin_ctz(free)));
  }
  return -1;
}

uint32_t read_removals(const Index &index, BlockNumber head) {
  const pg::LockedPage page = lock_page(index, head, kDirectoryPage, BUFFER_LOCK_SHARE);
  return scan_header(const_cast<const uint8_t *>(page.bytes())).removals;
}

// The first page with a free slot that does not come before the entry of `replaced`; else the last page.
// Only the one backend that organises adds or removes entries, so this stays true.
BlockNumber page_for_entry(const Index &index, uint32_t parent, uint32_t replaced) {
  const Layout &layout = index.layout();
  bool behind = false;
  BlockNumber found = kNoBlock;
  for_each_page(index, read_list(index, parent, nullptr).head,
                [&](BlockNumber block, const uint8_t *page) {
                  behind = behind || find_entry(page, layout, replaced) >= 0;
                  found = block;
                  return !(behind && free_slot(page, layout) >= 0);
                });
  return found;
}

}  // namespace

EncodedCentroid encode_entry(const Layout &layout, const float *owner, const float *centroid,
                             uint8_t *code) {
  const quantize::CodeShape &shape = layout.centroids;
  const quantize::NeighborFactors factors =
      quantize::encode_neighbor(owner, centroid, layout.rotated_dims, shape.neighbor_dims,
                                shape.neighbor_bits, shape.geometry, code);
  const float length = std::sqrt(simd::kernels().dot_f32(centroid, centroid, layout.rotated_dims));
  return {to_bfloat16(factors.scale), to_bfloat16(factors.offset),
          to_bfloat16(std::sqrt(factors.residual_squared)), to_bfloat16(length)};
}

void write_entry(uint8_t *page, uint32_t slot, const Layout &layout, uint32_t list,
                 const EncodedCentroid &centroid, const uint8_t *code) {
  const Entries entries = entries_in(page, slot / kBlockRows, layout);
  const uint32_t place = slot % kBlockRows;
  quantize::store_tile(entries.tiles(), place, code, layout.centroids.neighbor_dims,
                       layout.centroids.neighbor_bits);
  entries.scales()[place] = centroid.scale;
  entries.offsets()[place] = centroid.offset;
  entries.residuals()[place] = centroid.residual;
  entries.lengths()[place] = centroid.length;
  entries.lists()[place] = list;
  entries.header().live |= 1u << place;
}

// ---- Search -----------------------------------------------------------------------------------

void DirectorySearch::open(const Index &index, const float *q, Route route, MemoryContext context) {
  const Layout &layout = index.layout();
  if (prepared_build_ != index.cache->build_id) {
    context_ = context;
    allocator_ = pg::allocator_in(context);
    query_memory_ =
        pg::allocate_aligned<uint8_t>(context, quantize::query_bytes(layout.centroids));
    prepared_build_ = index.cache->build_id;
  }
  index_ = index;
  route_ = route;
  query_ = quantize::prepare_query(layout.centroids, q, query_memory_);
  lists_.clear();
  routed_.clear();
  cells_.clear();
  expanded_ = returned_ = 0;
  pages_read_ = 0;
  scan_chain(this->route(index.meta.root), index.meta.depth > 1 ? &cells_ : &lists_);
}

float DirectorySearch::key_of(float distance, float length) const {
  const bool angle = route_ == Route::kRow && query_.shape.geometry == quantize::Geometry::kInnerProduct;
  return angle && length > 0 ? distance / length : distance;
}

RoutedList DirectorySearch::route(uint32_t list) const {
  const ListPage page(index_, list, BUFFER_LOCK_SHARE);
  ++pages_read_;
  const ListRecord &record = page.list().record();
  const quantize::OwnEstimate own =
      quantize::estimate_own(query_, page.list().code(), record.factors);
  const float squared = quantize::decoded_norm_squared(record.factors);
  const bool l2 = query_.shape.geometry == quantize::Geometry::kL2;
  const float between = l2 ? own.anchor : query_.norm_squared + squared + 2 * own.anchor;
  return {list,
          key_of(own.anchor, std::sqrt(squared)),
          {own.anchor, std::sqrt(std::max(between, 0.0f))},
          record.head,
          record.open};
}

void DirectorySearch::scan_entries(ConstEntries entries, const quantize::AnchorDistance &owner,
                                   Array<Candidate> *out) {
  const quantize::CodeShape &shape = query_.shape;
  float estimates[kBlockRows];
  quantize::estimate_neighbors(query_, owner.base, entries.tiles(), entries.scales(),
                               entries.offsets(), estimates);
  const float tangent = shape.neighbor_bits == 2 ? kTwoBitTangent : kOneBitTangent;
  const float weight = shape.geometry == quantize::Geometry::kL2 ? 2.0f : 1.0f;
  const float noise = kBoundDeviations * weight * tangent * owner.length /
                      std::sqrt(static_cast<float>(shape.neighbor_dims));
  for (uint32_t live = entries.header().live; live != 0; live &= live - 1) {
    const uint32_t slot = static_cast<uint32_t>(__builtin_ctz(live));
    const float bound = estimates[slot] - noise * from_bfloat16(entries.residuals()[slot]);
    const float length = from_bfloat16(entries.lengths()[slot]);
    out->push(allocator_, {key_of(bound, length), entries.lists()[slot], kUnrouted});
  }
}

// Pages are read one after another. A list whose entry goes from a page that is still to be read may have left
// its rows to one whose entry came to a page that was read before; so the chain is read again when an entry has
// gone meanwhile.
void DirectorySearch::scan_chain(const RoutedList &owner, Array<Candidate> *out) {
  const size_t before = out->size;
  uint32_t removals = 0;
  bool again;
  do {
    out->size = before;
    uint32_t pages = 0;
    for_each_page(index_, owner.head, [&](BlockNumber, const uint8_t *page) {
      ++pages_read_;
      if (pages++ == 0) removals = scan_header(page).removals;
      for (uint32_t i = 0; i < index_.layout().directory_blocks; ++i) {
        const ConstEntries entries = entries_in(page, i, index_.layout());
        if (entries.header().live != 0) scan_entries(entries, owner.distance, out);
      }
      return true;
    });
    again = pages > 1 && read_removals(index_, owner.head) != removals;
  } while (again);
  if (before == 0) {
    std::make_heap(out->begin(), out->end());
  } else {
    for (size_t i = before + 1; i <= out->size; ++i) std::push_heap(out->begin(), out->begin() + i);
  }
}

// Lists of the nearest cells join the others.
void DirectorySearch::expand_cells() {
  const uint32_t wanted = kFirstCells + returned_ / kListsPerCell;
  while (cells_.size > 0 && (expanded_ < wanted || lists_.size == 0)) {
    std::pop_heap(cells_.begin(), cells_.end());
    const uint32_t cell = cells_[--cells_.size].list;
    scan_chain(route(cell), &lists_);
    ++expanded_;
  }
}

bool DirectorySearch::next(RoutedList *out) {
  expand_cells();
  while (lists_.size > 0) {
    std::pop_heap(lists_.begin(), lists_.end());
    const Candidate nearest = lists_[--lists_.size];
    if (nearest.routed != kUnrouted) {
      *out = routed_[nearest.routed];
      ++returned_;
      return true;
    }
    routed_.push(allocator_, route(nearest.list));
    const uint32_t place = static_cast<uint32_t>(routed_.size - 1);
    lists_.push(allocator_, {routed_[place].key, nearest.list, place});
    std::push_heap(lists_.begin(), lists_.end());
  }
  return false;
}

quantize::AnchorDistance DirectorySearch::distance_to(uint32_t list) const {
  return route(list).distance;
}

// ---- Changes ----------------------------------------------------------------------------------

void add_entry(const Index &index, uint32_t parent, uint32_t list, uint32_t replaced) {
  const Layout &layout = index.layout();
  float *owner = static_cast<float *>(palloc(2 * sizeof(float) * layout.rotated_dims));
  float *centroid = owner + layout.rotated_dims;
  uint8_t *code = static_cast<uint8_t *>(palloc(quantize::neighbor_code_bytes(
      layout.centroids.neighbor_dims, layout.centroids.neighbor_bits)));
  read_list(index, parent, owner);
  read_list(index, list, centroid);
  const EncodedCentroid entry = encode_entry(layout, owner, centroid, code);

  pg::LockedPage page = lock_page(index, page_for_entry(index, parent, replaced), kDirectoryPage,
                                  BUFFER_LOCK_EXCLUSIVE);
  int slot = free_slot(page.bytes(), layout);
  std::optional<pg::LockedPage> added;
  if (slot < 0) added.emplace(take_page(index));
  const ListPage record(index, list, BUFFER_LOCK_EXCLUSIVE);

  pg::PageEdit edit(index.relation);
  uint8_t *copy = edit.modify(page);
  if (added) {
    scan_header(copy).next = added->block();
    copy = edit.overwrite(*added);
    init_directory_page(copy, layout, parent);
    slot = 0;
  }
  write_entry(copy, static_cast<uint32_t>(slot), layout, list, entry, code);
  ListRecord &changed = record.list_in_copy(edit.modify(record.page())).record();
  changed.state = static_cast<uint8_t>(ListState::kLive);
  changed.parent = parent;
  edit.commit();
  pfree(owner);
  pfree(code);
}

void retire_list(const Index &index, uint32_t list, const pg::LockedPage &tail) {
  const Layout &layout = index.layout();
  const uint32_t parent = read_list(index, list, nullptr).parent;
  const BlockNumber head = read_list(index, parent, nullptr).head;
  BlockNumber where = kNoBlock;
  for_each_page(index, head,
                [&](BlockNumber block, const uint8_t *page) {
                  if (find_entry(page, layout, list) >= 0) where = block;
                  return where == kNoBlock;
                });
  if (where == kNoBlock) report_corrupt(index, tail.block(), "The list has no entry in the directory.");

  std::optional<pg::LockedPage> first;
  if (where != head)
    first.emplace(lock_page(index, head, kDirectoryPage, BUFFER_LOCK_EXCLUSIVE));
  const pg::LockedPage directory = lock_page(index, where, kDirectoryPage, BUFFER_LOCK_EXCLUSIVE);
  const ListPage record(index, list, BUFFER_LOCK_EXCLUSIVE);
  pg::PageEdit edit(index.relation);
  uint8_t *copy = edit.modify(directory);
  const uint32_t slot = static_cast<uint32_t>(find_entry(copy, layout, list));
  entries_in(copy, slot / kBlockRows, layout).header().live &= ~(1u << slot % kBlockRows);
  ++scan_header(first ? edit.modify(*first) : copy).removals;
  ListRecord &changed = record.list_in_copy(edit.modify(record.page())).record();
  changed.state = static_cast<uint8_t>(ListState::kRetired);
  changed.delete_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
  scan_header(edit.modify(tail)).flags |= kSealed | kClosed;
  edit.commit();
}

void collect_lists(const Index &index, const Allocator &allocator, Array<uint32_t> *lists) {
  const Layout &layout = index.layout();
  const auto collect = [&](uint32_t owner, Array<uint32_t> *out) {
    for_each_page(index, read_list(index, owner, nullptr).head,
                  [&](BlockNumber, const uint8_t *page) {
                    for (uint32_t i = 0; i < layout.directory_blocks; ++i) {
                      const ConstEntries entries = entries_in(page, i, layout);
                      for (uint32_t live = entries.header().live; live != 0; live &= live - 1)
                        out->push(allocator, entries.lists()[__builtin_ctz(live)]);
                    }
                    return true;
                  });
  };
  if (index.meta.depth == 1) {
    collect(index.meta.root, lists);
    return;
  }
  Array<uint32_t> cells;
  collect(index.meta.root, &cells);
  for (const uint32_t cell : cells) collect(cell, lists);
  allocator.resize(allocator.context, cells.data, 0);
}

}  // namespace vann::ivfpq
