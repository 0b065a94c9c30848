// survey.hpp — the pass that cleanup begins with: every list record, and the scan pages of every list that
// has a chain. Everything later steps need to know, found in pages alone.
#pragma once

#include "am/ivfpq/lists.hpp"

extern "C" {
#include "storage/buf.h"
}

#include <algorithm>

namespace vann::ivfpq {

// A list as its record and, for live lists of rows, its chain say it.
struct SurveyedList {
  uint32_t list;
  ListRecord record;
  uint32_t pages;
  uint64_t rows;         // without those that moved away
  uint64_t moved;        // that still are there for older scans
  double squared_error;  // sum of squared error factors of scan codes, over `rows`
  bool interrupted;      // sealed or in transit: rows may be in another list too
  bool untrained;        // some page's codes are of older codebooks

  ListState state() const { return static_cast<ListState>(record.state); }
  bool holds_rows() const { return state() == ListState::kLive && record.level == 0; }
};

struct Survey {
  Allocator allocator;
  Array<SurveyedList> lists;  // all but free records
  Array<uint32_t> anchors;    // that blocks of live and retired chains refer to: sorted, distinct
  Array<uint32_t> free_list_pages;  // list pages with a free slot
  uint8_t *used;                    // one bit per block: something refers to it
  BlockNumber blocks;               // of the file when the pass began
  uint64_t rows = 0;
  uint64_t freed_pages = 0;
};

// Whether every snapshot is younger than the transaction id: scans that may read what was retired with it
// have ended.
bool has_passed(Relation heap, uint64_t xid);

// Reads all records; pages of lists in kLive and kRetired, of these but those whose delete_xid has passed.
// On its way it clears moved rows whose time has come, and puts `open` of live lists to the first page with
// room. The result lives in `context`.
Survey survey_index(const Index &index, Relation heap, BufferAccessStrategy strategy,
                    MemoryContext context);

inline bool is_anchor(const Survey &survey, uint32_t list) {
  return std::binary_search(survey.anchors.begin(), survey.anchors.end(), list);
}

}  // namespace vann::ivfpq
