// parallel_scan.cpp — parallel workers for index builds, as nbtree starts and ends them.
#include "pg/parallel_scan.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/paths.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"
}

#include <algorithm>

namespace vann::pg {

// What a worker leaves behind.
struct Totals {
  BufferUsage buffers;
  WalUsage wal;
  double heap_tuples;
  bool finished;
};

namespace {

constexpr size_t kQueueBytes = 256 * 1024;
// A worker's memory: its queue, a batch, a row, the caches of a backend.
constexpr int kWorkerKilobytes = 8 * 1024;

enum Key : uint64 { kKeyShared = 1, kKeyArgument, kKeyScan, kKeyQueues, kKeyTotals, kKeyQuery };

struct Shared {
  Oid heap;
  Oid index;
  bool concurrent;
};

char *queue_address(char *queues, int worker) { return queues + size_t(worker) * kQueueBytes; }

bool is_safe_for_workers(Relation index) {
  PlannerInfo *root = makeNode(PlannerInfo);
  root->parse = makeNode(Query);
  root->parse->commandType = CMD_SELECT;
  root->glob = makeNode(PlannerGlobal);
  root->query_level = 1;
  root->planner_cxt = CurrentMemoryContext;
  return is_parallel_safe(root, reinterpret_cast<Node *>(RelationGetIndexExpressions(index))) &&
         is_parallel_safe(root, reinterpret_cast<Node *>(RelationGetIndexPredicate(index)));
}

BlockNumber blocks_with_toast(Relation heap) {
  BlockNumber blocks = RelationGetNumberOfBlocks(heap);
  if (OidIsValid(heap->rd_rel->reltoastrelid)) {
    Relation toast = table_open(heap->rd_rel->reltoastrelid, AccessShareLock);
    blocks += RelationGetNumberOfBlocks(toast);
    table_close(toast, AccessShareLock);
  }
  return blocks;
}

template <class T>
T *allocate_shared(shm_toc *toc, Key key, size_t bytes) {
  void *memory = shm_toc_allocate(toc, bytes);
  memset(memory, 0, bytes);
  shm_toc_insert(toc, key, memory);
  return static_cast<T *>(memory);
}

template <class T>
T *find_shared(shm_toc *toc, Key key) {
  return static_cast<T *>(shm_toc_lookup(toc, key, false));
}

LOCKMODE heap_lock(bool concurrent) { return concurrent ? ShareUpdateExclusiveLock : ShareLock; }
LOCKMODE index_lock(bool concurrent) { return concurrent ? RowExclusiveLock : AccessExclusiveLock; }

}  // namespace

int plan_scan_workers(Relation heap, Relation index) {
  if (!IsUnderPostmaster || max_parallel_maintenance_workers == 0 ||
      heap->rd_rel->relpersistence == RELPERSISTENCE_TEMP || !is_safe_for_workers(index))
    return 0;
  const int option = RelationGetParallelWorkers(heap, -1);
  if (option >= 0) return std::min(option, max_parallel_maintenance_workers);
  RelOptInfo *table = makeNode(RelOptInfo);
  table->reloptkind = RELOPT_BASEREL;
  table->rel_parallel_workers = -1;
  const int by_size =
      compute_parallel_worker(table, blocks_with_toast(heap), -1, max_parallel_maintenance_workers);
  return std::min(by_size, maintenance_work_mem / kWorkerKilobytes);
}

void ParallelScan::start(Relation heap, Relation index, bool concurrent, int workers,
                         const char *entry, const void *shared, size_t shared_bytes) {
  EnterParallelMode();
  context_ = CreateParallelContext("vector_ann", entry, workers);
  snapshot_ = concurrent ? RegisterSnapshot(GetTransactionSnapshot()) : SnapshotAny;
  const char *query = debug_query_string != nullptr ? debug_query_string : "";
  const size_t query_bytes = strlen(query) + 1;
  const size_t scan_bytes = table_parallelscan_estimate(heap, snapshot_);
  const size_t totals_bytes = static_cast<size_t>(workers) * sizeof(Totals);
  const size_t queues_bytes = static_cast<size_t>(workers) * kQueueBytes;
  for (const size_t bytes :
       {sizeof(Shared), shared_bytes, scan_bytes, queues_bytes, totals_bytes, query_bytes}) {
    shm_toc_estimate_chunk(&context_->estimator, bytes);
    shm_toc_estimate_keys(&context_->estimator, 1);
  }
  // Without a segment to be had this leaves no workers, and the memory is our own.
  InitializeParallelDSM(context_);

  shm_toc *toc = context_->toc;
  *allocate_shared<Shared>(toc, kKeyShared, sizeof(Shared)) = {RelationGetRelid(heap),
                                                               RelationGetRelid(index), concurrent};
  memcpy(allocate_shared<char>(toc, kKeyArgument, shared_bytes), shared, shared_bytes);
  memcpy(allocate_shared<char>(toc, kKeyQuery, query_bytes), query, query_bytes);
  table_parallelscan_initialize(
      heap, allocate_shared<ParallelTableScanDescData>(toc, kKeyScan, scan_bytes), snapshot_);
  totals_ = allocate_shared<Totals>(toc, kKeyTotals, totals_bytes);
  char *queues = allocate_shared<char>(toc, kKeyQueues, queues_bytes);
  queues_ = static_cast<shm_mq_handle **>(
      palloc0(static_cast<size_t>(std::max(1, context_->nworkers)) * sizeof(shm_mq_handle *)));
  for (int i = 0; i < context_->nworkers; ++i) {
    shm_mq *queue = shm_mq_create(queue_address(queues, i), kQueueBytes);
    shm_mq_set_receiver(queue, MyProc);
    queues_[i] = shm_mq_attach(queue, context_->seg, nullptr);
  }
  LaunchParallelWorkers(context_);
  for (int i = 0; i < context_->nworkers_launched; ++i)
    shm_mq_set_handle(queues_[i], context_->worker[i].bgwhandle);
}

TableScanDesc ParallelScan::begin_share(Relation heap) const {
  return table_beginscan_parallel(heap,
                                  find_shared<ParallelTableScanDescData>(context_->toc, kKeyScan));
}

int ParallelScan::receive(const MessageSink &sink) {
  int open = 0;
  for (int i = 0; i < context_->nworkers_launched; ++i) {
    while (queues_[i] != nullptr) {
      CHECK_FOR_INTERRUPTS();
      Size size;
      void *bytes;
      const shm_mq_result result = shm_mq_receive(queues_[i], &size, &bytes, true);
      if (result == SHM_MQ_WOULD_BLOCK) break;
      if (result == SHM_MQ_DETACHED)
        queues_[i] = nullptr;
      else
        sink.take(sink.state, bytes, size);
    }
    open += queues_[i] != nullptr;
  }
  return open;
}

double ParallelScan::finish(const MessageSink &sink) {
  // Otherwise nobody would notice one that never came up.
  WaitForParallelWorkersToAttach(context_);
  while (receive(sink) > 0) {
    WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, -1,
              WAIT_EVENT_PARALLEL_CREATE_INDEX_SCAN);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
  }
  WaitForParallelWorkersToFinish(context_);
  double heap_tuples = 0;
  for (int i = 0; i < context_->nworkers_launched; ++i) {
    if (!totals_[i].finished) elog(ERROR, "parallel worker %d ended early", i);
    InstrAccumParallelQuery(&totals_[i].buffers, &totals_[i].wal);
    heap_tuples += totals_[i].heap_tuples;
  }
  if (snapshot_ != SnapshotAny) UnregisterSnapshot(snapshot_);
  DestroyParallelContext(context_);
  ExitParallelMode();
  return heap_tuples;
}

