// insert.cpp — one row into its nearest list. Locks: the directory's pages, shared, one at a time; then
// those of append_rows().
#include "am/ivfpq/insert.hpp"

#include "am/ivfpq/directory.hpp"
#include "am/ivfpq/rows.hpp"

extern "C" {
#include "miscadmin.h"
}

namespace vann::ivfpq {

namespace {

// A list may be closed between its being found and the row's being put; not over and over.
constexpr int kMaxTries = 1000;

// Kept for the rows of one statement.
struct InsertState {
  Index index;
  MemoryContext context;
  MemoryContext row_context;
  float *vector;
  float *anchor;
  RowEncoder encoder;
  DirectorySearch directory;
};

// The mean comes with the first row; there is none under the inner product.
bool lacks_mean(const IndexCache &cache) {
  return !cache.has_mean && cache.metric != Metric::kInnerProduct;
}

InsertState *make_state(Relation relation, MemoryContext context) {
  pg::ContextScope scope(context);
  InsertState *state = static_cast<InsertState *>(palloc0(sizeof(InsertState)));
  state->index = open_index(relation);
  state->context = context;
  const size_t floats = state->index.layout().rotated_dims;
  state->vector = pg::allocate_aligned<float>(context, floats);
  state->anchor = pg::allocate_aligned<float>(context, floats);
  state->encoder.init(state->index, context);
  state->row_context = AllocSetContextCreate(context, "ivfpq insert row", ALLOCSET_DEFAULT_SIZES);
  return state;
}

InsertState *state_for(Relation relation, IndexInfo *info) {
  InsertState *state = static_cast<InsertState *>(info->ii_AmCache);
  if (state != nullptr && !lacks_mean(*state->index.cache)) return state;
  state = make_state(relation, info->ii_Context);
  info->ii_AmCache = state;
  return state;
}

// The first row of an index that was created empty becomes its centre: any vector of the data is as good as
// their mean within a factor of two, and far better than the origin where data lie far from it. Whoever
// holds the metapage first writes it.
void write_mean(const Index &index, Datum value) {
  float *mean = static_cast<float *>(palloc(index.layout().rotated_dims * sizeof(float)));
  bool zero;
  prepare_vector(index, value, mean, &zero);
  keep_finite(mean, index.layout().rotated_dims);
  const BlockNumber head = write_floats(index, mean, index.layout().rotated_dims);
  const pg::LockedPage page(index.relation, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
  if (meta_of(page.bytes())->mean_block != kNoBlock) return;
  pg::PageEdit edit(index.relation);
  meta_of(edit.modify(page))->mean_block = head;
  edit.commit();
}

bool has_new_codebooks(const Index &index) {
  return read_meta(index.relation).codebook_version != index.cache->codebook_version;
}

// False when codebooks have been trained since the view was opened.
bool insert_row(InsertState *state, const HeapTid &tid) {
  const Index &index = state->index;
  for (int tries = 0;; ++tries) {
    state->directory.open(index, state->vector, Route::kRow, state->context);
    RoutedList nearest;
    if (!state->directory.next(&nearest))
      report_corrupt(index, kMetaBlock, "The directory holds no list.");
    read_list(index, nearest.list, state->anchor);
    const EncodedRow row = state->encoder.encode(state->vector, state->anchor, nearest.list, tid);
    if (append_rows(index, nearest.list, nearest.open, &row, 1) == 1) return true;
    if (has_new_codebooks(index)) return false;
    if (tries == kMaxTries)
      report_corrupt(index, nearest.open, "A list of the directory does not take rows.");
    CHECK_FOR_INTERRUPTS();
  }
}

}  // namespace

extern "C" bool ivfpq_insert(Relation relation, Datum *values, bool *isnull, ItemPointer tid,
                             Relation, IndexUniqueCheck, bool, IndexInfo *info) {
  if (isnull[0]) return false;
  InsertState *state = state_for(relation, info);
  {
    pg::ContextScope scope(state->row_context);
    if (lacks_mean(*state->index.cache)) {
      write_mean(state->index, values[0]);
      state = state_for(relation, info);
    }
    bool zero;
    prepare_vector(state->index, values[0], state->vector, &zero);
    while (!insert_row(state, am::to_heap_tid(*tid))) {
      info->ii_AmCache = nullptr;
      state = state_for(relation, info);
      prepare_vector(state->index, values[0], state->vector, &zero);
    }
  }
  MemoryContextReset(state->row_context);
  return false;
}

}  // namespace vann::ivfpq
