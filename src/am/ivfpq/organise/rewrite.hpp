// rewrite.hpp — a list replaced by new lists, or by its neighbors. See ../README.md, "Maintenance" and
// "Concurrency".
#pragma once

#include "am/ivfpq/directory.hpp"
#include "am/ivfpq/organise/distribute.hpp"
#include "am/ivfpq/vacuum/survey.hpp"

namespace vann::ivfpq {

// What a run of maintenance works with. Only one exists per table at a time.
struct Run {
  Index index;
  BufferAccessStrategy strategy;
  Survey *survey;
  MemoryContext context;       // of the run
  MemoryContext list_context;  // of the work on one list; reset for each
  DirectorySearch directory;
};

// Lists that a rewrite has filled: the new ones, then neighbors that were there before.
struct Rewritten {
  Target *targets;  // in run->list_context
  uint32_t made;
  uint32_t count;
  const float *reference;  // as for CodedRows
};

// Most lists that one rewrite makes.
inline constexpr uint32_t kMostNewLists = 4000;

// Divides the rows of a live list among at most `wanted` new lists with centroids of their own and its
// `neighbors` nearest lists; then retires the list. Does nothing, and `count` is 0, when there would be
// no target, or fewer than `least` new lists because rows are alike. Rows keep their codes where these
// serve nearly as well as new ones would, unless `recode`. Restores nothing when it is cancelled: the list
// then stays, and the new ones go with the next cleanup.
Rewritten rewrite_list(Run *run, const SurveyedList &list, uint32_t wanted, uint32_t least,
                       uint32_t neighbors, bool recode);

}  // namespace vann::ivfpq
