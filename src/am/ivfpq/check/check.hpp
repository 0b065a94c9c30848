// check.hpp — one walk over all that an index refers to: what is wrong with it, and what it holds. The
// parts of ivfpq_check() that read the index alone; the table's side is am/common's and check.cpp's.
// Locks: one page at a time, shared. While others write, what two pages say of each other may be out of
// step: whoever wants certainty walks twice and believes what is found both times.
#pragma once

#include "am/common/problems.hpp"
#include "am/ivfpq/index.hpp"
#include "core/base/array.hpp"

namespace vann::ivfpq {

// A list record that is in use, and what its chain holds.
struct KnownList {
  uint32_t id;
  ListRecord record;
  uint32_t entries;  // of the directory that name it
  bool entered;      // a search can come to it from the root
  uint32_t pages;    // of the chain
  uint64_t rows;     // that exist and are not marked moved; in a directory list: entries
  uint64_t moved;
  uint64_t slots;
  double squared_error;  // sum over rows and moved ones: their scan codes' error factors, squared

  ListState state() const { return static_cast<ListState>(record.state); }
};

// A row in the chain of a live list.
struct RowPlace {
  uint64_t tid;  // tid_key()
  uint32_t list;
  BlockNumber block;
  uint16_t row;
  bool moved;
  bool leaving;  // on a page whose rows are, or were, being copied to other lists
};

// Trivially destructible; arrays live in the context given to take_census().
struct Census {
  const Index *index;
  Allocator allocator;
  am::Problems *problems;  // places are lists
  BlockNumber end;         // of the file, when the census began
  bool *referenced;        // [end]
  uint8_t *image;          // [kPageBytes] the page at hand
  uint8_t *refine_image;   // [kPageBytes]
  Array<KnownList> lists;  // by id
  Array<RowPlace> rows;    // by TID; of copies those that are not moved come first

  // The list of that id, or null when no record in use has it.
  KnownList *find(uint32_t list) const;
  // Notes that `block` is `what` (for messages) of the list `place`. False, with a problem unless the
  // block is younger than the census, when nothing can be read there.
  bool take(BlockNumber block, int64_t place, const char *what);
  // Copies a page, so that nothing is reported under its lock.
  const uint8_t *copy_page(BlockNumber block, uint8_t *copy) const;
};

// Walks over the metapage's chains, list records, the directory and the chains of all lists.
Census take_census(const Index &index, MemoryContext context, am::Problems *problems);

// The steps of the walk, in this order.
void walk_model(Census *census);  // lists.cpp
void walk_lists(Census *census);
void walk_directory(Census *census);  // directory.cpp
void walk_rows(Census *census);       // rows.cpp

// The chain of a list, whose pages are of `kind`: calls visit(block, page) with a copy of each page, and
// checks what all chains have in common.
template <class Visit>
void walk_chain(Census *census, KnownList *list, uint16_t kind, Visit &&visit);
// What a page of a chain says of itself.
bool check_chain_page(Census *census, const KnownList &list, BlockNumber block, uint16_t kind,
                      const uint8_t *page);
void check_chain_end(Census *census, const KnownList &list, bool open_met, uint8_t last_flags);

template <class Visit>
void walk_chain(Census *census, KnownList *list, uint16_t kind, Visit &&visit) {
  bool open_met = false;
  uint8_t flags = 0;
  for (BlockNumber block = list->record.head; block != kNoBlock;) {
    if (!census->take(block, list->id, "a page of its chain")) return;
    const uint8_t *page = census->copy_page(block, census->image);
    if (!check_chain_page(census, *list, block, kind, page)) return;
    ++list->pages;
    open_met |= block == list->record.open;
    flags = scan_header(page).flags;
    const BlockNumber next = scan_header(page).next;
    visit(block, page);
    block = next;
  }
  check_chain_end(census, *list, open_met, flags);
}

}  // namespace vann::ivfpq
