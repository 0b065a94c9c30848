// insert.hpp — aminsert.
#pragma once

#include "am/ivfpq/index.hpp"

extern "C" {
#include "access/genam.h"
#include "nodes/execnodes.h"
}

namespace vann::ivfpq {

// Adds a row: the nearest list's scan page and its refine page change, in one WAL record. Never waits for
// organising. See README.md, "Insert".
extern "C" bool ivfpq_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
                             Relation heap, IndexUniqueCheck unique, bool unchanged,
                             IndexInfo *info);

}  // namespace vann::ivfpq