void ScanWorker::send(const void *bytes, size_t size) {
  if (shm_mq_send(queue, size, bytes, false, true) != SHM_MQ_SUCCESS)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("could not send rows to the leader of the index build")));
}

void run_scan_worker(dsm_segment *segment, shm_toc *toc, double (*work)(ScanWorker *)) {
  debug_query_string = find_shared<char>(toc, kKeyQuery);
  pgstat_report_activity(STATE_RUNNING, debug_query_string);
  shm_mq *queue = reinterpret_cast<shm_mq *>(
      queue_address(find_shared<char>(toc, kKeyQueues), ParallelWorkerNumber));
  shm_mq_set_sender(queue, MyProc);

  const Shared &shared = *find_shared<Shared>(toc, kKeyShared);
  ScanWorker worker;
  worker.queue = shm_mq_attach(queue, segment, nullptr);
  worker.shared = find_shared<void>(toc, kKeyArgument);
  worker.heap = table_open(shared.heap, heap_lock(shared.concurrent));
  worker.index = index_open(shared.index, index_lock(shared.concurrent));
  worker.info = BuildIndexInfo(worker.index);
  worker.info->ii_Concurrent = shared.concurrent;
  worker.scan =
      table_beginscan_parallel(worker.heap, find_shared<ParallelTableScanDescData>(toc, kKeyScan));

  InstrStartParallelQuery();
  Totals &totals = find_shared<Totals>(toc, kKeyTotals)[ParallelWorkerNumber];
  totals.heap_tuples = work(&worker);
  InstrEndParallelQuery(&totals.buffers, &totals.wal);
  totals.finished = true;
  shm_mq_detach(worker.queue);
  index_close(worker.index, index_lock(shared.concurrent));
  table_close(worker.heap, heap_lock(shared.concurrent));
}

}  // namespace vann::pg
