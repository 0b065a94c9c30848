// parallel_scan.hpp — the table scan of an index build, shared with background workers: each scans a
// part, and what they make of their rows arrives in the leader as messages.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/parallel.h"
#include "access/relscan.h"
#include "nodes/execnodes.h"
#include "storage/shm_mq.h"
#include "storage/shm_toc.h"
#include "utils/rel.h"
#include "utils/snapshot.h"
}

namespace vann::pg {

// How many workers should help to scan `heap` for `index`: as many as core gives a btree build, but by
// the size of the table with its TOAST table, where vectors lie, and with little regard to
// maintenance_work_mem, of which our workers use next to nothing. 0 where workers may not help
// (temporary tables, expressions and predicates that are not parallel safe).
int plan_scan_workers(Relation heap, Relation index);

// Takes one message of a worker; `bytes` are aligned to 8 and gone after the call.
struct MessageSink {
  void (*take)(void *state, const void *bytes, size_t size);
  void *state;
};

// The leader's side. Abandonable: an ERROR ends the workers with the transaction. An ERROR of a worker is
// raised in the leader at its next CHECK_FOR_INTERRUPTS().
class ParallelScan {
 public:
  // Starts up to `workers` workers, fewer or none if the server has no more. Each gets a copy of the
  // `shared_bytes` bytes and runs `entry`, a VANN_SCAN_WORKER. The backend is in parallel mode until
  // finish().
  void start(Relation heap, Relation index, bool concurrent, int workers, const char *entry,
             const void *shared, size_t shared_bytes);
  int workers() const { return context_->nworkers_launched; }

  // The leader's share, for one table_index_build_scan() to run and close.
  TableScanDesc begin_share(Relation heap) const;
  // Takes what has arrived, without waiting. Returns the number of workers that may send more.
  int receive(const MessageSink &sink);
  // To be called after the leader's share: takes the rest and waits for the workers. Returns the heap
  // tuples that they have counted.
  double finish(const MessageSink &sink);

 private:
  ParallelContext *context_;
  Snapshot snapshot_;  // registered if it is not SnapshotAny
  struct Totals *totals_;
  shm_mq_handle **queues_;  // [nworkers_launched]; null once the worker has closed it
};

// A worker's side. `info`, `scan` and the relations are for one table_index_build_scan().
struct ScanWorker {
  Relation heap;
  Relation index;
  IndexInfo *info;
  TableScanDesc scan;
  const void *shared;  // the leader's bytes, in shared memory, aligned to 32
  shm_mq_handle *queue;

  // Waits while the queue is full; ERROR when the leader has gone.
  void send(const void *bytes, size_t size);
};

// The life of a worker: opens everything, calls `work`, which returns the heap tuples it has counted,
// and closes everything.
void run_scan_worker(dsm_segment *segment, shm_toc *toc, double (*work)(ScanWorker *));

}  // namespace vann::pg

// Entry point of workers: parameters `segment` and `toc`, for run_scan_worker().
#define VANN_SCAN_WORKER(name)                                          \
  extern "C" PGDLLEXPORT void name(dsm_segment *segment, shm_toc *toc); \
  extern "C" void name(dsm_segment *segment, shm_toc *toc)
