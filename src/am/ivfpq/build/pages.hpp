// pages.hpp — writes the pages of a built index, once and front to back:
//   metapage, model, list records, directory, then each list's scan pages and its refine pages.
#pragma once

#include "am/ivfpq/build/store.hpp"

namespace vann::ivfpq {

struct WrittenLists {
  const BuildModel *model;
  const Training *training;  // lengths of lists, probes
  RowStore *rows;            // finished
};

// Writes everything to the empty main fork of the index.
void write_index(Relation index, const WrittenLists &lists);

}  // namespace vann::ivfpq
