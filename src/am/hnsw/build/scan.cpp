// scan.cpp — the leader scans, and takes what workers send between its own rows: rows are far
// quicker to take than to encode, so that nobody waits for long.
#include "am/hnsw/build/scan.hpp"

#include "am/hnsw/build/mean.hpp"
#include "am/hnsw/row_encoder.hpp"
#include "pg/parallel_scan.hpp"

extern "C" {
#include "access/tableam.h"
}

#include <algorithm>

namespace vann::hnsw {

namespace {

// Rows go in messages of about this size: a quarter of a worker's queue.
constexpr size_t kMessageBytes = 64 * 1024;
// The leader looks into the queues after so many rows of its own.
constexpr uint32_t kRowsBetweenLooks = 8;

// A row in a message: this, then the digits of its code.
struct SentRow {
  quantize::ByteCode code;
  HeapTid tid;
};

size_t sent_row_bytes(const Layout &layout) {
  return MAXALIGN(sizeof(SentRow) + quantize::padded_dims(layout.shape.dims));
}

// ---- Worker -------------------------------------------------------------------------------------

struct Share {
  pg::ScanWorker *worker;
  RowEncoder *encoder;
  char *message;
  size_t row_bytes;
  size_t used;
  size_t capacity;  // a multiple of row_bytes
};

void send(Share *share) {
  if (share->used > 0) share->worker->send(share->message, share->used);
  share->used = 0;
}

void send_row(Relation, ItemPointer tid, Datum *values, bool *isnull, bool, void *state) {
  if (isnull[0]) return;
  Share *share = static_cast<Share *>(state);
  SentRow *row = reinterpret_cast<SentRow *>(share->message + share->used);
  row->code = share->encoder->encode(values[0]);
  row->tid = to_heap_tid(*tid);
  memcpy(row + 1, share->encoder->values(), share->encoder->values_bytes());
  share->used += share->row_bytes;
  if (share->used == share->capacity) send(share);
}

double scan_share(pg::ScanWorker *worker) {
  const Index index{worker->index,
                    static_cast<const IndexCache *>(worker->shared),
                    &operator_class_of(worker->index),
                    {kNoRecord, -1, 0}};
  RowEncoder encoder(index, worker->heap, CurrentMemoryContext);
  Share share{worker, &encoder, nullptr, sent_row_bytes(index.layout()), 0, 0};
  share.capacity = std::max<size_t>(1, kMessageBytes / share.row_bytes) * share.row_bytes;
  share.message = static_cast<char *>(palloc0(share.capacity));
  const double heap_tuples = table_index_build_scan(worker->heap, worker->index, worker->info, true,
                                                    false, send_row, &share, worker->scan);
  send(&share);
  encoder.close();
  return heap_tuples;
}

// ---- Leader -------------------------------------------------------------------------------------

struct Leader {
  RowEncoder *encoder;
  const RowSink *sink;
  size_t row_bytes;
  pg::ParallelScan *scan;  // null when alone
  uint64_t own_rows;
  uint64_t rows;
};

void take_message(void *state, const void *bytes, size_t size) {
  Leader *leader = static_cast<Leader *>(state);
  const char *at = static_cast<const char *>(bytes);
  for (const char *end = at + size; at < end; at += leader->row_bytes) {
    const SentRow *row = reinterpret_cast<const SentRow *>(at);
    leader->sink->add(leader->sink->state, reinterpret_cast<const int8_t *>(row + 1), row->code,
                      row->tid);
    ++leader->rows;
  }
}

void add_own_row(Relation, ItemPointer tid, Datum *values, bool *isnull, bool, void *state) {
  if (isnull[0]) return;
  Leader *leader = static_cast<Leader *>(state);
  const quantize::ByteCode code = leader->encoder->encode(values[0]);
  leader->sink->add(leader->sink->state, leader->encoder->values(), code, to_heap_tid(*tid));
  ++leader->rows;
  if (leader->scan != nullptr && ++leader->own_rows % kRowsBetweenLooks == 0)
    leader->scan->receive({take_message, leader});
}

double scan_alone(Relation heap, Relation relation, IndexInfo *info, Leader *leader) {
  return table_index_build_scan(heap, relation, info, false, true, add_own_row, leader, nullptr);
}

double scan_together(Relation heap, Relation relation, IndexInfo *info, const IndexCache &cache,
                     int *workers, Leader *leader) {
  pg::ParallelScan scan;
  scan.start(heap, relation, info->ii_Concurrent, *workers, "hnsw_scan_worker", &cache,
             cache_bytes(cache));
  *workers = scan.workers();
  leader->scan = &scan;
  const double own = table_index_build_scan(heap, relation, info, true, true, add_own_row, leader,
                                            scan.begin_share(heap));
  return own + scan.finish({take_message, leader});
}

}  // namespace

ScanResult scan_rows(Relation heap, Relation relation, IndexInfo *info, const Index &index,
                     IndexCache *cache, int workers, const RowSink &sink) {
  MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "hnsw build scan", ALLOCSET_DEFAULT_SIZES);
  RowEncoder encoder(index, heap, context);
  sample_mean(heap, info, &encoder, cache->layout.shape.dims, cache->mean());
  Leader leader{&encoder, &sink, sent_row_bytes(cache->layout), nullptr, 0, 0};
  const double heap_tuples = workers == 0
                                 ? scan_alone(heap, relation, info, &leader)
                                 : scan_together(heap, relation, info, *cache, &workers, &leader);
  encoder.close();
  MemoryContextDelete(context);
  return {heap_tuples, static_cast<double>(leader.rows), workers};
}

}  // namespace vann::hnsw

VANN_SCAN_WORKER(hnsw_scan_worker) {
  vann::pg::run_scan_worker(segment, toc, vann::hnsw::scan_share);
}
