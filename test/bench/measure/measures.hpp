// measures.hpp — what can be measured. A measure adds points to the run's results, under one name or
// several; report/chapters.cpp tells how to read them.
#pragma once

#include <string>
#include <vector>

#include "bench/measure/run.hpp"

namespace vann::bench {

struct Measure {
  const char *name;
  void (*work)(Run &);
};

// In the order in which they are run: the first leave the index as it was built.
const std::vector<Measure> &all_measures();

// Index from scratch: seconds, bytes, peak memory.
void measure_build(Run &run);
// Curves of recall against speed, one backend, over efforts for each k.
void measure_search(Run &run);
// Nearest rows under a condition on another column.
void measure_filter(Run &run);
// Throughput of several sessions; then with a session beside them that inserts.
void measure_clients(Run &run);
// Inserts, updates, deletes and VACUUM.
void measure_change(Run &run);
// Recall after rows were replaced in rounds.
void measure_churn(Run &run);
// Recall after half of the rows made way for rows from elsewhere, against an index built anew.
void measure_drift(Run &run);
// First queries after a restart, with nothing in memory.
void measure_cold(Run &run);
// Builds in a tenth of the vectors' memory. Leaves that index behind.
void measure_budget(Run &run);

}  // namespace vann::bench
