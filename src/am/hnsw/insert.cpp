// insert.cpp — aminsert: search for neighbors, write the element's records, link them back. At most one
// record page is locked at a time, so inserts, scans and vacuum never wait for each other in a circle.
// Every step leaves a valid graph: a crash in between costs edges, not correctness.
#include "am/hnsw/insert.hpp"

#include "am/hnsw/element.hpp"
#include "am/hnsw/options.hpp"
#include "am/hnsw/search.hpp"
#include "am/hnsw/space.hpp"
#include "am/hnsw/tids.hpp"

extern "C" {
#include "common/pg_prng.h"
}

namespace vann::hnsw {

namespace {

// First look for a duplicate with a narrow beam: an UPDATE that left the vector as it was, or a value
// that many rows share, ends there.
constexpr size_t kDuplicateWidth = 16;
// How many of the selected neighbors get an edge back. More costs a page write each and finds little.
constexpr uint32_t kMaxBackLinks = 24;

struct Insertion {
  const Index *index;
  Relation heap;
  HeapTid tid;
  Element element;
  Allocator allocator;
  graph::Frontier frontier;
  SearchPlan plan;
};

// Neighbors chosen on one level: the first `selected` by the heuristic, `kept` in all.
struct Links {
  Candidate *items;
  uint32_t selected;
  uint32_t kept;
  uint32_t *ids;  // [kept]

