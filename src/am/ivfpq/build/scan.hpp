// scan.hpp — scan stage of a build: every indexed row coded, by this process and background workers.
#pragma once

#include "am/ivfpq/build/coder.hpp"

namespace vann::ivfpq {

struct ScanResult {
  double heap_tuples;  // rows of the table
  int workers;         // that took part
};

// Memory that the scan takes in this process beside the coder.
inline constexpr size_t kScanBytes = size_t{512} << 10;

// How many workers should help: as many as pg::plan_scan_workers() has it, but none where the model is too
// large for shared memory, and no more than maintenance_work_mem has room for.
int plan_workers(Relation heap, Relation index, const BuildModel &model);

// Scans the table with up to `workers` background workers. The sink is called in this process only; with
// workers the order of rows is not defined, without it is that of the table. While workers run, the
// backend is in parallel mode: no writes to relations, no new transaction id.
ScanResult scan_rows(Relation heap, Relation index, IndexInfo *info, const BuildModel &model,
                     int workers, const CodedRowSink &sink);

}  // namespace vann::ivfpq
