// directory.hpp — the lists' centroids: the search for the nearest lists, and changes of what it finds.
// See README.md, "Directory".
#pragma once

#include "am/ivfpq/lists.hpp"
#include "core/quantize/query.hpp"

namespace vann::ivfpq {

// What order lists come in.
enum class Route : uint8_t {
  kQuery,  // by the metric's distance between the vector and the centroid: for scans
  kRow,    // as rows are assigned: by squared L2 distance; inner product: by angle
};

// A list on the way of a search.
struct RoutedList {
  uint32_t list;
  float key;                          // what lists are ordered by
  quantize::AnchorDistance distance;  // of the vector to the decoded centroid
  uint32_t head;                      // of its chain
  uint32_t open;
};

// Nearest lists one after another. Trivially destructible; memory comes from the context given to open().
// Holds no lock between calls.
class DirectorySearch {
 public:
  // May be called again for another vector: memory is kept. `q`: a prepared vector, rotated_dims floats,
  // not needed after the call. Reads the root's chain.
  void open(const Index &index, const float *q, Route route, MemoryContext context);
  // The next nearest list; false when there is none left. Centroids are compared by their 2-bit codes, and
  // exactly where that leaves doubt.
  bool next(RoutedList *out);
  // The distance to any list record's decoded centroid, also of retired lists and anchors.
  quantize::AnchorDistance distance_to(uint32_t list) const;
  uint64_t pages_read() const { return pages_read_; }

 private:
  static constexpr uint32_t kUnrouted = 0xffffffffu;
  struct Candidate {
    float bound;      // the least that the key can be
    uint32_t list;
    uint32_t routed;  // place in routed_ once the key is known, and then `bound` is the key
    friend bool operator<(const Candidate &a, const Candidate &b) { return a.bound > b.bound; }
  };

  void scan_chain(const RoutedList &owner, Array<Candidate> *out);
  void scan_entries(ConstEntries entries, const quantize::AnchorDistance &owner,
                    Array<Candidate> *out);
  RoutedList route(uint32_t list) const;
  float key_of(float distance, float length) const;
  void expand_cells();

  Index index_;
  Route route_;
  MemoryContext context_;
  Allocator allocator_;
  quantize::PreparedQuery query_;
  uint8_t *query_memory_;
  uint64_t prepared_build_;
  Array<Candidate> lists_;   // heap
  Array<RoutedList> routed_;
  Array<Candidate> cells_;   // heap, when the directory has two levels
  uint32_t expanded_;        // cells whose lists are in lists_
  uint32_t returned_;
  mutable uint64_t pages_read_;
};

// An entry of a directory page; `code` beside it has neighbor_code_bytes().
struct EncodedCentroid {
  uint16_t scale, offset, residual, length;  // bfloat16
};
EncodedCentroid encode_entry(const Layout &layout, const float *owner, const float *centroid,
                             uint8_t *code);
// Writes it into a page image.
void write_entry(uint8_t *page, uint32_t slot, const Layout &layout, uint32_t list,
                 const EncodedCentroid &centroid, const uint8_t *code);

// Adds the list's entry to the directory list `parent`, on the page of the entry of `replaced` or behind it,
// so that whoever reads the directory from its beginning meets one of them. The list becomes kLive.
void add_entry(const Index &index, uint32_t parent, uint32_t list, uint32_t replaced);

// Takes the entry of `list` out and retires the list: its record becomes kRetired with the next transaction
// id, its last page (`tail`, exclusively locked by the caller) is closed, the directory list's count of
// removals grows, in one WAL record.
void retire_list(const Index &index, uint32_t list, const pg::LockedPage &tail);

// All lists of level 0 in the directory.
void collect_lists(const Index &index, const Allocator &allocator, Array<uint32_t> *lists);

}  // namespace vann::ivfpq
