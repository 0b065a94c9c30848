// scan.hpp — scan stage of a build: every indexed row as a byte code, encoded by this process and
// background workers.
#pragma once

#include "am/hnsw/index.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace vann::hnsw {

// Receives one row at a time: the byte code of the prepared, centred vector. `values` have
// padded_dims(layout.shape.dims) bytes, aligned to 8, and go after the call. May raise an ERROR, but not
// throw: frames of PostgreSQL lie below.
struct RowSink {
  void (*add)(void *state, const int8_t *values, const quantize::ByteCode &code,
              const HeapTid &tid);
  void *state;
};

struct ScanResult {
  double heap_tuples;   // rows of the table
  double index_tuples;  // rows that went to the sink
  int workers;          // that took part
};

// Memory that the scan takes in this process: executor state, the buffers of RowEncoder, the queues' ends.
inline constexpr size_t kScanBytes = size_t{512} << 10;

// Computes the mean in `cache` (that of `index`) from a sample, then scans the table with up to
// `workers` background workers. The sink is called in this process only; with workers the order of
// rows is not defined, without it is that of the table. While workers run, the backend is in
// parallel mode: no writes to relations, no new transaction id.
ScanResult scan_rows(Relation heap, Relation relation, IndexInfo *info, const Index &index,
                     IndexCache *cache, int workers, const RowSink &sink);

}  // namespace vann::hnsw
