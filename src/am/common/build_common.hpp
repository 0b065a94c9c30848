// build_common.hpp — what CREATE INDEX takes of the machine, whichever the access method.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "miscadmin.h"
}

namespace vann::am {

// As many threads as core would use processes: the leader and its maintenance workers.
inline unsigned build_threads() {
  return static_cast<unsigned>(max_parallel_maintenance_workers) + 1;
}

}  // namespace vann::am
