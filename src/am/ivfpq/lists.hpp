// lists.hpp — list records: reading, making and changing them. Lock order in this access method: scan
// page, refine page, directory page, list page, metapage; a later one may be taken while an earlier one
// is held, never the other way round.
#pragma once

#include "am/ivfpq/index.hpp"
#include "core/base/array.hpp"

namespace vann::ivfpq {

// A list record locked on its page.
class ListPage {
 public:
  // ERROR when the id lies outside the index.
  ListPage(const Index &index, uint32_t list, int mode);
  ConstListView list() const;
  // The same record in a working copy of the page.
  ListView list_in_copy(uint8_t *copy) const;
  const pg::LockedPage &page() const { return page_; }
  void release() { page_.release(); }

 private:
  pg::LockedPage page_;
  const Layout *layout_;
  uint32_t slot_;
};

// A copy of the record (share lock, released). With `decoded` (rotated_dims floats) also the centroid as its
// code says it.
ListRecord read_list(const Index &index, uint32_t list, float *decoded);

// Codes a centroid as list records hold it; writes code_bytes(rotated_dims, centroids.code_bits).
quantize::CodeFactors encode_centroid(const Layout &layout, const float *centroid, uint8_t *code);

// Makes a list in state kBuilding at `level` with the given centroid (rotated_dims floats) and one empty
// page of its chain; returns its id. For the one backend that organises. `decoded`, if given, receives the
// centroid as its code says it. The caller holds no page lock.
uint32_t make_list(const Index &index, const float *centroid, uint8_t level, uint32_t parent,
                   float *decoded);

// Notes what the list's rows are now, which drift will be measured against: their number, the sum of their
// squared error factors, and their mean length (inner product, else 0).
void note_written(ListRecord *record, uint64_t rows, double squared_error, float norm);

// Sets the record's `open`. A hint only: no harm if it is lost.
void set_open_page(const Index &index, uint32_t list, BlockNumber open);

// An unused page, exclusively locked, its contents of no importance (to be overwritten): from the free space
// map, else the file grows.
pg::LockedPage take_page(const Index &index);

// Makes a working copy of a page one that nobody uses; what else stood there stays.
void mark_free(uint8_t *copy);
// Gives a page up, which is exclusively locked and which no scan can come to any more: kFreePage, in the free
// space map. Releases it.
void free_page(const Index &index, pg::LockedPage &page);

// Initializes a page image as a list page before `next` in their chain, all slots free.
void init_list_page(uint8_t *image, uint32_t next);
// Initializes a page image as an empty scan page or directory page of the list.
void init_scan_page(uint8_t *image, const Layout &layout, uint32_t list, uint8_t codebook_version);
void init_directory_page(uint8_t *image, const Layout &layout, uint32_t list);
void init_refine_page(uint8_t *image, uint32_t list, BlockNumber scan_page);

// Writes floats into a new chain of model pages; returns its head. Reads such a chain; ERROR when it
// does not hold exactly `count`.
BlockNumber write_floats(const Index &index, const float *floats, size_t count);
void read_floats(const Index &index, BlockNumber head, float *out, size_t count);

}  // namespace vann::ivfpq
