// scan.cpp — the leader scans, and takes what workers send between its own rows.
#include "am/ivfpq/build/scan.hpp"

#include "pg/parallel_scan.hpp"

extern "C" {
#include "access/tableam.h"
#include "miscadmin.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

// Rows go in messages of about this size: a quarter of a worker's queue.
constexpr size_t kMessageBytes = 64 * 1024;
// The leader looks into the queues after so many rows of its own.
constexpr uint32_t kRowsBetweenLooks = 8;
// /dev/shm may be small.
constexpr size_t kMostSharedBytes = size_t{32} << 20;

// ---- Worker -------------------------------------------------------------------------------------

struct Share {
  pg::ScanWorker *worker;
  RowCoder *coder;
  char *message;
  size_t row_bytes;
  size_t used;
  size_t capacity;  // a multiple of row_bytes
};

void send(Share *share) {
  if (share->used > 0) share->worker->send(share->message, share->used);
  share->used = 0;
}

void send_row(void *state, const CodedRow *row) {
  Share *share = static_cast<Share *>(state);
  memcpy(share->message + share->used, row, share->row_bytes);
  share->used += share->row_bytes;
  if (share->used == share->capacity) send(share);
}

void add_share_row(Relation, ItemPointer tid, Datum *values, bool *isnull, bool, void *state) {
  if (!isnull[0]) static_cast<Share *>(state)->coder->add(values[0], am::to_heap_tid(*tid));
}

double scan_share(pg::ScanWorker *worker) {
  const BuildModel &model = *static_cast<const BuildModel *>(worker->shared);
  Share share{worker, nullptr, nullptr, coded_row_bytes(model.layout()), 0, 0};
  share.capacity = std::max<size_t>(1, kMessageBytes / share.row_bytes) * share.row_bytes;
  share.message = static_cast<char *>(palloc(share.capacity));
  RowCoder coder(worker->index, worker->heap, model, CurrentMemoryContext, {send_row, &share});
  share.coder = &coder;
  const double heap_tuples = table_index_build_scan(worker->heap, worker->index, worker->info, true,
                                                    false, add_share_row, &share, worker->scan);
  coder.flush();
  send(&share);
  coder.close();
  return heap_tuples;
}

// ---- Leader -------------------------------------------------------------------------------------

struct Leader {
  RowCoder *coder;
  const CodedRowSink *sink;
  size_t row_bytes;
  pg::ParallelScan *scan;  // null when alone
  uint32_t own_rows;
};

void take_message(void *state, const void *bytes, size_t size) {
  const Leader *leader = static_cast<Leader *>(state);
  const char *at = static_cast<const char *>(bytes);
  for (const char *end = at + size; at < end; at += leader->row_bytes)
    leader->sink->add(leader->sink->state, reinterpret_cast<const CodedRow *>(at));
}

void add_own_row(Relation, ItemPointer tid, Datum *values, bool *isnull, bool, void *state) {
  if (isnull[0]) return;
  Leader *leader = static_cast<Leader *>(state);
  leader->coder->add(values[0], am::to_heap_tid(*tid));
  if (leader->scan != nullptr && ++leader->own_rows % kRowsBetweenLooks == 0)
    leader->scan->receive({take_message, leader});
}

double scan_alone(Relation heap, Relation index, IndexInfo *info, Leader *leader) {
  const double tuples =
      table_index_build_scan(heap, index, info, false, true, add_own_row, leader, nullptr);
  leader->coder->flush();
  return tuples;
}

double scan_together(Relation heap, Relation index, IndexInfo *info, const BuildModel &model,
                     int *workers, Leader *leader) {
  pg::ParallelScan scan;
  scan.start(heap, index, info->ii_Concurrent, *workers, "ivfpq_scan_worker", &model, model.bytes);
  *workers = scan.workers();
  leader->scan = &scan;
  const double own = table_index_build_scan(heap, index, info, true, true, add_own_row, leader,
                                            scan.begin_share(heap));
  leader->coder->flush();
  return own + scan.finish({take_message, leader});
}

}  // namespace

int plan_workers(Relation heap, Relation index, const BuildModel &model) {
  if (model.bytes > kMostSharedBytes) return 0;
  const auto planned = static_cast<size_t>(pg::plan_scan_workers(heap, index));
  return static_cast<int>(std::min(planned, build_memory() / RowCoder::bytes(model)));
}

ScanResult scan_rows(Relation heap, Relation index, IndexInfo *info, const BuildModel &model,
                     int workers, const CodedRowSink &sink) {
  MemoryContext context =
      AllocSetContextCreate(CurrentMemoryContext, "ivfpq build scan", ALLOCSET_DEFAULT_SIZES);
  RowCoder coder(index, heap, model, context, sink);
  Leader leader{&coder, &sink, coded_row_bytes(model.layout()), nullptr, 0};
  const double heap_tuples = workers == 0
                                 ? scan_alone(heap, index, info, &leader)
                                 : scan_together(heap, index, info, model, &workers, &leader);
  coder.close();
  MemoryContextDelete(context);
  return {heap_tuples, workers};
}

}  // namespace vann::ivfpq

VANN_SCAN_WORKER(ivfpq_scan_worker) {
  vann::pg::run_scan_worker(segment, toc, vann::ivfpq::scan_share);
}