  Targets targets() const { return {ids, kept}; }
};

// m_L of the paper is 1 / ln(level_divisor).
int draw_level(const Index &index) {
  const double u = 1.0 - pg_prng_double(&pg_global_prng_state);
  const int level =
      static_cast<int>(-std::log(u) / std::log(level_divisor(index.layout().degree)));
  // One new level at a time: a level without other elements helps nobody.
  return std::min({level, index.entry.level + 1, kMaxLevel});
}

// Searches `level`, collects what may be linked; on level 0 returns the live element with the same code
// if there is one.
const Candidate *collect(Insertion *insertion, int level, const Seeds &seeds,
                         Array<Candidate> *candidates, Seeds *below) {
  const Index &index = *insertion->index;
  // An index, not a pointer: the array moves as it grows.
  constexpr size_t kNoDuplicate = SIZE_MAX;
  size_t duplicate = kNoDuplicate;
  below->clear();
  auto visit = [&](const graph::Offer &offer, ConstRecord record, const Expanded &expanded) {
    if (level == 0 && duplicate == kNoDuplicate && record.state() == State::kLive &&
        same_code(record, insertion->element))
      duplicate = candidates->size;
    below->add(expanded.distance, record.header().chain, graph::kAnyGeneration);
    candidates->push(insertion->allocator, copy_candidate(record, offer.node, expanded.distance));
  };
  const size_t width = std::max<size_t>(
      static_cast<size_t>(option_ef_construction(index.relation)), index.layout().degree);
  seeds.offer_to(insertion->frontier, insertion->allocator, level == 0 ? kDuplicateWidth : width);
  search_level(insertion->plan, level, insertion->frontier, visit);
  if (duplicate == kNoDuplicate && level == 0) {
    insertion->frontier.widen(width);
    search_level(insertion->plan, level, insertion->frontier, visit);
  }
  return duplicate == kNoDuplicate ? nullptr : candidates->data + duplicate;
}

// Dead elements are linked to only where nothing live was found: they still lead somewhere, and vacuum
// replaces them.
void prefer_live(Array<Candidate> *candidates) {
  const auto live = [](const Candidate &c) { return c.state == State::kLive; };
  if (!std::any_of(candidates->begin(), candidates->end(), live)) return;
  candidates->size = static_cast<size_t>(
      std::remove_if(candidates->begin(), candidates->end(),
                     [&](const Candidate &c) { return !live(c); }) -
      candidates->begin());
}

Links choose_links(const Layout &layout, Array<Candidate> *candidates) {
  prefer_live(candidates);
  Links links{};
  links.selected = select_neighbors(layout, candidates, &links.kept);
  links.items = candidates->data;
  links.ids = static_cast<uint32_t *>(palloc((links.kept + 1) * sizeof(uint32_t)));
  for (uint32_t i = 0; i < links.kept; ++i) links.ids[i] = links.items[i].record;
  return links;
}

void fill_record(const Insertion &insertion, Record record, int level, const Links &links) {
  const Layout &layout = insertion.index->layout();
  RecordHeader &header = record.header();
  header.state = static_cast<uint8_t>(State::kLive);
  header.level = static_cast<uint8_t>(level);
  header.chain = kNoRecord;
  header.element = kNoRecord;
  header.factors = insertion.element.factors;
  memcpy(record.code(), insertion.element.planes,
         quantize::code_bytes(layout.shape.dims, layout.shape.code_bits));
  header.neighbor_count = static_cast<uint16_t>(links.kept);
  uint8_t code[kPageBytes / 32];
  for (uint32_t i = 0; i < links.kept; ++i) {
    const Candidate &to = links.items[i];
    put_edge(record, i,
             encode_edge(layout, insertion.element.decoded, to.decoded, to.record, to.generation,
                         code));
  }
}

// The record as it will stand on its page, but for the slot's generation.
Record draft_record(const Insertion &insertion, int level, const Links &links) {
  const Layout &layout = insertion.index->layout();
  Record draft(static_cast<uint8_t *>(palloc0(layout.stride)), layout);
  fill_record(insertion, draft, level, links);
  return draft;
}

// Writes the drafted record to a free slot.
EntryPoint write_record(const Insertion &insertion, Record draft) {
  const Index &index = *insertion.index;
  const FreeSlot slot = take_slot(index, insertion.heap);
  pg::PageEdit edit(index.relation);
  Record record = begin_record(edit, slot, index.layout());
  draft.header().generation = slot.generation;
  memcpy(record.data(), draft.data(), index.layout().stride);
  edit.commit();
  return {slot.record, draft.header().level, slot.generation};
}

// True while the record is the live one that the candidate was copied from.
bool still_there(ConstRecord record, const Candidate &candidate, int level) {
  return record.state() == State::kLive && record.traversable() &&
         record.header().generation == candidate.generation && record.header().level == level;
}

void write_edge(const RecordPage &page, uint32_t slot, const Edge &edge) {
  pg::PageEdit edit(page.page().relation());
  Record changed = page.record_in_copy(edit.modify(page.page()));
  put_edge(changed, slot, edge);
  if (slot == changed.header().neighbor_count) ++changed.header().neighbor_count;
  edit.commit();
}

// Adds the edge neighbor -> element if the page-local rule lets it in.
bool link_back(const Insertion &insertion, const Links &links, const Candidate &to,
               const EntryPoint &from, bool force) {
  const Index &index = *insertion.index;
  const Layout &layout = index.layout();
  uint8_t code[kPageBytes / 32];
  const Edge edge = encode_edge(layout, to.decoded, insertion.element.decoded, from.record,
                                from.generation, code);
  quantize::PreparedQuery parent;
  const bool inner_product = layout.shape.geometry == quantize::Geometry::kInnerProduct;
  if (inner_product)
    parent = quantize::prepare_query(layout.shape, to.decoded, insertion.plan.parent_memory);

  RecordPage page(index, to.record, BUFFER_LOCK_EXCLUSIVE);
  const ConstRecord record = page.record();
  if (!still_there(record, to, from.level) || find_edge(record, from.record) != kNoSlot)
    return false;
  const int slot = choose_slot(record, insertion.element.query, inner_product ? &parent : nullptr,
                               to.length, links.targets(), force);
  if (slot == kNoSlot) return false;
  write_edge(page, static_cast<uint32_t>(slot), edge);
  return true;
}

// The farthest neighbor of a full list, copied from its own page. False when the list has changed.
bool copy_farthest(const Insertion &insertion, const Candidate &of, int level, uint32_t *slot,
                   Candidate *farthest) {
  const Index &index = *insertion.index;
  RecordPage page(index, of.record, BUFFER_LOCK_SHARE);
  const ConstRecord record = page.record();
  if (!still_there(record, of, level) || record.header().neighbor_count == 0) return false;
  *slot = 0;
  for (uint32_t i = 1; i < record.header().neighbor_count; ++i)
    if (edge_length(record, i) > edge_length(record, *slot)) *slot = i;
  const uint32_t target = record.ids()[*slot];
  page.release();

  RecordPage target_page(index, target, BUFFER_LOCK_SHARE);
  if (!target_page.record().traversable() || target_page.record().header().level != level)
    return false;
  *farthest = copy_candidate(target_page.record(), target, 0);
  return true;
}

// The last resort of an element that nobody can take in without cutting something off: it adopts the
// farthest neighbor of `to` as its own (its last edge gives way: nothing relies on that one yet) and
// takes that neighbor's place there.
bool adopt(const Insertion &insertion, const Links &links, const Candidate &to,
           const EntryPoint &from) {
  const Index &index = *insertion.index;
  const Layout &layout = index.layout();
  uint32_t slot;
  Candidate farthest;
  if (!copy_farthest(insertion, to, from.level, &slot, &farthest)) return false;
  float *decoded = static_cast<float *>(palloc(layout.shape.dims * sizeof(float)));
  quantize::decode_planes(farthest.planes, farthest.factors, layout.shape.dims,
                          layout.shape.code_bits, decoded);
  uint8_t code[kPageBytes / 32];
  {
    RecordPage own(index, from.record, BUFFER_LOCK_EXCLUSIVE);
    if (links.kept == 0 || own.record().header().neighbor_count == 0) return false;
    const uint32_t last =
        std::min<uint32_t>(own.record().header().neighbor_count, layout.degree - 1);
    write_edge(own, last,
               encode_edge(layout, insertion.element.decoded, decoded, farthest.record,
                           farthest.generation, code));
  }
  const Edge edge = encode_edge(layout, to.decoded, insertion.element.decoded, from.record,
                                from.generation, code);
  RecordPage page(index, to.record, BUFFER_LOCK_EXCLUSIVE);
  const ConstRecord record = page.record();
  if (!still_there(record, to, from.level) || slot >= record.header().neighbor_count ||
      record.ids()[slot] != farthest.record)
    return false;
  write_edge(page, slot, edge);
  return true;
}

// Nearest first. An element must not stay without an edge that leads to it.
bool link_all_back(const Insertion &insertion, const Links &links, const EntryPoint &from) {
  uint32_t linked = 0;
  for (uint32_t i = 0; i < links.selected && i < kMaxBackLinks; ++i)
    linked += link_back(insertion, links, links.items[i], from, false);
  for (uint32_t i = 0; i < links.kept && linked == 0; ++i)
    linked += link_back(insertion, links, links.items[i], from, true);
  for (uint32_t i = 0; i < links.kept && linked == 0; ++i)
    linked += adopt(insertion, links, links.items[i], from);
  return linked > 0;
}

// Makes the record the entry point if it is on a higher level than the present one, or `always`.
void set_entry(const Index &index, const EntryPoint &entry, bool always) {
  pg::LockedPage page(index.relation, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
  if (!always && meta_of(page.bytes())->entry_level >= entry.level) return;
  pg::PageEdit edit(index.relation);
  MetaPage *meta = meta_of(edit.modify(page));
  meta->entry_record = entry.record;
  meta->entry_level = static_cast<int16_t>(entry.level);
  meta->entry_generation = entry.generation;
  edit.commit();
}

// The first element of an empty index: its record and the entry point in one step. False when
// somebody else was first. Locks: metapage, then one record page.
bool insert_first(const Insertion &insertion) {
  const Index &index = *insertion.index;
  Record draft = draft_record(insertion, 0, {});
  draft.header().tids[0] = insertion.tid;
  draft.header().tid_count = 1;

  pg::LockedPage meta_page(index.relation, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
  if (meta_of(meta_page.bytes())->entry_level >= 0) return false;
  const FreeSlot slot = take_slot(index, insertion.heap);
  pg::PageEdit edit(index.relation);
  MetaPage *meta = meta_of(edit.modify(meta_page));
  Record record = begin_record(edit, slot, index.layout());
  draft.header().generation = slot.generation;
  memcpy(record.data(), draft.data(), index.layout().stride);
  meta->entry_record = slot.record;
  meta->entry_level = 0;
  meta->entry_generation = slot.generation;
  edit.commit();
  return true;
}

// Writes the element's records from level 0 up, each linked back before the next is written.
void write_levels(const Insertion &insertion, int level, const Links *links) {
  EntryPoint base{};
  EntryPoint below{};
  for (int l = 0; l <= level; ++l) {
    Record draft = draft_record(insertion, l, links[l]);
    if (l == 0) {
      draft.header().tids[0] = insertion.tid;
      draft.header().tid_count = 1;
    } else {
      draft.header().chain = below.record;
      draft.header().element = base.record;
    }
    const EntryPoint written = write_record(insertion, draft);
    const bool linked = link_all_back(insertion, links[l], written);
    // Nothing live leads here: the graph around has died. Searches start from this element now;
    // its own edges keep what is left within reach.
    if (l == 0 && !linked) set_entry(*insertion.index, written, true);
    if (l == 0) base = written;
    below = written;
  }
  if (level > insertion.index->entry.level) set_entry(*insertion.index, below, false);
}

void insert_linked(Insertion *insertion) {
  const Index &index = *insertion->index;
  const int level = draw_level(index);
  Links links[kMaxLevel + 1] = {};
  Seeds seeds;
  descend(insertion->plan, insertion->allocator, insertion->frontier,
          std::min(level, index.entry.level), &seeds);
  for (int l = std::min(level, index.entry.level); l >= 0; --l) {
    Array<Candidate> candidates;
    Seeds below;
    const Candidate *duplicate = collect(insertion, l, seeds, &candidates, &below);
    if (duplicate != nullptr && append_tid(index, insertion->heap, duplicate->record,
                                           duplicate->generation, insertion->tid))
      return;
    links[l] = choose_links(index.layout(), &candidates);
    seeds = below;
  }
  write_levels(*insertion, level, links);
}

void insert_value(Relation relation, Relation heap, Datum value, const HeapTid &tid) {
  Insertion insertion{};
  Index index = open_index(relation);
  insertion.index = &index;
  insertion.heap = heap;
  insertion.tid = tid;
  insertion.allocator = pg::allocator_in(CurrentMemoryContext);
  insertion.element = make_element(index, value);
  const quantize::CodeShape &shape = index.layout().shape;
  insertion.plan = {&index, &insertion.element.query, Measure::kLength,
                    static_cast<float *>(palloc(shape.dims * sizeof(float))),
                    pg::allocate_aligned<uint8_t>(CurrentMemoryContext,
                                                  quantize::query_bytes(shape))};
  if (index.entry.level < 0) {
    if (insert_first(insertion)) return;
    index.entry = read_entry_point(relation);
  }
  insert_linked(&insertion);
}

}  // namespace

extern "C" bool hnsw_insert(Relation index, Datum *values, bool *isnull, ItemPointer heap_tid,
                            Relation heap, IndexUniqueCheck, bool, IndexInfo *) {
  if (isnull[0]) return false;
  MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "hnsw insert", ALLOCSET_DEFAULT_SIZES);
  {
    pg::ContextScope scope(context);
    insert_value(index, heap, values[0], to_heap_tid(*heap_tid));
  }
  MemoryContextDelete(context);
  return false;
}

}  // namespace vann::hnsw
