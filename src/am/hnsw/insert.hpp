// insert.hpp — links one new element into the graph (INSERT, Algorithm 1 of Malkov & Yashunin 2018).
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/amapi.h"
#include "nodes/execnodes.h"
}

namespace vann::hnsw {

// aminsert. Takes one record page lock at a time; see README.md, "Insert" and "Concurrency".
extern "C" bool hnsw_insert(Relation index, Datum *values, bool *isnull, ItemPointer heap_tid,
                            Relation heap, IndexUniqueCheck unique, bool index_unchanged,
                            IndexInfo *info);

}  // namespace vann::hnsw
