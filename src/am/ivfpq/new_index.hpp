// new_index.hpp — an index before its first row.
#pragma once

#include "am/ivfpq/index.hpp"
#include "pg/bulk_writer.hpp"

namespace vann::ivfpq {

// The metapage of an index with the relation's options and dimensions; root, list_pages and chains of the
// model are kNoBlock or kNoList. ERROR when options contradict each other.
MetaPage new_meta(Relation index);

// Writes the pages of an index without rows, as the first of the file: the metapage, the root, and one list
// whose centroid is the centre.
void append_empty(pg::BulkWriter *writer, MetaPage meta);

}  // namespace vann::ivfpq
